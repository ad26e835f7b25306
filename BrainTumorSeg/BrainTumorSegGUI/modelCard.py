"""Which model runs on what is chosen, and what a user should know of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from slicer.i18n import tr as _

from BrainTumorSegGUI.summary import roleText
from BrainTumorSegGUI.volumes import viewOfNode
from BrainTumorSegLib import api, labels
from BrainTumorSegLib.api import InputError

if TYPE_CHECKING:
    import slicer

    from BrainTumorSegLib.api import ModelInfo


def problemText(model: ModelInfo, inputs: Mapping[str, slicer.vtkMRMLScalarVolumeNode]) -> str:
    """Why a model cannot run on the chosen volumes, "" if it can."""
    if not model.size_mb:
        return _("its file is missing; install the extension again")
    missing = [roleText(role) for role in model.missing(inputs)]
    if missing:
        return _("needs {roles}").format(roles=_needsText(model) if model.any_inputs else ", ".join(missing))
    return ""


def chosenModel(models: Iterable[ModelInfo], name: str, inputs: Mapping[str, slicer.vtkMRMLScalarVolumeNode]) -> ModelInfo | None:
    """The model called `name`; without a name, or where it is not installed, the best one for these volumes, else the first."""
    models = list(models)
    named = [model for model in models if model.name == name]
    if named:
        return named[0]
    able = [model for model in models if not problemText(model, inputs)]
    return api.best_model(_views(inputs), able) if able else next(iter(models), None)


def _views(inputs: Mapping[str, slicer.vtkMRMLScalarVolumeNode]) -> dict[str, object]:
    views: dict[str, object] = {}
    for role, node in inputs.items():
        try:
            views[role] = viewOfNode(node)
        except InputError:
            views[role] = None  # its selector says why
    return views


def cardText(model: ModelInfo) -> str:
    """What a model needs and finds, how well, how big it is, and on what terms it may be used, as rich text."""
    rows = {
        _("Needs"): _needsText(model),
        _("Finds"): ", ".join(label.name for label in labels.SCHEMES[model.scheme]),
        _("Scores"): scoreText(model.scores),
        _("Size"): _("{size:.1f} MB, {precision}").format(size=model.size_mb, precision=model.precision),
        _("License"): model.license,
    }
    lines = "".join(f"<tr><td><b>{escape(name)}</b>&nbsp;&nbsp;</td><td>{escape(text)}</td></tr>" for name, text in rows.items())
    return f"<p>{escape(model.task)}</p><table>{lines}</table><p><i>{escape(_('Research only, not a medical device.'))}</i></p>"


def _needsText(model: ModelInfo) -> str:
    roles = ", ".join(map(roleText, model.inputs))
    return _("any of {roles}").format(roles=roles) if model.any_inputs else roles


def detailText(model: ModelInfo) -> str:
    """What only some want to know: the network, the data it learned from and was tested on, and the terms in full."""
    rows = [
        _("Network: {network}").format(network=model.network),
        _("Tested on: {split}").format(split=model.scores.get("split") or _("not said")),
        *(_("Learned from: {what} ({license})").format(what=part["what"], license=part["license"]) for part in model.training_data),
        _("Not learned from, unless it is said above: children, brains after surgery or radiation, other diseases, CT."),
        model.license_note,
    ]
    return "<br>".join(map(escape, rows))


def scoreText(scores: Mapping[str, Any]) -> str:
    """Dice as measured on the shipped file, for each kind or class where that is known, and on how many cases."""
    if "dice" not in scores:
        return _("not measured")
    kinds = scores.get("dice_by_kind")
    shown = _("Dice {value}").format(value=_listed(scores["dice"])) + (f" ({_listed(kinds)})" if kinds else "")
    return shown + (", " + _("n = {count}").format(count=scores["n"]) if "n" in scores else "")


def _listed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_listed(inner)}" for name, inner in value.items())
    return f"{value:.3f}" if isinstance(value, float) else str(value)
