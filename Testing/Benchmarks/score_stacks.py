"""Score the shipped `flair-tumor` on patients it was not trained on, through the whole pipeline, and draw each.

    python -m Testing.Benchmarks.score_stacks --data DIR --fold N -o OUT

DIR holds the public set lgg (and, looked at too where it is there, ms_heads: heads without tumor); fold N must have been
kept out of training. The spacing of lgg is unknown: its slices are taken as 240 mm wide and 5 mm apart, which decides what
size of islands is removed, and Dice, which counts voxels, is all that is scored. OUT receives scores.md, scores.json and a
PNG of each volume.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np

from BrainTumorSegLib import api
from BrainTumorSegLib.data.public_sets import read_packed
from BrainTumorSegLib.labels import SCHEMES
from BrainTumorSegLib.metrics.overlap import dice
from BrainTumorSegLib.pictures.overlay import montage, save_montage
from Testing.Benchmarks.tumor_free import ms_head

WIDTH_MM, APART_MM = 240.0, 5.0
"""Taken for the unknown field of view and distance of slices of lgg."""


def patient_names(data: Path, fold: int) -> list[str]:
    """The patients of a fold of lgg."""
    with (data / "lgg" / "folds.csv").open(newline="") as file:
        return [row["case"] for row in csv.DictReader(file) if int(row["fold"]) == fold]


def read_patient(data: Path, name: str) -> tuple[api.Volume, api.Volume]:
    """(FLAIR, whole-tumor mask) of a patient of lgg."""
    stack = read_packed(data / "lgg" / name, "flair")
    pixel = WIDTH_MM / stack.shape[2]
    image = api.Volume(stack, (pixel, pixel, APART_MM), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0), name=name)
    return image, image.like((read_packed(data / "lgg" / name, "seg") > 0).astype(np.uint8))


def summarize(scores: dict[str, float]) -> dict[str, float]:
    """n, mean, median, standard deviation, least and most."""
    values = np.array(list(scores.values()))
    found = {"mean": values.mean(), "median": np.median(values), "spread": values.std(ddof=1), "least": values.min(), "most": values.max()}
    return {"n": len(values), **{name: round(float(value), 4) for name, value in found.items()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    session = api.open_model("flair-tumor")
    lines, scores = ["| volume | slices | Dice | found | reference | s |", "|---|---|---|---|---|---|"], {}
    for name in patient_names(arguments.data, arguments.fold):
        image, reference = read_patient(arguments.data, name)
        result = api.segment({"flair": image}, session)
        scores[name] = float(dice(result.labels.array > 0, reference.array > 0))
        found, true = (int(np.count_nonzero(volume.array)) for volume in (result.labels, reference))
        lines.append(f"| {name} | {len(image.array)} | {scores[name]:.3f} | {found} voxels | {true} voxels | {result.seconds['total']:.1f} |")
        print(lines[-1], flush=True)
        picture = montage(image, result.labels, SCHEMES[result.scheme], reference, title=name, caption=f"Dice {scores[name]:.3f}")
        save_montage(picture, arguments.output / f"{name}.png")
    for folder in sorted((arguments.data / "ms_heads").glob("patient*")):
        head = ms_head(folder, ("flair",), stripped=False)
        name, image = head.name, head.volumes["flair"]
        result = api.segment(head.volumes, session)
        found_ml = sum((result.volumes_ml or {}).values())
        lines.append(f"| {name}, no tumor | {min(image.array.shape)} | | {found_ml:.2f} mL | 0 | {result.seconds['total']:.1f} |")
        print(lines[-1], flush=True)
        save_montage(
            montage(image, result.labels, SCHEMES[result.scheme], None, title=name, caption=f"found {found_ml:.2f} mL"),
            arguments.output / f"{name.replace(' ', '_')}.png",
        )
    (arguments.output / "scores.md").write_text("\n".join([*lines, "", json.dumps(summarize(scores))]) + "\n")
    (arguments.output / "scores.json").write_text(json.dumps({"summary": summarize(scores), "cases": scores}, indent=1) + "\n")
    print(summarize(scores))


if __name__ == "__main__":
    main()
