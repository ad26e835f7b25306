"""A case's masks and images in the corrected folder, laid out as `io.case_folder` says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.atomic import writing
from BrainTumorSegLib.io.case_folder import AI_RESULT, DETAILS, SEGMENTATION, UNCERTAINTY, image_file
from BrainTumorSegLib.io.images import Output, read_label_volume, read_volume, write_all
from BrainTumorSegLib.labels import SCHEMES
from BrainTumorSegLib.volume import Volume


@dataclass(frozen=True)
class CorrectedCase:
    """What is kept of one case.

    Attributes:
        labels: the mask as it is now, of `scheme`.
        ai: the mask as the model made it, or None. uncertainty: entropy in [0, 1], or None.
        images: by role; empty when they are read back, for they are opened from where they came.
        details: what the case queue wants to find again (provenance, reviewed slices); JSON values.
    """

    labels: Volume
    scheme: str
    ai: Volume | None = None
    uncertainty: Volume | None = None
    images: Mapping[str, Volume] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)


def save_corrected(folder: str | Path, case: str, content: CorrectedCase) -> None:
    """Write a case's files: all of them or none. An image that is there already is left as it is; a mask that is there is replaced.

    Raises:
        InputError: a file cannot be written.
    """
    place = Path(folder) / case
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{place} cannot be made ({error.strerror}), but the corrected mask belongs there; choose another folder") from error
    new = {image_file(role): volume for role, volume in content.images.items() if not (place / image_file(role)).exists()}
    new |= {name: volume for name, volume in ((AI_RESULT, content.ai), (UNCERTAINTY, content.uncertainty)) if volume is not None}
    outputs = [Output(place / name, volume) for name, volume in new.items()]
    # The details first: a mask without its scheme cannot be read, a scheme without its mask can.
    with writing(place / DETAILS) as beside:
        beside.write_text(json.dumps({"scheme": content.scheme, **content.details}, indent=1) + "\n", encoding="utf-8")
    write_all([*outputs, Output(place / SEGMENTATION, content.labels)])


def is_corrected(folder: str | Path, case: str) -> bool:
    """Whether a mask of the case is kept."""
    return (Path(folder) / case / SEGMENTATION).is_file()


def read_corrected(folder: str | Path, case: str) -> CorrectedCase | None:
    """What was kept of a case, without its images; None where there is nothing yet.

    Raises:
        InputError: a file is damaged, or case.json names no scheme.
    """
    place = Path(folder) / case
    if not is_corrected(folder, case):
        return None
    details = _details(place / DETAILS)
    ai, uncertainty = place / AI_RESULT, place / UNCERTAINTY
    return CorrectedCase(
        labels=read_label_volume(place / SEGMENTATION),
        scheme=details.pop("scheme"),
        ai=read_label_volume(ai) if ai.is_file() else None,
        uncertainty=read_volume(uncertainty) if uncertainty.is_file() else None,
        details=details,
    )


def _details(path: Path) -> dict[str, Any]:
    try:
        details = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}), but it tells what the values of the mask mean; restore it or remove its folder") from error
    if not isinstance(details, dict) or details.get("scheme") not in SCHEMES:
        raise InputError(f"{path} names no scheme, but it tells what the values of the mask mean; its scheme is one of {', '.join(SCHEMES)}")
    return details
