"""Volume -> probabilities for a model of a published system: its own view of every plane, fused by their mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from BrainTumorSegLib.inference.predictor import BATCH, Report
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.preprocess.planes import plane_view, volume_view
from BrainTumorSegLib.preprocess.views import View, in_plane, see
from BrainTumorSegLib.progress import CancelToken


def predict_view(
    channels: Sequence[np.ndarray],
    spacing_mm: tuple[float, float, float] | None,
    planes: tuple[str, ...],
    view: View,
    session: Session,
    report: Report,
    cancel: CancelToken | None = None,
) -> np.ndarray:
    """Fused probabilities of every class, 0 where the view sees nothing.

    Args:
        channels: canonical arrays [Z, Y, X] as they are in their files, in the order of the model's inputs.
        spacing_mm: (z, y, x), or None for a picture.
        planes: which to run and fuse.
        view: what the model was trained on.
        report: told (fraction, message) after every batch.

    Returns:
        float32 [K, Z, Y, X].
    """
    results = []
    for i, plane in enumerate(planes):
        seen = see([plane_view(channel, plane) for channel in channels], in_plane(spacing_mm, plane), view)
        parts = []
        for start in range(0, len(seen.slices), BATCH):
            parts.append(session.run(seen.slices[start : start + BATCH], cancel))
            done = min(start + BATCH, len(seen.slices))
            report((i + done / len(seen.slices)) / len(planes), f"{plane} slices, {done} of {len(seen.slices)}")
        maps = seen.restore(np.concatenate(parts))
        results.append(np.stack([volume_view(channel, plane) for channel in maps]))
    return np.asarray(np.mean(results, axis=0, dtype=np.float32))
