"""Comparing a segmentation with a reference, or two readers with each other. The voxels are compared in a thread, on copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from BrainTumorSegGUI.background import BackgroundTask, TaskState
from BrainTumorSegGUI.evaluationMatch import Matches, Pair, matchByName, pairsOf, unmatched
from BrainTumorSegGUI.evaluationSides import Side, collectSide, structuresOf
from BrainTumorSegLib import api
from BrainTumorSegLib.api import InputError, Volume

if TYPE_CHECKING:
    from BrainTumorSegLib.api import Row

_WAIT_S = 0.05
_SHIFT_TOLERANCE = 0.01
"""Parts of a voxel."""


@dataclass(frozen=True)
class Comparison:
    """Scores of each pair, and both sides on the reference's grid.

    Attributes:
        rows: one for each pair.
        resampled: the voxels of the prediction lay elsewhere than the reference's, so it was brought to that grid.
        outside: nothing of the prediction lies inside the reference's grid.
    """

    prediction: Side
    reference: Side
    rows: tuple[tuple[Pair, Row], ...]
    resampled: bool = False
    outside: bool = False

    def masks(self, pair: Pair) -> tuple[Volume, Volume]:
        """Prediction and reference of a pair, uint8 [z, y, x] of 0 and 1, on the reference's grid."""
        return self.prediction.mask(pair.prediction), self.reference.mask(pair.reference)


def compareSides(prediction: Side, reference: Side, pairs: Sequence[Pair], progress: Any = None, cancel: Any = None) -> Comparison:
    """Score pairs of structures; may run in a thread.

    Args:
        progress, cancel: as a `background.Work` gets them.
    """
    moved = prediction if prediction.grid.same_grid(reference.grid) else _onGridOf(reference, prediction)
    rows = []
    for index, pair in enumerate(pairs):
        if cancel is not None:
            cancel.raise_if_cancelled()
        if progress is not None:
            progress(index / len(pairs), pair.name)
        rows.append((pair, api.evaluate(moved.mask(pair.prediction), reference.mask(pair.reference), pair.name, "tumor").rows[0]))
    outside = moved is not prediction and _hasVoxels(prediction) and not _hasVoxels(moved)
    return Comparison(moved, reference, tuple(rows), not _sameLattice(prediction.grid, reference.grid), outside)


class ComparisonRun:
    """A comparison in a thread: made, polled and read on the main thread; the scene may change meanwhile."""

    def __init__(
        self, segmentationNode: slicer.vtkMRMLNode, referenceNode: slicer.vtkMRMLNode, matches: Matches | None = None, joined: bool | None = None
    ) -> None:
        """Copies the voxels and starts the thread; see `evaluateNodes`.

        Raises:
            InputError: nothing to compare.
        """
        structures = structuresOf(segmentationNode), structuresOf(referenceNode)
        matches = matchByName(*structures) if matches is None else matches
        joined = joined if joined is not None else not matches
        pairs = pairsOf(*structures, matches, joined)
        sides = collectSide(segmentationNode), collectSide(referenceNode, around=segmentationNode)
        if not pairs:
            raise InputError(_("no segment is matched with one of the reference, but a comparison needs a pair; match them, or compare all together"))
        self._notices = _noticesOfMatches(sides, structures, pairs, joined)

        def work(progress: Any, cancel: Any) -> Comparison:
            return compareSides(*sides, pairs, progress, cancel)

        self._task = BackgroundTask(work)
        self._task.start()

    def poll(self, wait_s: float = 0.0) -> TaskState:
        """See `BackgroundTask.poll`."""
        return self._task.poll(wait_s)

    def cancel(self) -> None:
        self._task.cancel()

    @property
    def cancelled(self) -> bool:
        return self._task.cancelled

    @property
    def comparison(self) -> Comparison:
        """The scores, once finished; raises what the thread raised, or `Cancelled`."""
        return self._task.result()

    def notices(self) -> tuple[str, ...]:
        """What the user should know of the finished comparison, one sentence each."""
        return (*self._notices, *_noticesOfGrids(self.comparison))


def evaluateNodes(
    segmentationNode: slicer.vtkMRMLNode, referenceNode: slicer.vtkMRMLNode, matches: Matches | None = None, joined: bool | None = None
) -> tuple[slicer.vtkMRMLTableNode, tuple[str, ...]]:
    """Compare a segmentation or label map with another, on the reference's grid, in one call that blocks.

    Args:
        matches: segment ID (of a label map: the value as text) -> ID in the reference; by default segments of the same name.
        joined: compare all segments together as one tumor; by default only where no names agree.

    Returns:
        A new table node with one row for each pair, and notices for the user (for instance that the grids differ).

    Raises:
        InputError: nothing to compare.
    """
    from BrainTumorSegGUI.evaluationTable import tableFromComparison

    run = ComparisonRun(segmentationNode, referenceNode, matches, joined)
    while not run.poll(_WAIT_S).finished:
        slicer.app.processEvents()
    return tableFromComparison(run.comparison), run.notices()


def _onGridOf(reference: Side, prediction: Side) -> Side:
    """The prediction's label images on the reference's grid, nearest neighbor; an image that several structures share is moved once."""
    moved: dict[int, Volume] = {}
    for layer, _value in prediction.layers.values():
        if id(layer) not in moved:
            moved[id(layer)] = api.resample_labels_to(layer, reference.grid)
    return Side(prediction.name, reference.grid, {key: (moved[id(layer)], value) for key, (layer, value) in prediction.layers.items()})


def _sameLattice(first: Volume, second: Volume) -> bool:
    """True where the voxels of one are the voxels of the other, though one may show more of the patient."""
    spacing = np.asarray(first.spacing_mm)
    if not (np.allclose(spacing, second.spacing_mm, atol=1e-4) and np.allclose(first.matrix, second.matrix, atol=1e-4)):
        return False
    shift = first.matrix.T @ (np.asarray(second.origin) - first.origin) / spacing
    return bool(np.abs(shift - np.round(shift)).max() < _SHIFT_TOLERANCE)


def _hasVoxels(side: Side) -> bool:
    return any((layer.array == value).any() for layer, value in side.layers.values())


def _noticesOfMatches(sides: Sequence[Side], structures: Sequence[Sequence[Any]], pairs: Sequence[Pair], joined: bool) -> tuple[str, ...]:
    if joined:
        several = [side.name for side, parts in zip(sides, structures) if len(parts) > 1]
        return tuple(_("{name} has several classes: all of them together are compared as tumor").format(name=name) for name in several)
    left = [
        _("{name} has no partner for {parts}: not compared").format(name=other.name, parts=", ".join(names))
        for other, names in zip(reversed(sides), unmatched(*structures, pairs))
        if names
    ]
    return tuple(left)


def _noticesOfGrids(comparison: Comparison) -> tuple[str, ...]:
    names = {"prediction": comparison.prediction.name, "reference": comparison.reference.name}
    notices = []
    if comparison.resampled:
        notices.append(_("{prediction} lies on another grid than {reference}: it was resampled to the reference's grid, nearest neighbor").format(**names))
    if comparison.outside:
        notices.append(_("nothing of {prediction} lies inside the grid of {reference}: check that they belong together").format(**names))
    return tuple(notices)
