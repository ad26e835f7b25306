"""Volume -> probabilities: batches of slices of every plane through the network, fused by their mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from BrainTumorSegLib.inference.early_exit import Findings, clear_outside, first_look
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.inference.slicing import EVERY_SLICE, Slicing
from BrainTumorSegLib.inference.sparse_planes import every_nth, interpolate, steps
from BrainTumorSegLib.preprocess.frame import Frame, frame_for_picture, frame_for_volume
from BrainTumorSegLib.preprocess.planes import AXIS_OF_PLANE, plane_view
from BrainTumorSegLib.preprocess.tissue_box import AIR
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
    slicing: Slicing = EVERY_SLICE,
) -> np.ndarray:
    """Fused probabilities of every class.

    Args:
        tissue: canonical channels [C, Z, Y, X] in tissue units.
        spacing_mm: (z, y, x), or None for a picture.
        planes: which to run and fuse.
        session: the open network.
        report: told (fraction, message) after every batch.
        slicing: which slices of them, and how often.

    Returns:
        float32 [K, Z, Y, X]; 0 where a slice was left out by the first look.
    """
    fusion = _Fusion(tissue, spacing_mm, planes, session, cancel, slicing)
    looked = first_look(tissue.shape[1:], spacing_mm or (1.0, 1.0, 1.0), planes, slicing.gap_mm if spacing_mm else 0.0)
    if spacing_mm is None or all(chosen.all() for chosen in looked.values()):
        fusion.add(fusion.chosen(), report)
        return fusion.maps()
    share = sum(map(np.count_nonzero, looked.values())) / sum(map(len, looked.values()))
    findings = Findings(tissue.shape[1:])
    fusion.add(looked, lambda fraction, message: report(share * fraction, f"looking for tumor: {message}"), findings)
    about = findings.about(spacing_mm)
    left = {plane: about[AXIS_OF_PLANE[plane]] & ~looked[plane] for plane in planes}
    fusion.add(left, lambda fraction, message: report(share + (1.0 - share) * fraction, message))
    maps = fusion.maps()
    clear_outside(maps, about)
    return maps


def runs_every_slice(shape: Sequence[int], spacing_mm: Sequence[float] | None, planes: Sequence[str], slicing: Slicing) -> bool:
    """Whether `predict` leaves no slice with tissue out; `shape` and spacing are those of the canonical volume, (z, y, x), None for a picture."""
    if spacing_mm is None:
        return True
    if slicing.gap_mm:
        return all(chosen.all() for chosen in first_look(shape, spacing_mm, planes, slicing.gap_mm).values())
    return max(steps(planes, spacing_mm, slicing.step_mm).values()) == 1


class _Fusion:
    """The mean over all planes, slice by slice as they are run."""

    def __init__(
        self,
        tissue: np.ndarray,
        spacing_mm: tuple[float, float, float] | None,
        planes: tuple[str, ...],
        session: Session,
        cancel: CancelToken | None,
        slicing: Slicing,
    ) -> None:
        self._tissue, self._spacing_mm, self._planes, self._session, self._cancel = tissue, spacing_mm, planes, session, cancel
        self._slicing = slicing
        sparse = spacing_mm is not None and not slicing.gap_mm
        self._steps = steps(planes, spacing_mm or (1.0, 1.0, 1.0), slicing.step_mm if sparse else 0.0)
        self._sum = np.zeros((session.model.maps, *tissue.shape[1:]), np.float32)

    def chosen(self) -> dict[str, np.ndarray]:
        """Plane -> which of its slices are run, bool [N], where there is no first look."""
        return {plane: every_nth(self._tissue.shape[1 + AXIS_OF_PLANE[plane]], step) for plane, step in self._steps.items()}

    def maps(self) -> np.ndarray:
        """[K, Z, Y, X]; 0 where nothing was run."""
        return self._sum

    def add(self, chosen: Mapping[str, np.ndarray], report: Report, findings: Findings | None = None) -> None:
        """Run the chosen slices, bool [N] for each plane, and note in `findings` what they show."""
        total = sum(int(np.count_nonzero(slices)) * self._slicing.runs(plane) for plane, slices in chosen.items())
        done = 0
        for plane, slices in chosen.items():
            where = np.flatnonzero(slices)
            sparse = self._sparse(plane)
            for start in range(0, len(where), BATCH):
                batch = where[start : start + BATCH]
                self._add_batch(plane, batch, sparse, findings)
                done += len(batch) * self._slicing.runs(plane)
                report(done / total, f"{plane} slices, {done} of {total}")
            if sparse is not None:
                for summed, values in zip(self.maps(), sparse):
                    view = plane_view(summed, plane)
                    view += interpolate(values, len(view), self._steps[plane])

    def _sparse(self, plane: str) -> np.ndarray | None:
        """Room for the slices [K, m, H, W] that are run of a plane; None where all are, which go into the sum at once."""
        step = self._steps[plane]
        shape = plane_view(self._tissue[0], plane).shape
        return np.zeros((self._session.model.maps, np.count_nonzero(every_nth(shape[0], step)), *shape[1:]), np.float32) if step > 1 else None

    def _add_batch(self, plane: str, batch: np.ndarray, sparse: np.ndarray | None, findings: Findings | None) -> None:
        slices = np.stack([plane_view(channel, plane)[batch] for channel in self._tissue], 1)  # [n, C, H, W]
        filled = [i for i, channels in enumerate(slices) if _has_tissue(channels)]
        if not filled:
            return
        frame = _frame(slices.shape[2:], plane, self._spacing_mm)
        maps = _run(slices[filled], frame, self._session, self._cancel)  # [n, K, H, W]
        if self._slicing.runs(plane) > 1:
            maps = (maps + _run(slices[filled][..., ::-1], frame, self._session, self._cancel)[..., ::-1]) / 2
        slots = batch[filled] // self._steps[plane]
        for k, summed in enumerate(self.maps()):
            target = plane_view(summed, plane) if sparse is None else sparse[k]
            target[slots] += maps[:, k] / len(self._planes)
        if findings is not None:
            findings.add(maps, plane, batch[filled])


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
