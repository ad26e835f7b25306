"""Volume -> probabilities: batches of slices of every plane through the network, fused by their mean."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.preprocess.frame import Frame, frame_for_picture, frame_for_volume
from BrainTumorSegLib.preprocess.planes import AXIS_OF_PLANE, plane_view
from BrainTumorSegLib.preprocess.tissue_box import AIR, tissue_box
from BrainTumorSegLib.progress import CancelToken

BATCH = 8
"""Slices in one run of the network: more gain no speed on a CPU and cost memory and time to cancel."""
_LEAST_TISSUE_PIXELS = 64
"""A slice with fewer pixels above `AIR` is skipped."""

Report = Callable[[float, str], None]


def predict(
    tissue: np.ndarray,
    spacing_mm: tuple[float, float, float] | None,
    planes: tuple[str, ...],
    session: Session,
    report: Report,
    cancel: CancelToken | None = None,
) -> np.ndarray:
    """Fused probabilities of every class.

    Args:
        tissue: canonical channels [C, Z, Y, X] in tissue units.
        spacing_mm: (z, y, x), or None for a picture.
        planes: which to run and fuse.
        session: the open network.
        report: told (fraction, message) after every batch.

    Returns:
        float32 [K, Z, Y, X].
    """
    total = sum(tissue.shape[1 + AXIS_OF_PLANE[plane]] for plane in planes)
    fused: np.ndarray | None = None
    done = 0
    for plane in planes:
        slices = np.stack([plane_view(channel, plane) for channel in tissue], 1) if len(tissue) > 1 else plane_view(tissue[0], plane)[:, None]
        frame = _frame(slices.shape[2:], plane, spacing_mm)
        for start in range(0, len(slices), BATCH):
            stop = min(start + BATCH, len(slices))
            filled = start + np.flatnonzero([_has_tissue(slices[i]) for i in range(start, stop)])
            if len(filled):
                maps = _run(slices[filled], frame, session, cancel)  # [n, K, H, W]
                if fused is None:
                    fused = np.zeros((maps.shape[1], *tissue.shape[1:]), np.float32)
                for k, target in enumerate(fused):
                    plane_view(target, plane)[filled] += maps[:, k] / len(planes)
            done += stop - start
            report(done / total, f"{plane} slices, {done} of {total}")
    return np.zeros((session.model.maps, *tissue.shape[1:]), np.float32) if fused is None else fused


def predict_cropped(
    tissue: np.ndarray,
    spacing_mm: tuple[float, float, float],
    planes: tuple[str, ...],
    session: Session,
    report: Report,
    cancel: CancelToken | None = None,
) -> np.ndarray:
    """`predict` of the box that holds the tissue, 0 around it: a brain without its skull fills half of the usual volume."""
    box = (slice(None), *tissue_box(tissue))
    maps = np.zeros((session.model.maps, *tissue.shape[1:]), np.float32)
    maps[box] = predict(tissue[box], spacing_mm, planes, session, report, cancel)
    return maps


def _run(slices: np.ndarray, frame: Frame, session: Session, cancel: CancelToken | None) -> np.ndarray:
    n, channels = slices.shape[:2]
    canvas = frame.to_canvas(slices.reshape(n * channels, *slices.shape[2:]))
    maps = session.run(canvas.reshape(n, channels, *frame.canvas), cancel)
    back = frame.from_canvas(maps.reshape(-1, *frame.canvas))
    return back.reshape(n, -1, *frame.shape)


def _frame(shape: tuple[int, ...], plane: str, spacing_mm: tuple[float, float, float] | None) -> Frame:
    size = (shape[0], shape[1])
    if spacing_mm is None:
        return frame_for_picture(size)
    vertical, horizontal = (spacing_mm[axis] for axis in range(3) if axis != AXIS_OF_PLANE[plane])
    return frame_for_volume(size, (vertical, horizontal))


def _has_tissue(channels: np.ndarray) -> bool:
    return bool(np.count_nonzero(channels.max(axis=0) > AIR) >= _LEAST_TISSUE_PIXELS)
