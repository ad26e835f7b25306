"""Results and models in the words that the panels show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from BrainTumorSegLib import labels

if TYPE_CHECKING:
    from BrainTumorSegGUI.background import TaskState
    from BrainTumorSegLib.api import ModelInfo, Segmentation


def roleText(role: str) -> str:
    """What a user calls a role (see `labels.ROLES`)."""
    return {"t1": _("T1"), "t1ce": _("T1 with contrast"), "t2": _("T2"), "flair": _("FLAIR")}[role]


def resultText(result: Segmentation) -> str:
    """What was found, with volumes, and every warning on a line of its own."""
    return "\n".join([_foundText(result), *result.warnings])


def progressText(state: TaskState) -> str:
    """What is being done and how long it still takes."""
    if state.secondsLeft is None:
        return state.message
    return _("{message} (about {seconds} s left)").format(message=state.message, seconds=max(1, round(state.secondsLeft)))


def modelText(model: ModelInfo) -> str:
    """What a model needs and finds, and on what terms it may be used."""
    lines = [
        _("Needs: {inputs}").format(inputs=", ".join(map(roleText, model.inputs))),
        _("Finds: {labels}").format(labels=", ".join(label.name for label in labels.SCHEMES[model.scheme])),
        _("License: {license}. Research only, not a medical device.").format(license=model.license),
    ]
    return "\n".join(lines)


def missingText(model: ModelInfo, roles: set[str]) -> str:
    """Why a model cannot run on the chosen volumes, "" if it can."""
    missing = [roleText(role) for role in model.inputs if role not in roles]
    return _("Choose first: {roles}.").format(roles=", ".join(missing)) if missing else ""


def _foundText(result: Segmentation) -> str:
    if not result.found:
        return _("No tumor was found.")
    names = {label.key: label.name for label in labels.SCHEMES[result.scheme]}
    if result.volumes_ml is None:
        return _("Found: {labels}.").format(labels=", ".join(names.values()))
    parts = [f"{names[key]} {volume:.1f} mL" for key, volume in result.volumes_ml.items() if key in names]
    return _("Found: {parts}.").format(parts=", ".join(parts))
