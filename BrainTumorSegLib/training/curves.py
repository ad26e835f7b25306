"""The curves of a run as one picture."""

from __future__ import annotations

import csv
from pathlib import Path

_FALSE_POSITIVES = (
    ("false_positive_rate", 100, "Validation: tumor-free slices marked, %"),
    ("false_et_ml", 1, "Validation: falsely enhancing in cases without, mL"),
)


def draw_curves(run: Path) -> Path:
    """Training loss, validation Dice (overall and by tumor type) and false positives against steps, from log.csv.

    Returns:
        curves.png in the run folder.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with (run / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    steps = [int(row["step"]) for row in rows]
    figure, (left, middle, right) = pyplot.subplots(1, 3, figsize=(13, 3.8), constrained_layout=True)
    left.plot(steps, [float(row["training_loss"]) for row in rows], "o-", color="#0072b2")
    left.set(title="Training loss (mean since last validation)", xlabel="step", ylim=(0, None))
    for key, color in zip([k for k in rows[0] if k == "dice" or k.startswith("dice_")], ("#000000", "#d55e00", "#0072b2", "#009e73")):
        middle.plot(steps, [_number(row[key]) for row in rows], "o-", label="all" if key == "dice" else key[5:], color=color)
    middle.set(title="Validation: mean Dice", xlabel="step", ylim=(0, 1))
    middle.legend(loc="lower right")
    key, factor, title = _FALSE_POSITIVES[0] if "false_positive_rate" in rows[0] else _FALSE_POSITIVES[1]
    right.plot(steps, [factor * _number(row[key]) for row in rows], "o-", color="#cc79a7")
    right.set(title=title, xlabel="step", ylim=(0, None))
    for axes in (left, middle, right):
        axes.grid(alpha=0.3)
    path = run / "curves.png"
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return path


def _number(cell: str) -> float:
    return float(cell or "nan")  # a validation without cases says nothing
