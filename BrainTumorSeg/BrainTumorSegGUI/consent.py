"""The license of a model's weights, shown before its first use; the answer is remembered in the application settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

if TYPE_CHECKING:
    import qt

    from BrainTumorSegLib.api import ModelInfo

_SETTINGS_KEY = "BrainTumorSeg/AcceptedLicense/"


def confirmLicense(model: ModelInfo, settings: qt.QSettings) -> bool:
    """True where the user accepts, or has accepted, this license for this model; a changed license asks again."""
    key = _SETTINGS_KEY + model.name
    if settings.value(key) == model.license or slicer.app.testingEnabled():  # nobody is there to answer, and nothing is stored in a user's name
        return True
    if not slicer.util.confirmOkCancelDisplay(licenseText(model), windowTitle=_("License of the model")):
        return False
    settings.setValue(key, model.license)
    return True


def licenseText(model: ModelInfo) -> str:
    """What the user is asked to accept."""
    return "\n\n".join(
        [
            _("{title} is for research only. It is not a medical device, and its results need a reader's check.").format(title=model.title),
            _("The weights are licensed under: {license}.").format(license=model.license),
            model.license_note,
            _("Press OK to accept this and to use the model."),
        ]
    )
