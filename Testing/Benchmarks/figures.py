"""The papers' figures redrawn from our runs.

    python -m Testing.Benchmarks.figures [RUN ...] [-o DIR]

From the stored results (see `tables`): loss and IoU curves of A's four variants in one plot, B's training curves. From run
folders, of one fold each: the same cases segmented by every variant beside the reference, for A, C and D (and B).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from Testing.Benchmarks.published import CLASSES_C, PAPER_A, PAPER_B, PAPER_D, ROWS_C
from Testing.Benchmarks.results import RESULTS, Result, load

_NAMES: dict[str, dict[str, str]] = {
    "paper-a": {variant: row for (row, variant, precision) in PAPER_A if precision == "fp32"},
    "paper-b": {variant: row[0] for variant, row in PAPER_B.items()},
    "paper-c": ROWS_C,
    "paper-d": {variant: row[0] for variant, row in PAPER_D.items()},
}
_COLORS = ("#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7")
_LABEL_COLORS = {1: (0, 114, 178), 2: (240, 228, 66), 3: (213, 94, 0)}
_TUMOR_COLOR = (230, 159, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*", metavar="RUN")
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_name("figures"), metavar="DIR")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for path in all_figures(arguments.runs, arguments.output, RESULTS):
        print(path)


def all_figures(runs: list[Path], output: Path, results: Path) -> list[Path]:
    """Every figure that there are results or runs for."""
    paths = []
    for recipe, names in _NAMES.items():
        stored = {row: found[0] for variant, row in names.items() if (found := load(recipe, variant, results=results))}
        if stored and recipe in ("paper-a", "paper-b"):
            paths.append(draw_curves(stored, output / f"{recipe}-curves.png", "mean_iou" if recipe == "paper-a" else "dice"))
    by_recipe: dict[str, dict[str, Path]] = {}
    for run in runs:
        about = json.loads((run / "scores.json").read_text())
        name = _NAMES[about["recipe"]][about["variant"]] + (" + CLAHE" if about["clahe"] else "")
        by_recipe.setdefault(f"{about['recipe']}-fold{about['fold']}", {})[name] = run
    return paths + [draw_cases(folders, output / f"{name}-cases.png") for name, folders in by_recipe.items()]


def draw_curves(stored: dict[str, Result], path: Path, key: str) -> Path:
    """Loss and `key` of every row in one plot, training dashed and validation solid; the first fold's where there are several."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(12, 4.5), constrained_layout=True)
    for (row, result), color in zip(stored.items(), _COLORS):
        log = result["logs"][min(result["logs"])]
        for axes, column in zip(panels, ("loss", key)):
            for part, style in (("training", "--"), ("validation", "-")):
                points = [(int(line["epoch"]), float(line[f"{part}_{column}"])) for line in log if line[f"{part}_{column}"]]
                axes.plot(*zip(*points), style, color=color, label=f"{row}, {part}", linewidth=1.3)
    for axes, title in zip(
        panels, ("Loss", {"mean_iou": "Mean IoU of background and tumor, all pixels pooled", "dice": "Dice of the tumor, all pixels pooled"}[key])
    ):
        axes.set(title=title, xlabel="epoch")
        axes.grid(alpha=0.3)
    panels[1].set_ylim(0, 1)
    panels[1].legend(fontsize=8)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return path


def draw_cases(runs: dict[str, Path], path: Path) -> Path:
    """One row a slice: image, reference, then every run's prediction with its Dice over all labels."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.patches import Patch

    shown = {name: _load_shown(run) for name, run in runs.items()}
    first = next(iter(shown.values()))
    rows, columns = len(first["case"]), 2 + len(shown)
    figure, panels = pyplot.subplots(rows, columns, figsize=(2 * columns, 2.1 * rows), constrained_layout=True, squeeze=False)
    for axes in panels.ravel():
        axes.axis("off")
    for i in range(rows):
        background, reference = _gray(first["images"][i]), first["labels"][i]
        panels[i, 0].imshow(background)
        panels[i, 0].set_title(f"{first['kind'][i]} {first['case'][i]}"[:32], fontsize=7)
        panels[i, 1].imshow(_painted(background, reference))
        panels[i, 1].set_title("reference", fontsize=7)
        for axes, (name, one) in zip(panels[i, 2:], shown.items()):
            if one["case"].tolist() != first["case"].tolist():
                raise SystemExit(f"{runs[name]} shows other slices than the first run; give runs of one fold and one set")
            axes.imshow(_painted(background, one["predicted"][i]))
            axes.set_title(f"{name}: {_dice(one['predicted'][i], reference):.2f}", fontsize=7)
    if first["labels"].max() > 1:
        patches = [Patch(color=[c / 255 for c in _LABEL_COLORS[label]], label=key) for label, key in enumerate(CLASSES_C, 1)]
        figure.legend(handles=patches, loc="outside lower center", ncols=len(patches), fontsize=8)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return path


def _load_shown(run: Path) -> dict[str, Any]:
    with np.load(run / "shown.npz", allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def _gray(channels: np.ndarray) -> np.ndarray:
    """The channel that shows most of the tumor, as a picture: the first (T1ce, FLAIR) or, of three, the second (FLAIR)."""
    channel = channels[1 if len(channels) == 3 else 0]
    low, high = np.percentile(channel, (1, 99.5))
    gray = np.clip((channel - low) / max(high - low, 1e-6), 0, 1) * 255
    return np.repeat(gray[..., None], 3, 2).astype(np.uint8)


def _painted(background: np.ndarray, labels: np.ndarray) -> np.ndarray:
    colors = _LABEL_COLORS if labels.max() > 1 else {1: _TUMOR_COLOR}
    picture = background.astype(float)
    for value, color in colors.items():
        picture[labels == value] = 0.5 * picture[labels == value] + 0.5 * np.array(color)
    return picture.astype(np.uint8)


def _dice(predicted: np.ndarray, reference: np.ndarray) -> float:
    """Share of the labeled pixels of both that agree in their label."""
    both = int(((predicted == reference) & (reference > 0)).sum())
    total = int((predicted > 0).sum() + (reference > 0).sum())
    return 2 * both / total if total else 1.0


if __name__ == "__main__":
    main()
