"""The scores of a comparison as a table node of the scene, and that table as a CSV file."""

from __future__ import annotations

import csv
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

import slicer
import vtk
from slicer.i18n import tr as _

from BrainTumorSegGUI.publish import PROVENANCE_PREFIX
from BrainTumorSegLib.api import InputError

if TYPE_CHECKING:
    from BrainTumorSegGUI.evaluation import Comparison
    from BrainTumorSegLib.api import Row

CSV_COLUMNS = ("class", "dice", "iou", "hd95_mm", "status", "volume_ml", "reference_volume_ml")
"""What the table's columns are called in a file, whatever the language of the application."""

DICE_COLUMN, IOU_COLUMN = 1, 2


def columnTitles() -> list[str]:
    return [_("Class"), _("Dice"), _("IoU"), _("HD95 (mm)"), _("Status"), _("Volume (mL)"), _("Reference volume (mL)")]


def tableFromComparison(comparison: Comparison) -> slicer.vtkMRMLTableNode:
    """A new table node with one row for each pair; an undefined distance is NaN, and the status says why."""
    names = comparison.prediction.name, comparison.reference.name
    tableNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", slicer.mrmlScene.GenerateUniqueName(f"{names[0]} vs {names[1]}"))
    rows = [(pair.name, *_values(row)) for pair, row in comparison.rows]
    for title, values in zip(columnTitles(), zip(*rows)):
        column = vtk.vtkStringArray() if isinstance(values[0], str) else vtk.vtkDoubleArray()
        column.SetName(title)
        for value in values:
            column.InsertNextValue(value)
        tableNode.AddColumn(column)
    for role, name in zip(("Segmentation", "Reference"), names):
        tableNode.SetAttribute(PROVENANCE_PREFIX + role, name)
    tableNode.SetUseColumnTitleAsColumnHeader(False)
    tableNode.SetLocked(True)  # scores are read, not typed
    return tableNode


def writeCsv(tableNode: slicer.vtkMRMLTableNode, path: Path) -> None:
    """Write a table of scores as UTF-8 CSV, one row for each pair; an undefined distance is an empty cell.

    Raises:
        InputError: the file cannot be written; what was there is kept.
    """
    both = [tableNode.GetAttribute(PROVENANCE_PREFIX + role) for role in ("Segmentation", "Reference")]
    cells = [[_text(tableNode, row, column) for column in range(len(CSV_COLUMNS))] for row in range(tableNode.GetNumberOfRows())]
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["segmentation", "reference", *CSV_COLUMNS])
            writer.writerows([*both, *row] for row in cells)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise InputError(
            _("{path} was not written ({reason}), but the scores need a file there; choose another folder").format(path=path, reason=error.strerror)
        ) from error


def _values(row: Row) -> tuple[float, float, float, str, float, float]:
    """Rounded to what can be told apart: the table view shows every digit that it is given."""
    distance = math.nan if row.hd95_mm is None else round(row.hd95_mm, 2)
    volumes = (round(row.scores[f"{side}_volume_ml"], 3) for side in ("prediction", "reference"))
    return round(row.dice, 4), round(row.iou, 4), distance, _statusText(row.status), *volumes


def _statusText(status: str) -> str:
    return {"ok": _("ok"), "both empty": _("both empty"), "missed": _("missed"), "false positive": _("false positive")}[status]


def _text(tableNode: slicer.vtkMRMLTableNode, row: int, column: int) -> str:
    array = tableNode.GetTable().GetColumn(column)
    if isinstance(array, vtk.vtkStringArray):
        return array.GetValue(row)
    return "" if math.isnan(array.GetValue(row)) else repr(array.GetValue(row))
