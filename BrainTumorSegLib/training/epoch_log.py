"""log.csv of a run by epochs, and its curves as one picture."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any


def write_row(path: Path, row: dict[str, Any]) -> None:
    """Add the row of an epoch; rows of epochs that are done again are replaced."""
    rows = [old for old in read_rows(path) if int(old["epoch"]) < row["epoch"]]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerows([*rows, row])


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows written so far, as text; cells of epochs that were not validated are empty."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def series(rows: list[dict[str, str]], key: str) -> tuple[list[int], list[float]]:
    """(epochs, values) of a column, empty cells left out."""
    there = [row for row in rows if row[key] != ""]
    return [int(row["epoch"]) for row in there], [float(row[key]) for row in there]


def draw_epoch_curves(run: Path) -> Path:
    """Loss, Dice and mean IoU of training and validation against epochs, from log.csv.

    Returns:
        curves.png in the run folder.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = read_rows(run / "log.csv")
    figure, panels = pyplot.subplots(1, 3, figsize=(13, 3.8), constrained_layout=True)
    titles = {"loss": "Loss", "dice": "Dice, all pixels pooled, without background", "mean_iou": "Mean IoU, all pixels pooled, with background"}
    for axes, (key, title) in zip(panels, titles.items()):
        for part, color in (("training", "#0072b2"), ("validation", "#d55e00")):
            axes.plot(*series(rows, f"{part}_{key}"), "o-", label=part, color=color, markersize=3)
        axes.set(title=title, xlabel="epoch", ylim=(0, None if key == "loss" else 1))
        axes.grid(alpha=0.3)
        axes.legend()
    path = run / "curves.png"
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
    return path
