"""Score the shipped `t1ce-tumor` on whole volumes of patients it was not trained on, and draw each as an overlay.

    python -m Testing.Benchmarks.score_volumes --data DIR -o OUT [--fold 4]

DIR holds the public sets (brats, single, healthy). OUT receives scores.md and a PNG per volume. In `brats` the reference is
the tumor core (labels 1 and 3), which is what a contrast-enhanced T1 shows; only the given fold was kept out of training.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from BrainTumorSegLib import api
from BrainTumorSegLib.labels import SCHEMES
from BrainTumorSegLib.pictures.overlay import montage, save_montage
from Testing.Benchmarks.brats_volumes import brats_volumes


def cases(data: Path, fold: int) -> Iterator[tuple[str, api.Volume, api.Volume | None]]:
    """(name, image, reference or None where there is no tumor)."""
    for name, volumes, labels in brats_volumes(data, fold):
        yield name, volumes["t1ce"], labels.like(np.isin(labels.array, (1, 3, 4)).astype(np.uint8))
    single = data / "single"
    yield "pyradiomics_brain1", *pair(single / "pyradiomics_brain1" / "image.nii.gz", single / "pyradiomics_brain1" / "seg.nii.gz")
    yield "meningioma_M013", *pair(single / "meningioma_M013" / "t1ce.nii.gz", single / "meningioma_M013" / "seg.nii.gz")
    for path in sorted((data / "healthy").glob("*.nii.gz")):
        yield f"healthy {path.name.removesuffix('.nii.gz')}", api.read_volume(path), None


def pair(image: Path, reference: Path) -> tuple[api.Volume, api.Volume]:
    """An image and its mask."""
    return api.read_volume(image), api.read_label_volume(reference)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--fold", type=int, default=4)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    session = api.open_model("t1ce-tumor")
    lines = ["| volume | planes | Dice | HD95 mm | found mL | reference mL | s |", "|---|---|---|---|---|---|---|"]
    for name, image, reference in cases(arguments.data, arguments.fold):
        result = api.segment({"t1ce": image}, session)
        truth = reference or image.like(np.zeros(image.array.shape, np.uint8))
        row = api.evaluate(result.labels, replace(truth, array=(truth.array > 0).astype(np.uint8)), name).rows[0]
        hd95 = f"{row.hd95_mm:.1f}" if row.hd95_mm is not None else row.status
        found, true_ml = sum((result.volumes_ml or {}).values()), np.count_nonzero(truth.array) * truth.voxel_ml
        lines.append(f"| {name} | {', '.join(result.planes)} | {row.dice:.3f} | {hd95} | {found:.1f} | {true_ml:.1f} | {result.seconds['total']:.1f} |")
        print(lines[-1], flush=True)
        picture = montage(image, result.labels, SCHEMES[result.scheme], reference, title=name, caption=f"Dice {row.dice:.3f}, found {found:.1f} mL")
        save_montage(picture, arguments.output / f"{name.replace(' ', '_')}.png")
    (arguments.output / "scores.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
