"""System C's tables: class by class, fold by fold, large and small tumors, with and without CLAHE.

Networks are compared on the folds that all of them were trained on: the cases of one fold may be harder than another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from Testing.Benchmarks.published import CLASSES_C, PAPER_C, PAPER_C_FOLDS, PAPER_C_LARGE, PAPER_C_SMALL, ROWS_C, TITLES
from Testing.Benchmarks.results import Result, load, shown, values, with_deviation
from Testing.Benchmarks.table_commands import commands
from Testing.Benchmarks.table_text import CONDITIONS, conditions, markdown, order_sentence, section

Row = tuple[str, str, bool, Result | None]
"""Name, variant, whether with CLAHE, result where it was run."""
_NOT_APPLICABLE = "not applicable"
_NOTES = """Dice in % and HD95 in mm, in 3-D per case, mean over the cases that have the class, then mean ± deviation over folds. A class that is absent
from the reference is "not applicable"; a class that was missed has no HD95, and how many is said in brackets. The paper prints the means
of its own network only. Ours are 39 cases in five folds, the paper's 204 of which most have no public masks. Rows are compared on the
folds that all of them were trained on; one that was trained on more has a second row for all of its folds."""


def table_c(results: Path) -> str:
    """All tables of the paper."""
    trained = _trained(results)
    compared = _compared(trained)
    parts = [
        section(TITLES["paper-c"], *_means(_compared_and_whole(compared, trained)), _NOTES),
        commands("paper-c", [(variant, clahe) for variant in ROWS_C for clahe in (False, True)], results) + "\n",
        "### Fold by fold, ResSE-LKA-UNet\n\n" + _folds(trained),
        "### Large and small tumors of the same folds\n\nLarge: not smaller than the median of the fold's cases.\n\n" + _sizes(compared),
        "### Single cases\n\nDice of NCR / ED / ET. The paper's cases are not known by name: ours are the largest three of the larger half "
        "of the same folds' tumors, and the smallest five of the smaller half.\n\n" + _cases(compared),
    ]
    return "\n".join(parts)


def _trained(results: Path) -> list[Row]:
    """Every row, with all that is stored of it."""
    rows: list[Row] = []
    for variant, name in ROWS_C.items():
        for clahe in (False, True):
            found = load("paper-c", variant, clahe, results) or [None]
            rows += [(f"{name}, {'with' if clahe else 'without'} CLAHE", variant, clahe, result) for result in found]
    return rows


def _compared(rows: list[Row]) -> list[Row]:
    """The same rows, of each only the folds that all have; whole where they have none in common."""
    trained = [set(result["folds"]) for *_, result in rows if result]
    shared = set.intersection(*trained) if trained else set()
    return [(name, variant, clahe, _of_folds(result, shared) if result and shared else result) for name, variant, clahe, result in rows]


def _of_folds(result: Result, folds: set[str]) -> Result:
    return {**result, "folds": {fold: scores for fold, scores in result["folds"].items() if fold in folds}}


def _compared_and_whole(compared: list[Row], trained: list[Row]) -> list[Row]:
    """The rows that are compared, and below those that were trained on more folds the same over all of them."""
    rows: list[Row] = []
    for part, (name, variant, clahe, whole) in zip(compared, trained):
        rows.append(part)
        if whole and part[-1] and len(whole["folds"]) > len(part[-1]["folds"]):
            rows.append((f"{name}, all {len(whole['folds'])} folds", variant, clahe, whole))
    return rows


def _means(shown_rows: list[Row]) -> tuple[list[str], list[list[str]]]:
    header = ["model", *[f"paper: {key}" for key in CLASSES_C], *[f"ours: {key}" for key in CLASSES_C]]
    header += [*[f"paper: HD95 {key}" for key in CLASSES_C], *[f"ours: HD95 {key}" for key in CLASSES_C], "cases without the class", *CONDITIONS]
    rows = []
    for name, variant, _, result in shown_rows:
        own = variant == "resse-lka"
        theirs = [f"{PAPER_C[key][0]} ± {PAPER_C[key][1]}" if own else "-" for key in CLASSES_C]
        distances = [f"{PAPER_C[key][2]} ± {PAPER_C[key][3]}" if own else "-" for key in CLASSES_C]
        rows.append([name, *theirs, *_dice(result, "classes"), *distances, *_hd95(result), _absent(result), *conditions(result)])
    return header, rows


def _dice(result: Result | None, *path: str) -> list[str]:
    if result is None:
        return ["not run", "-", "-"]
    return [with_deviation(values(result, *path, key, "dice"), 2, 100) for key in CLASSES_C]


def _hd95(result: Result | None) -> list[str]:
    if result is None:
        return ["-"] * 3
    cells = []
    for key in CLASSES_C:
        missed = int(sum(values(result, "classes", key, "hd95_undefined")))
        cells.append(with_deviation(values(result, "classes", key, "hd95_mm"), 2) + (f" ({missed} missed)" if missed else ""))
    return cells


def _absent(result: Result | None) -> str:
    if result is None:
        return "-"
    return ", ".join(f"{key} {int(sum(values(result, 'classes', key, 'not_applicable')))}" for key in CLASSES_C)


def _folds(trained: list[Row]) -> str:
    header = ["fold", *[f"paper: {key}" for key in CLASSES_C], *[f"paper: HD95 {key}" for key in CLASSES_C], "CLAHE"]
    rows = []
    for fold, (dice, hd95) in PAPER_C_FOLDS.items():
        theirs = [*[shown(value, 2) for value in dice], *[shown(value, 2) for value in hd95]]
        for _, variant, clahe, result in trained:
            if variant == "resse-lka":
                scores = (result or {"folds": {}})["folds"].get(str(fold))
                rows.append([str(fold), *theirs, "with" if clahe else "without", *_one_fold(scores)])
    return markdown([*header, *[f"ours: {key}" for key in CLASSES_C], *[f"ours: HD95 {key}" for key in CLASSES_C]], rows) + "\n"


def _one_fold(fold: dict[str, Any] | None) -> list[str]:
    if fold is None:
        return ["not run", *["-"] * 5]
    classes = fold["scores"]["classes"]
    return [*[shown(classes[key]["dice"], 2, 100) for key in CLASSES_C], *[shown(classes[key]["hd95_mm"], 2) for key in CLASSES_C]]


def _sizes(compared: list[Row]) -> str:
    rows = []
    for name, _, _, result in compared:
        for size in ("large", "small"):
            n = str(int(sum(values(result, size, "n")))) if result else "-"
            rows.append([name, size, n, *_dice(result, size, "classes")])
    return markdown(["model", "tumors", "n", *CLASSES_C], rows) + "\n"


def _cases(compared: list[Row]) -> str:
    """The paper's Tables 4 and 5, below each our cases, and whether they put the methods in the same order."""
    runs: dict[str, Result] = {}
    for _, variant, clahe, run in compared:
        if run and not clahe:
            runs.setdefault(variant, run)  # the widest one
    cases = {variant: {case["case"]: case for fold in run["folds"].values() for case in fold["scores"]["cases"]} for variant, run in runs.items()}
    rows: list[list[str]] = []
    chosen: list[str] = []
    for title, published, count, largest in (("large", PAPER_C_LARGE, 3, True), ("small", PAPER_C_SMALL, 5, False)):
        for case, dice in published.items():
            rows.append(["paper", title, case, "-", *[_triple(dice[variant]) for variant in ROWS_C]])
        ours = _by_size(cases, count, largest)
        rows += [["ours", title, name, f"{ml:.1f}", *[_case_cell(cases.get(variant, {}).get(name)) for variant in ROWS_C]] for name, ml in ours.items()]
        rows += [] if ours else [["ours", title, "not run", "-", "-", "-", "-"]]
        chosen += ours
    table = markdown(["whose", "tumors", "case", "mL", *ROWS_C.values()], rows)
    return f"{table}\n\n{_order(cases, chosen)}\n"


def _by_size(cases: dict[str, dict[str, Any]], count: int, largest: bool) -> dict[str, float]:
    """mL of the `count` largest tumors of the larger half, or smallest of the smaller one: no case is both."""
    known = {name: case["tumor_ml"] for rows in cases.values() for name, case in rows.items()}
    names = sorted(known, key=lambda name: (known[name], name))
    half = names[len(names) // 2 :][::-1] if largest else names[: len(names) // 2]
    return {name: known[name] for name in half[:count]}


def _order(cases: dict[str, dict[str, Any]], names: list[str]) -> str:
    published = [*PAPER_C_LARGE.values(), *PAPER_C_SMALL.values()]
    means = {row: _mean_of([value for dice in published for value in dice[variant]]) for variant, row in ROWS_C.items()}
    paper = {row: value for row, value in means.items() if value is not None}
    ours = {
        row: _mean_of([cases[variant][name]["classes"][key]["dice"] for name in names for key in CLASSES_C]) if variant in cases else None
        for variant, row in ROWS_C.items()
    }
    return order_sentence("mean Dice of these cases and classes", paper, ours)


def _mean_of(values: Sequence[float | None]) -> float | None:
    """Mean of those that are applicable."""
    applicable = [value for value in values if value is not None]
    return float(np.mean(applicable)) if applicable else None


def _case_cell(case: dict[str, Any] | None) -> str:
    return "not run" if case is None else _triple([case["classes"][key]["dice"] for key in CLASSES_C])


def _triple(dice: Sequence[float | None]) -> str:
    return " / ".join(_NOT_APPLICABLE if value is None else f"{value:.3f}" for value in dice)
