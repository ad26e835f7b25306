"""`braintumorseg evaluate`: Dice, IoU and HD95 of segmentations against references."""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from BrainTumorSegLib.cli.progress_bar import ProgressBar
from BrainTumorSegLib.errors import InputError

NAME = "evaluate"
HELP = "score segmentations against references (Dice, IoU, HD95)"

_CASES_SHOWN = 20
_SHORT_CONVENTION = """Convention: on the reference's grid; HD95 is the larger of the two directed 95th percentiles of border distances.
Both masks empty: Dice 1, HD95 0; one empty: Dice 0, HD95 undefined. --json states it in full."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--prediction", type=Path, required=True, metavar="P", help="label map, or folder of label maps or PNG masks")
    parser.add_argument("--reference", type=Path, required=True, metavar="R", help="the same of the reference; in folders, files are matched by stem")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the tables")
    parser.add_argument("--csv", type=Path, metavar="F", help="also write every case and class as a row of this CSV file")


def run(arguments: argparse.Namespace) -> int:
    """Results to standard output, notices to standard error; returns the exit code.

    Raises:
        InputError: what cannot be compared, or a CSV file that cannot be written.
    """
    from BrainTumorSegLib.api import evaluate_files, summarize

    with ProgressBar() as bar:
        evaluations = evaluate_files(arguments.prediction, arguments.reference, bar)
    for evaluation in evaluations:
        for notice in evaluation.notices:
            print(f"notice: {evaluation.rows[0].case}: {notice}", file=sys.stderr)
    document = summarize(evaluations)
    if arguments.csv:
        write_csv(document["cases"], arguments.csv)
    print(json.dumps(document, indent=2, allow_nan=False) if arguments.json else as_text(document))
    return 0


def write_csv(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write the rows beside `path` and rename; an undefined value is an empty cell.

    Raises:
        InputError: the file cannot be written; nothing is left behind.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        beside.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}); choose a folder that exists, may be written to and has room") from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink()


def as_text(document: dict[str, Any]) -> str:
    """The document of `summarize` as aligned tables, with the convention and how the means were taken."""
    cases, summary = document["cases"], document["summary"]
    n = max(row["n"] for row in summary.values())
    unit = "px" if all("hd95_px" in row for row in summary.values()) else "mm"
    parts = []
    if n <= _CASES_SHOWN:
        cells = [[row["case"], row["class"], *_numbers(row, unit), row["status"]] for row in cases]
        parts.append(_table(["case", "class", "Dice", "IoU", f"HD95 {unit}", "status"], cells, text_columns=(0, 1, 5)))
    else:
        parts.append(f"{n} cases; --csv or --json lists each")
    if n > 1:
        cells = [[key, str(row["n"]), *_numbers(row, unit), str(row["hd95_undefined"]), *_pooled(row)] for key, row in summary.items()]
        heads = ["class", "n", "Dice", "IoU", f"HD95 {unit}", "undefined", "micro IoU", "mean IoU with background"]
        parts += [_table(heads, cells, text_columns=(0,)), _averaging(n)]
    return "\n\n".join([*parts, _SHORT_CONVENTION])


def _numbers(row: dict[str, Any], unit: str) -> list[str]:
    distance = row[f"hd95_{unit}"]
    return [f"{row['dice']:.4f}", f"{row['iou']:.4f}", "undefined" if distance is None else f"{distance:.2f}"]


def _pooled(row: dict[str, Any]) -> list[str]:
    return [f"{row['micro_iou']:.4f}", f"{row['mean_iou_with_background']:.4f}"]


def _averaging(n: int) -> str:
    return (
        f"Dice and IoU are means over {n} cases; HD95 is the mean over those in which it is defined, and 'undefined' counts the others "
        "(missed or false positive); the last two columns pool the voxels of all cases."
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Sequence[int]) -> str:
    """Columns two spaces apart, numbers to the right and words to the left."""
    lines = [list(heads), *[list(row) for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    aligned = [[cell.ljust(width) if column in text_columns else cell.rjust(width) for column, (cell, width) in enumerate(zip(line, widths))] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in aligned)
