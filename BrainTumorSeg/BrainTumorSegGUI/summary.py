"""Results and progress in the words that the panels show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from BrainTumorSegGUI.sentences import translated
from BrainTumorSegLib import labels

if TYPE_CHECKING:
    from BrainTumorSegGUI.background import TaskState
    from BrainTumorSegLib.api import Segmentation


def roleText(role: str) -> str:
    """What a user calls a role (see `labels.ROLES`)."""
    return {"t1": _("T1"), "t1ce": _("T1 with contrast"), "t2": _("T2"), "flair": _("FLAIR")}[role]


def resultText(result: Segmentation) -> str:
    """What was found, with volumes, and every warning on a line of its own."""
    return "\n".join([_foundText(result), *map(translated, result.warnings)])


def progressText(state: TaskState) -> str:
    """What is being done and how long it still takes."""
    message = translated(state.message)
    if state.secondsLeft is None:
        return message
    return _("{message} (about {seconds} s left)").format(message=message, seconds=max(1, round(state.secondsLeft)))


def _foundText(result: Segmentation) -> str:
    if not result.found:
        return _("No tumor was found.")
    names = {label.key: label.name for label in labels.SCHEMES[result.scheme]}
    if result.volumes_ml is None:
        return _("Found: {labels}.").format(labels=", ".join(names.values()))
    parts = [f"{names[key]} {volume:.1f} mL" for key, volume in result.volumes_ml.items() if key in names]
    return _("Found: {parts}.").format(parts=", ".join(parts))
