"""Pieces that all tables share: how a row was made, the order of methods, Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from Testing.Benchmarks.results import Result, first, load, mean, values

CONDITIONS = ("n", "averaged", "width", "size", "epochs", "slices an epoch", "batch", "epoch chosen on", "started from", "trained on")


def conditions(result: Result | None) -> list[str]:
    """How a row was made, the same columns in every table."""
    if not result:
        return ["-"] * len(CONDITIONS)
    about = first(result)
    folds = sorted(result["folds"])
    n = int(sum(values(result, "n")))
    averaged = about["scores"]["averaged"] + (f"; mean of {len(folds)} folds" if len(folds) > 1 else f"; fold {folds[0]}")
    ran = sorted({fold["epochs_run"] for fold in result["folds"].values()})
    epochs = f"{ran[0]}" if len(ran) == 1 else f"{ran[0]}-{ran[-1]}"
    limit = f"{epochs} of {about['epochs']}"
    slices = f"{drawn} of {about['n_training']}" if (drawn := result["recipe"]["slices_per_epoch"]) else f"all {about['n_training']}"
    size = [f"{about['width']:g}", f"{about['size']} px"]
    batch = str(result["recipe"]["batch"])
    return [str(n), averaged, *size, limit, slices, batch, about["chosen_on"], about["started_from"], about["trained_on"]]


def best(rows: dict[str, str], recipe: str, path: tuple[str, ...], results: Path) -> dict[str, float | None]:
    """Row -> our score at the widest size that was trained."""
    found = {row: load(recipe, variant, results=results) for row, variant in rows.items()}
    return {row: mean(runs[0], *path) if runs else None for row, runs in found.items()}


def order_sentence(metric: str, paper: dict[str, float], ours: dict[str, float | None]) -> str:
    """One sentence on whether our order of methods is the paper's."""
    trained = {row: value for row, value in ours.items() if value is not None}
    if len(trained) < 2:
        return f"Order by {metric}: the paper has {_ranked(paper)}; of ours too few rows have been run to compare."
    theirs = _ranked({row: paper[row] for row in trained})
    mine = _ranked(trained)
    verdict = "ours is the same" if mine == theirs else f"ours differs: {mine}"
    return f"Order by {metric} of the rows that were run: the paper has {theirs}; {verdict}."


def rise_sentence(rows: dict[str, str], recipe: str, results: Path) -> str:
    """One sentence on how far training had come: Dice of the training slices in the last two epochs of each row's widest run, mean over folds."""
    rises = []
    for row, variant in rows.items():
        logs = [log for run in load(recipe, variant, results=results)[:1] for log in run["logs"].values() if len(log) > 1]
        if logs:
            before, last = (sum(float(log[i]["training_dice"]) for log in logs) / len(logs) for i in (-2, -1))
            rises.append(f"{row} {before:.3f} and {last:.3f}")
    if not rises:
        return ""
    return f"Pooled Dice of the training slices in the last two epochs: {', '.join(rises)}. A row that still rises fast has not shown what it can do."


def _ranked(scores: dict[str, float]) -> str:
    return " > ".join(sorted(scores, key=lambda row: -scores[row]))


def section(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *notes: str) -> str:
    return "\n".join([f"## {title}\n", markdown(header, rows), "", "\n\n".join(filter(None, notes)), ""])


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [header, ["---"] * len(header), *rows])
