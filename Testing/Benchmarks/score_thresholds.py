"""Score `glioma-regions` at several thresholds on patients it was not trained on, whole cases and cubes apart.

    python -m Testing.Benchmarks.score_thresholds FILE.onnx --data DIR --fold N [--thresholds 0.3 0.4 0.5] [--lowest 0.2 --highest 0.4]
    python -m Testing.Benchmarks.score_thresholds FILE1.onnx FILE2.onnx --data DIR --fold 1 2 --cubes

FILE is of the run that kept fold N out; DIR holds the public set brats with its cubes. Of several files each is scored on the
fold at its place, and the table is of all. Three planes are averaged, every slice is run, nothing is cleaned up. --lowest adds
rows of a threshold chosen for each case (`inference.adaptive_threshold`). Prints a Markdown table: mean Dice of each nested region
over the cases that have it, how many are below 0.2, and false enhancing tumor where there is none. Whole cases take half a
minute each, which --cubes leaves out; cubes a tenth of a second.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from BrainTumorSegLib.data import glioma_cases
from BrainTumorSegLib.data.case_set import CHANNELS, REGION_KEYS, Case
from BrainTumorSegLib.export.release import onnx_maps
from BrainTumorSegLib.inference.adaptive_threshold import grow
from BrainTumorSegLib.inference.regions import nested_masks
from BrainTumorSegLib.training.recipes.glioma_regions import RECIPE
from BrainTumorSegLib.training.region_scores import RegionPredictor, case_maps, score_case

Threshold = float | tuple[float, float]
"""One for all cases, or the lowest and highest of one that is chosen for each."""
Scores = list[dict[str, float | None]]
_MISSED = 0.2


def score_thresholds(predict: RegionPredictor, cases: Iterable[Case], thresholds: Sequence[Threshold]) -> dict[Threshold, Scores]:
    """`score_case` of every case at every threshold."""
    scores: dict[Threshold, Scores] = {threshold: [] for threshold in thresholds}
    for case in cases:
        maps = case_maps(predict, case, tuple(RECIPE.planes), range(len(CHANNELS)))
        for threshold in thresholds:
            scores[threshold].append(score_case(_masks(maps, threshold, case.spacing_mm), case))
    return scores


def _masks(maps: np.ndarray, threshold: Threshold, spacing_mm: tuple[float, float, float]) -> np.ndarray:
    if isinstance(threshold, tuple):
        lowest, highest = threshold
        return grow(nested_masks(maps, highest), maps, highest, lowest, spacing_mm)
    return nested_masks(maps, threshold)


def table(kind: str, scores: Mapping[Threshold, Scores]) -> str:
    """One row a threshold: mean Dice (cases below 0.2) of each region and, of the cases without any, mean and most false mL."""
    numbers = [sum(case[key] is not None for case in next(iter(scores.values()))) for key in REGION_KEYS]
    heads = [f"{key} (n = {n})" for key, n in zip(REGION_KEYS, numbers)]
    lines = [f"| {kind}, threshold | {' | '.join(heads)} | false ET mL, mean, most |", f"|---|{'---|' * (len(heads) + 1)}"]
    for threshold, cases in scores.items():
        cells = []
        for key in REGION_KEYS:
            values = [value for case in cases if (value := case[key]) is not None]
            cells.append(f"{np.mean(values):.3f} ({sum(value < _MISSED for value in values)})" if values else "")
        false_ml = [value for case in cases if (value := case["false_et_ml"]) is not None]
        cells.append(f"{np.mean(false_ml):.2f}, {max(false_ml):.2f}" if false_ml else "")
        name = " to ".join(f"{end:g}" for end in (threshold if isinstance(threshold, tuple) else (threshold,)))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fold", type=int, nargs="+", required=True)
    parser.add_argument("--cache", type=Path, help="prepared cases of `train --cache`")
    parser.add_argument("--thresholds", type=float, nargs="+", default=[0.3, 0.35, 0.4, 0.45, 0.5, 0.6])
    parser.add_argument("--lowest", type=float, nargs="*", default=[])
    parser.add_argument("--highest", type=float, default=0.4)
    parser.add_argument("--cubes", action="store_true", help="no whole cases")
    arguments = parser.parse_args()
    if len(arguments.fold) != len(arguments.files):
        parser.error("every FILE needs the fold that it has not seen: give as many numbers to --fold as there are files.")
    with tempfile.TemporaryDirectory() as folder:
        cases = glioma_cases.load_cases(RECIPE.sets, arguments.data, arguments.cache or Path(folder) / "cases", lambda _, __: None)
    thresholds = [*arguments.thresholds, *((lowest, arguments.highest) for lowest in arguments.lowest)]
    for kind, whole in (("cubes", False), ("whole cases", True))[: 1 if arguments.cubes else 2]:
        scores: dict[Threshold, Scores] = {threshold: [] for threshold in thresholds}
        for file, fold in zip(arguments.files, arguments.fold):
            chosen = (case for case in cases if case.fold == fold and case.whole == whole)
            for threshold, found in score_thresholds(onnx_maps(file), chosen, thresholds).items():
                scores[threshold] += found
        print(table(f"{kind} of fold {', '.join(map(str, arguments.fold))}", scores), flush=True)
        print()


if __name__ == "__main__":
    main()
