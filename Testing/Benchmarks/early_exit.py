"""What leaving out slices far from any finding saves, and what it costs: every case with and without it, in one run.

    python -m Testing.Benchmarks.early_exit --data DIR [--model FOLDER|FILE.onnx] [--name t1ce-tumor] [--fold 4 | CASE ...] [-o TABLE.md]

DIR holds the public sets (brats, single, healthy). Without --model the shipped model is measured; FOLDER holds another models.json, FILE.onnx
stands in the place of the shipped file. CASE is a case of `brats`, or a NIfTI file of a head without a tumor. In `brats` the reference of a model
that finds one kind of tissue is the tumor core (labels 1 and 3). Slices are counted; time is CPU time of the whole way from the images in
memory to the labels, which a busy machine changes least, and which of the two comes first alternates from case to case.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from BrainTumorSegLib import api
from BrainTumorSegLib.inference.models import ModelInfo, find_model, list_models
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.progress import CancelToken
from Testing.Benchmarks.brats_volumes import brats_folders, brats_volume

HEADER = (
    "| case | slices | with early exit | saved | CPU s | with early exit | saved | Dice | with early exit | mL | voxels that differ |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
)


class CountingSession(Session):
    """An open model that counts the slices it is given."""

    slices = 0

    def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
        self.slices += len(slices)
        return super().run(slices, cancel)


@dataclass(frozen=True)
class Way:
    """One case with or without early exit; `dice` is the mean over the regions that the reference has, or None without a reference."""

    slices: int
    seconds: float
    dice: float | None
    ml: float
    labels: np.ndarray


def chosen_model(name: str, place: Path | None) -> ModelInfo:
    """The model `name` of a folder, of a file in the place of the shipped one, or the shipped one."""
    if place is None or place.is_dir():
        return find_model(name, list_models(place))
    content = place.read_bytes()
    return replace(find_model(name, list_models()), path=place, sha256=hashlib.sha256(content).hexdigest(), file=place.name)


def read_cases(data: Path, names: list[str], fold: int, model: ModelInfo) -> Iterator[tuple[str, dict[str, api.Volume], api.Volume | None]]:
    """(name, volumes by role, reference or None where there is no tumor)."""
    folders = {name: folder for name, (folder, its_fold) in brats_folders(data).items() if name in names or its_fold == fold}
    for name in names or folders:
        if name in folders:
            volumes = {role: brats_volume(folders[name], role) for role in (*model.inputs, "seg")}
            labels = volumes.pop("seg")
            wanted = labels.array if model.scheme == "glioma" else np.isin(labels.array, (1, 3, 4))
            yield name, volumes, labels.like(wanted.astype(np.uint8))
        else:
            image = api.read_volume(name)
            yield Path(name).name, dict.fromkeys(model.inputs, image), None


def measure(volumes: dict[str, api.Volume], reference: api.Volume | None, session: CountingSession, early_exit: bool) -> Way:
    """Segment one case once."""
    before, began = session.slices, time.process_time()
    result = api.segment(volumes, session, options=api.SegmentOptions(early_exit=early_exit))
    seconds = time.process_time() - began
    dice = None if reference is None else float(np.mean([row.dice for row in api.evaluate(result.labels, reference).rows]))
    return Way(session.slices - before, seconds, dice, sum((result.volumes_ml or {}).values()), result.labels.array)


def row(name: str, full: Way, early: Way) -> str:
    """One line of the table."""
    dice = [f"{way.dice:.4f}" if way.dice is not None else "" for way in (full, early)]
    return (
        f"| {name} | {full.slices} | {early.slices} | {1 - early.slices / full.slices:.0%} "
        f"| {full.seconds:.1f} | {early.seconds:.1f} | {1 - early.seconds / full.seconds:.0%} "
        f"| {dice[0]} | {dice[1]} | {full.ml:.1f} | {np.count_nonzero(full.labels != early.labels)} |"
    )


def total(pairs: list[tuple[Way, Way]]) -> str:
    """The line below the table: sums, and means of Dice over the cases with a reference."""
    full, early = zip(*pairs)
    slices = [sum(way.slices for way in ways) for ways in (full, early)]
    seconds = [sum(way.seconds for way in ways) for ways in (full, early)]
    dice = [[way.dice for way in ways if way.dice is not None] for ways in (full, early)]
    means = [f"{np.mean(values):.4f} (n = {len(values)})" if values else "" for values in dice]
    differ = sum(int(np.count_nonzero(a.labels != b.labels)) for a, b in pairs)
    return (
        f"| **all {len(pairs)}** | {slices[0]} | {slices[1]} | {1 - slices[1] / slices[0]:.0%} "
        f"| {seconds[0]:.1f} | {seconds[1]:.1f} | {1 - seconds[1] / seconds[0]:.0%} | {means[0]} | {means[1]} | | {differ} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--name", default="t1ce-tumor")
    parser.add_argument("--fold", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("cases", nargs="*", metavar="CASE")
    arguments = parser.parse_args()
    model = chosen_model(arguments.name, arguments.model)
    session = CountingSession(model, arguments.threads)
    lines = [*HEADER]
    pairs: list[tuple[Way, Way]] = []
    print(*lines, sep="\n", flush=True)
    for i, (name, volumes, reference) in enumerate(read_cases(arguments.data, arguments.cases, arguments.fold, model)):
        ways = {early_exit: measure(volumes, reference, session, early_exit) for early_exit in ((False, True) if i % 2 else (True, False))}
        pairs.append((ways[False], ways[True]))
        lines.append(row(name, *pairs[-1]))
        print(lines[-1], flush=True)
    lines.append(total(pairs))
    print(lines[-1])
    if arguments.output:
        arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
