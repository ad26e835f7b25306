"""The brain in a whole head, found by a network of its own, for models that were trained without skull."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

from BrainTumorSegLib.errors import ModelError
from BrainTumorSegLib.inference.models import TABLE_NAME, ModelInfo, read_row
from BrainTumorSegLib.inference.postprocess import fill_holes, largest_island
from BrainTumorSegLib.inference.predictor import Report, predict
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.inference.sparse_planes import every_nth, interpolate
from BrainTumorSegLib.metrics.overlap import dice
from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from BrainTumorSegLib.progress import CancelToken
from BrainTumorSegLib.resources import find_resources

_STEP_MM = 4.0
"""Distance of the axial slices that are run, at most; between them the brain is interpolated."""
_LEAST_ML = 400.0
"""What is smaller is no brain: a head has at least twice as much of it."""
_LEAST_OVERLAP = 0.9
"""Dice of two sequences' brains: 0.93 and more where the patient had not moved in between (docs/models/brain-mask.md)."""
_AS_A_MODEL = {"inputs": ["t1"], "scheme": "tumor", "postprocess": {}}
"""It has no labels, and reads any sequence; for a session it is a network of one channel and one map."""


def brain_model() -> ModelInfo:
    """The shipped network that finds the brain: the entry "brain" of models.json; one channel, any sequence.

    Raises:
        ModelError: models.json is missing, damaged or has no such entry.
    """
    folder = find_resources() / "Models"
    try:
        row = json.loads((folder / TABLE_NAME).read_text(encoding="utf-8"))["brain"]
        return read_row({**row, **_AS_A_MODEL}, folder)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / TABLE_NAME} does not tell where the network is that finds the brain ({error!r}); install the extension again") from None


def open_brain_network(beside: Session) -> Session:
    """The network of `brain_model`, with as many threads as another session and where it runs."""
    return Session(brain_model(), beside.threads, beside.provider)


def find_brain(
    head: np.ndarray, spacing_mm: tuple[float, float, float], session: Session, report: Report, cancel: CancelToken | None = None
) -> np.ndarray | None:
    """Where the brain is.

    Args:
        head: gray levels of any sequence on canonical axes, [Z, Y, X].
        spacing_mm: (z, y, x).
        session: of `open_brain_network`.
        report: told (fraction, message) after every batch.

    Returns:
        bool [Z, Y, X]: the largest island of axial slices at most 4 mm apart, holes filled, interpolated between them; None where none of 400 mL is found.

    Raises:
        Cancelled: `cancel` was used.
    """
    step = max(int(_STEP_MM / spacing_mm[0] + 1e-6), 1)
    chosen = every_nth(len(head), step)
    tissue = fit_tissue_scale(head).apply(head[chosen])
    coarse_mm = (spacing_mm[0] * step, *spacing_mm[1:])
    maps = predict(tissue[None], coarse_mm, ("axial",), session, lambda fraction, message: report(fraction, f"finding the brain: {message}"), cancel)
    brain = largest_island(maps[0] >= session.model.threshold)
    voxel_mm3 = float(np.prod(coarse_mm))
    if np.count_nonzero(brain) * voxel_mm3 < _LEAST_ML * 1000:
        return None
    brain = fill_holes(brain, voxel_mm3, np.inf)
    return brain if step == 1 else interpolate(brain.astype(np.float32), len(head), step) >= 0.5


def find_brains(
    heads: Mapping[str, np.ndarray], spacing_mm: tuple[float, float, float], session: Session, report: Report, cancel: CancelToken | None = None
) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
    """The brain as the first of `heads` shows it, and those of the others that show it in another place, as if the patient had moved in between.

    Args:
        heads: gray levels of one patient's sequences on one grid, [Z, Y, X] each; all else as of `find_brain`.
    """
    first, *others = heads
    brain = find_brain(heads[first], spacing_mm, session, _part(report, 0, len(heads)), cancel)
    if brain is None:
        return None, {}
    found = {name: find_brain(heads[name], spacing_mm, session, _part(report, i, len(heads)), cancel) for i, name in enumerate(others, 1)}
    return brain, {name: other for name, other in found.items() if other is not None and not in_one_place(brain, other)}


def in_one_place(one: np.ndarray, other: np.ndarray | None) -> bool:
    """Whether two brains, bool [Z, Y, X] on one grid, overlap as those of one patient do; not where the other was not found."""
    return other is not None and dice(one, other) >= _LEAST_OVERLAP


def _part(report: Report, i: int, n: int) -> Report:
    return lambda fraction, message: report((i + fraction) / n, message)


def outside_removed(channel: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """`channel` with the darkest of its gray levels, as air has, wherever `brain` is not; both [Z, Y, X]."""
    return np.where(brain, channel, channel.min())
