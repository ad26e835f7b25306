"""3D Slicer's terminology list (`.term.json`) made from `labels`, so that a segment can be re-coded in Slicer's own selector.

Slicer's built-in lists have no enhancing tumor, and offer hundreds of codes where this extension needs four.
The format is that of dcmqi: https://github.com/QIICR/dcmqi/blob/master/doc/schemas/segment-context-schema.json
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from BrainTumorSegLib.labels import REGIONS, SCHEMES, Code, Label, Region

CONTEXT_NAME = "BrainTumorSeg brain tumors"
FILE_NAME = "BrainTumorSeg.term.json"
_SCHEMA = "https://raw.githubusercontent.com/qiicr/dcmqi/master/doc/segment-context-schema.json#"


def terminology() -> dict[str, Any]:
    """The document: one category for each category code of `labels`, and in it one type for each type code.

    Labels and regions that share a type code share an entry, because Slicer finds an entry by its code; the first of them gives the color.
    """
    labels: list[Label | Region] = [part for table in (SCHEMES, REGIONS) for parts in table.values() for part in parts]
    categories = {label.category: [other for other in labels if other.category == label.category] for label in labels}
    entries = [{**_coded(category), "showAnatomy": True, "Type": _types(members)} for category, members in categories.items()]
    return {"SegmentationCategoryTypeContextName": CONTEXT_NAME, "@schema": _SCHEMA, "SegmentationCodes": {"Category": entries}}


def write_terminology(folder: Path) -> Path:
    """Write the document into a folder and return its path; run this after a change of `labels`."""
    path = folder / FILE_NAME
    path.write_text(terminology_text(), encoding="utf-8", newline="\n")
    return path


def terminology_text() -> str:
    """The document as the file holds it, with LF line ends."""
    return json.dumps(terminology(), indent=2) + "\n"


def _types(labels: Iterable[Label | Region]) -> list[dict[str, Any]]:
    first_of_code: dict[Code, Label | Region] = {}
    for label in labels:
        first_of_code.setdefault(label.type, label)
    return [{**_coded(code), "3dSlicerLabel": label.key, "recommendedDisplayRGBValue": list(label.color)} for code, label in first_of_code.items()]


def _coded(code: Code) -> dict[str, str]:
    return {"CodeMeaning": code.meaning, "CodingSchemeDesignator": code.scheme, "CodeValue": code.value}
