"""What the gray values of volumes look like: measured on a part of them, and kept as long as nobody touches the voxels. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import slicer

from BrainTumorSegGUI.volumes import viewOfNode
from BrainTumorSegLib import api
from BrainTumorSegLib.api import RoleGuess, Volume

GUESS = "guess"
"""Asks what a volume looks like at all; a role asks what is doubtful about it in this role."""
_THIS = "this volume"
"""What a doubt calls it: it stands beside its selector, and may be renamed after it was looked at."""
_SAMPLES = 80
"""Voxels along an axis, from which the backend itself leaves out the others: the answer is the same."""
_answers: dict[tuple[str, int, str], Any] = {}
"""By node ID, modification time of its image, and question; some hundred bytes a volume."""


@dataclass(frozen=True)
class Look:
    """A question about some voxels of a volume, which are copies: it may be answered in a thread.

    Attributes:
        key: of the volume as it is now, and the question.
        sample: its voxels.
    """

    key: tuple[str, int, str]
    sample: Volume

    def answer(self) -> Any:
        """`api.RoleGuess`, or what `api.gray_doubt` says, in English."""
        question = self.key[-1]
        return api.guess_role(self.sample, "") if question == GUESS else api.gray_doubt(self.sample.array, question, _THIS)

    @property
    def noAnswer(self) -> Any:
        """What is said where nothing can be."""
        return RoleGuess(None, "", "", 0.0) if self.key[-1] == GUESS else None

    def keep(self, answer: Any) -> None:
        """Answer `answerOf` with this from now on."""
        _answers[self.key] = answer


def lookAt(node: slicer.vtkMRMLScalarVolumeNode, question: str) -> Look:
    """A question about a volume, with copies of the voxels that it needs.

    Raises:
        InputError: see `volumes.viewOfNode`.
    """
    view = viewOfNode(node)
    part = view.array[tuple(slice(None, None, max(1, length // _SAMPLES)) for length in view.array.shape)]
    return Look(_key(node, question), Volume(part.copy(), name=view.name))


def isAnswered(node: slicer.vtkMRMLScalarVolumeNode, question: str) -> bool:
    """Whether `answerOf` answers at once."""
    return _key(node, question) in _answers


def answerOf(node: slicer.vtkMRMLScalarVolumeNode, question: str) -> Any:
    """The answer about these voxels; measured now, which may take 0.1 s, where it was not before.

    Raises:
        InputError: see `volumes.viewOfNode`.
    """
    if not isAnswered(node, question):
        look = lookAt(node, question)
        look.keep(look.answer())
    return _answers[_key(node, question)]


def _key(node: slicer.vtkMRMLScalarVolumeNode, question: str) -> tuple[str, int, str]:
    image = node.GetImageData()
    return (node.GetID(), image.GetMTime() if image is not None else 0, question)
