"""What the volumes of the scene are taken for, why, and what is doubtful about a choice. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import slicer
import vtk
from slicer.i18n import tr as _

from BrainTumorSegGUI.grayValues import GUESS, answerOf, isAnswered
from BrainTumorSegGUI.resultUncertainty import UNCERTAINTY_ATTRIBUTE
from BrainTumorSegGUI.sentences import translated
from BrainTumorSegGUI.summary import roleText
from BrainTumorSegGUI.volumes import viewOfNode
from BrainTumorSegLib import api
from BrainTumorSegLib.api import InputError, RoleGuess

_TAGS = {
    "Modality": "0008,0060",
    "SeriesDescription": "0008,103E",
    "ProtocolName": "0018,1030",
    "ScanningSequence": "0018,0020",
    "ContrastBolusAgent": "0018,0010",
    "RepetitionTime": "0018,0080",
    "EchoTime": "0018,0081",
    "InversionTime": "0018,0082",
}
"""DICOM tags of `api.DICOM_KEYWORDS`."""
Question = tuple[slicer.vtkMRMLScalarVolumeNode, str]


def offeredVolumes() -> list[slicer.vtkMRMLScalarVolumeNode]:
    """The scalar volumes of the scene that a user sees, in the order of loading; no label maps, and nothing that a run has made."""
    return [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if _isOffered(node)]


def _isOffered(node: slicer.vtkMRMLScalarVolumeNode) -> bool:
    if node.GetClassName() != "vtkMRMLScalarVolumeNode" or node.GetHideFromEditors() or node.GetImageData() is None:
        return False
    return node.GetAttribute(UNCERTAINTY_ATTRIBUTE) is None


def proposedInputs(nodes: Iterable[slicer.vtkMRMLScalarVolumeNode]) -> dict[str, slicer.vtkMRMLScalarVolumeNode]:
    """Which of these volumes takes which role."""
    byId = {node.GetID(): node for node in nodes}
    return {role: byId[nodeId] for role, nodeId in api.assign_roles({nodeId: guessOf(node) for nodeId, node in byId.items()}).items()}


def guessOf(node: slicer.vtkMRMLScalarVolumeNode) -> RoleGuess:
    """What a volume is taken for by its name, its DICOM attributes or its gray values."""
    named = _named(node)
    if named.source:
        return named
    return answerOf(node, GUESS)


def isGuessed(node: slicer.vtkMRMLScalarVolumeNode) -> bool:
    """Whether `guessOf` answers at once: the name or DICOM tells, or the gray values were looked at."""
    return bool(_named(node).source) or isAnswered(node, GUESS)


def openQuestions(unknown: Iterable[slicer.vtkMRMLScalarVolumeNode], inputs: Mapping[str, slicer.vtkMRMLScalarVolumeNode]) -> list[Question]:
    """What has still to be asked about gray values (see `grayValues.lookAt`): what the unknown volumes are, and whether the chosen ones look like it."""
    asked = [(node, GUESS) for node in (*unknown, *inputs.values()) if not isGuessed(node)]
    asked += [(node, role) for role, node in inputs.items() if not isAnswered(node, role)]
    return [(node, question) for node, question in asked if node.GetImageData() is not None]


def dicomAttributes(node: slicer.vtkMRMLScalarVolumeNode) -> dict[str, str]:
    """DICOM values by keyword, read from the database that the volume was loaded from; empty where it was not."""
    uids = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    if not uids or getattr(slicer, "dicomDatabase", None) is None:
        return {}
    return {keyword: slicer.dicomDatabase.instanceValue(uids[0], tag) for keyword, tag in _TAGS.items()}


def _named(node: slicer.vtkMRMLScalarVolumeNode) -> RoleGuess:
    return api.guess_role(None, node.GetName(), dicomAttributes(node))


def reasonText(role: str, node: slicer.vtkMRMLScalarVolumeNode) -> str:
    """Why this volume stands in this place, as far as it is known (see `openQuestions`)."""
    if not isGuessed(node):
        return _("Looking at its gray values...")
    guess = guessOf(node)
    if guess.role != role:
        return _("Chosen by hand.")
    texts = {
        "name": _("Its name says so."),
        "dicom": _("DICOM says so: {detail}."),
        "appearance": _("Its gray values look most like it ({detail}); neither name nor DICOM tells."),
    }
    return texts[guess.source].format(detail=translated(guess.detail))


def warningTexts(role: str, inputs: Mapping[str, slicer.vtkMRMLScalarVolumeNode], used: Iterable[str]) -> list[str]:
    """What is doubtful about the volume chosen for a role, as far as it is known (see `openQuestions`).

    Args:
        inputs: all chosen volumes by role.
        used: the roles that the model reads; only their grids matter.
    """
    node = inputs[role]
    twice = [other for other in inputs if other != role and inputs[other] is node]
    texts = [_("It is chosen for {role} too.").format(role=roleText(other)) for other in twice]
    try:
        view = viewOfNode(node)
    except InputError as error:
        return [*texts, _("It cannot be read: {reason}").format(reason=translated(str(error)))]
    texts += _sequenceWarnings(role, node)
    texts += _sizeWarnings(view)
    if role in used:
        texts += _gridWarnings(view, inputs[api.reference_role(other for other in used if other in inputs)])
    return texts + _transformWarnings(node)


def _sequenceWarnings(role: str, node: slicer.vtkMRMLScalarVolumeNode) -> list[str]:
    guess = _named(node)
    if guess.source and guess.role is None:
        return [_("“{detail}” is no sequence that a model reads.").format(detail=translated(guess.detail))]
    if guess.source and guess.role != role:
        return [_("It seems to be {role}: “{detail}”.").format(role=roleText(guess.role), detail=translated(guess.detail))]
    doubt = answerOf(node, role) if isAnswered(node, role) else None
    said = translated(doubt) if doubt else ""
    return [f"{said[0].upper()}{said[1:]}."] if said else []  # it stands alone here; in the backend it may follow "warning:"


def _sizeWarnings(view: api.Volume) -> list[str]:
    size, spacing = api.unlikely_size_mm(view), api.unlikely_spacing_mm(view)
    texts = [_("Its voxels are {spacing:.3g} mm apart, which is unusual; check its spacing.").format(spacing=spacing)] if spacing is not None else []
    if size is not None:
        shown = " x ".join(f"{extent:.0f}" for extent in size)
        texts.append(_("It is {size} mm big, which is no usual size of a head; check its spacing.").format(size=shown))
    return texts


def _gridWarnings(view: api.Volume, reference: slicer.vtkMRMLScalarVolumeNode) -> list[str]:
    try:
        isMoved = not view.same_grid(viewOfNode(reference))
    except InputError:
        return []  # its own selector says why it cannot be read
    return [_("It lies on another grid than {name}: a copy resampled to that grid is segmented.").format(name=reference.GetName())] if isMoved else []


def _transformWarnings(node: slicer.vtkMRMLScalarVolumeNode) -> list[str]:
    transform = node.GetParentTransformNode()
    if transform is None:
        return []
    matrix = vtk.vtkMatrix4x4()
    if transform.IsTransformToWorldLinear() and transform.GetMatrixTransformToWorld(matrix) and matrix.IsIdentity():
        return []
    return [_("It is moved by {transform}: a copy is segmented where it lies now, the volume itself stays as it is.").format(transform=transform.GetName())]
