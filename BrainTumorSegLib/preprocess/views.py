"""What the published systems see of an image: their preprocessing, one function for training and inference, and the way back.

| kind         | system | geometry                                                | intensity                                            |
|--------------|--------|---------------------------------------------------------|------------------------------------------------------|
| gray         | A, B   | whole slice on a square, the shorter side padded        | gray values of 0 to 255, divided by 255              |
| crop-zscore  | C      | box of non-zero voxels, stretched to a square           | percentiles 0.5 to 99.5, z-score, on non-zero voxels |
| slice-zscore | D      | whole slice on a square, the shorter side padded        | z-score of each channel of each slice                |

Where the papers are silent: A, B and D had square slices, so that padding is ours and stretches nothing. A volume is no
8-bit picture: it gets the gray values that make its tissue (`TissueScale`) as bright as that of the pictures A and B learn
from. By its own darkest and brightest voxels instead it would be up to 2.7 times as bright as they are, and A's network then
sees nothing of a large meningioma of which it marks most in pictures. D's "image" is read as one channel of
one slice, for sequences have no common scale and may be missing; a missing channel is 0, its mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from BrainTumorSegLib.preprocess.clahe import equalize
from BrainTumorSegLib.preprocess.frame import Frame
from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from BrainTumorSegLib.preprocess.planes import AXIS_OF_PLANE

GRAY, CROP_ZSCORE, SLICE_ZSCORE = KINDS = ("gray", "crop-zscore", "slice-zscore")
_LOW_PERCENTILE, _HIGH_PERCENTILE = 0.5, 99.5
_GRAY_OF_TISSUE = 74.0 / 255.0  # median of the mean tissue of 600 of Cheng's pictures (10th and 90th percentile: 61 and 89)


@dataclass(frozen=True)
class View:
    """One way of seeing.

    Attributes:
        kind: one of `KINDS`.
        size: of the square in pixels.
        clahe: crop-zscore only: CLAHE (clip limit 2.0, 8 x 8 tiles) of every slice after the z-score. It needs 8-bit
            values: from the least to the largest z-score of the sequence's non-zero voxels they are spread over 1 to
            255, equalized, spread back, and the z-score is taken once more. Voxels that were 0 stay 0.
    """

    kind: str
    size: int
    clahe: bool = False


@dataclass(frozen=True)
class SeenSlices:
    """Slices as a network sees them, and where they came from.

    Attributes:
        slices: float32 [n, C, size, size].
        frame: how the slices of the box lie on the square.
        box: the part of the slices [N, H, W] that is seen; n is its first length.
        shape: (N, H, W).
        spacing_mm: of the square's pixels, (from slice to slice, vertical, horizontal); None for pictures.
    """

    slices: np.ndarray
    frame: Frame
    box: tuple[slice, slice, slice]
    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float] | None

    def labels(self, labels: np.ndarray) -> np.ndarray:
        """A label map [N, H, W] on the square, nearest neighbor, uint8 [n, size, size]."""
        rows, columns = (_nearest(self.frame, axis) for axis in (0, 1))
        inside = (rows >= 0)[:, None] & (columns >= 0)[None, :]
        return np.where(inside, labels[self.box][:, rows[:, None], columns[None, :]], 0).astype(np.uint8)

    def restore(self, maps: np.ndarray) -> np.ndarray:
        """Maps on the square [n, K, size, size] -> float32 [K, N, H, W]; 0 outside of the box."""
        n, k = maps.shape[:2]
        back = self.frame.from_canvas(maps.reshape(n * k, *maps.shape[2:])).reshape(n, k, *self.frame.shape)
        result = np.zeros((k, *self.shape), np.float32)
        for target, channel in zip(result, back.transpose(1, 0, 2, 3)):
            target[self.box] = channel
        return result


def see(channels: Sequence[np.ndarray | None], spacing_mm: tuple[float, float, float] | None, view: View) -> SeenSlices:
    """All slices of one image.

    Args:
        channels: [N, H, W] each, the slices of one plane; None for a sequence that is missing, which becomes 0.
        spacing_mm: (from slice to slice, vertical, horizontal), or None for a picture.
        view: how to see them.

    Raises:
        ValueError: no channel at all, or an unknown kind of view.
    """
    given = [channel for channel in channels if channel is not None]
    if not given:
        raise ValueError("channels are all None, but at least one sequence is needed; give it")
    if view.kind not in KINDS:
        raise ValueError(f"kind is {view.kind!r}, but a view is one of {', '.join(KINDS)}; choose one of them")
    shape = (given[0].shape[0], given[0].shape[1], given[0].shape[2])
    box = _nonzero_box(given) if view.kind == CROP_ZSCORE else (slice(0, shape[0]), slice(0, shape[1]), slice(0, shape[2]))
    size = (box[1].stop - box[1].start, box[2].stop - box[2].start)
    pixel = (1.0, 1.0) if spacing_mm is None else spacing_mm[1:]
    frame = stretched_frame(size, view.size) if view.kind == CROP_ZSCORE else square_frame(size, pixel, view.size)
    seen = [_see_channel(channel[box], frame, view, spacing_mm is None) if channel is not None else None for channel in channels]
    zeros = np.zeros((box[0].stop - box[0].start, view.size, view.size), np.float32)
    canvas_mm = None if spacing_mm is None else (spacing_mm[0], frame.step[0] * pixel[0], frame.step[1] * pixel[1])
    return SeenSlices(np.stack([zeros if channel is None else channel for channel in seen], 1), frame, box, shape, canvas_mm)


def in_plane(spacing_mm: tuple[float, float, float] | None, plane: str) -> tuple[float, float, float] | None:
    """Spacing of a canonical array, (z, y, x), as (from slice to slice, vertical, horizontal) of a plane; None stays None."""
    if spacing_mm is None:
        return None
    across = AXIS_OF_PLANE[plane]
    vertical, horizontal = (mm for axis, mm in enumerate(spacing_mm) if axis != across)
    return spacing_mm[across], vertical, horizontal


def square_frame(shape: tuple[int, int], spacing_mm: tuple[float, float], size: int) -> Frame:
    """The whole slice on a square of `size` pixels: the longer side fills it, the shorter one is padded."""
    pixel_mm = max(n * mm for n, mm in zip(shape, spacing_mm)) / size
    return Frame(shape, (pixel_mm / spacing_mm[0], pixel_mm / spacing_mm[1]), (size, size))


def stretched_frame(shape: tuple[int, int], size: int) -> Frame:
    """Both sides of the slice fill the square."""
    return Frame(shape, (shape[0] / size, shape[1] / size), (size, size))


def _see_channel(slices: np.ndarray, frame: Frame, view: View, is_picture: bool) -> np.ndarray:
    if view.kind == GRAY:
        return frame.to_canvas(_gray(slices, is_picture))
    canvas = frame.to_canvas(slices)
    if view.kind == SLICE_ZSCORE:
        return _zscore_each(canvas)
    canvas = _zscore_nonzero(canvas)
    return _equalize(canvas) if view.clahe else canvas


def _gray(slices: np.ndarray, is_picture: bool) -> np.ndarray:
    if is_picture and slices.dtype == np.uint8:
        return slices.astype(np.float32) / 255.0
    return np.minimum(fit_tissue_scale(slices).apply(slices) * _GRAY_OF_TISSUE, 1.0)


def _zscore_each(slices: np.ndarray) -> np.ndarray:
    mean = slices.mean((1, 2), keepdims=True)
    deviation = slices.std((1, 2), keepdims=True)
    return np.where(deviation > 1e-6, (slices - mean) / np.maximum(deviation, 1e-6), 0).astype(np.float32)


def _zscore_nonzero(volume: np.ndarray) -> np.ndarray:
    """Clip and z-score the non-zero voxels of one sequence, [n, size, size]; the others stay 0."""
    tissue = volume != 0
    if not tissue.any():
        return volume
    values = volume[tissue]
    values = np.clip(values, *np.percentile(values, (_LOW_PERCENTILE, _HIGH_PERCENTILE)))
    result = np.zeros(volume.shape, np.float32)
    result[tissue] = (values - values.mean()) / max(float(values.std()), 1e-6)
    return result


def _equalize(volume: np.ndarray) -> np.ndarray:
    """CLAHE of z-scores, rescaled as `View.clahe` says."""
    tissue = volume != 0
    if not tissue.any():
        return volume
    low, high = float(volume[tissue].min()), float(volume[tissue].max())
    spread = np.where(tissue, 1 + np.round((volume - low) / max(high - low, 1e-6) * 254), 0).astype(np.uint8)
    equalized = np.stack([equalize(image) for image in spread]).astype(np.float32)
    values = low + (equalized[tissue] - 1) / 254 * (high - low)
    result = np.zeros(volume.shape, np.float32)
    result[tissue] = (values - values.mean()) / max(float(values.std()), 1e-6)
    return result


def _nonzero_box(channels: Sequence[np.ndarray]) -> tuple[slice, slice, slice]:
    """The smallest box [N, H, W] around the voxels that are not 0 in every channel; everything where there is none."""
    tissue = np.zeros(channels[0].shape, bool)
    for channel in channels:
        tissue |= channel != 0
    if not tissue.any():
        tissue[:] = True
    sides = []
    for axis in range(3):
        places = np.flatnonzero(tissue.any(axis=tuple(other for other in range(3) if other != axis)))
        sides.append(slice(int(places[0]), int(places[-1]) + 1))
    return sides[0], sides[1], sides[2]


def _nearest(frame: Frame, axis: int) -> np.ndarray:
    """For each canvas pixel along an axis the nearest pixel of the slice, -1 outside of it."""
    center = (np.arange(frame.canvas[axis]) - (frame.canvas[axis] - 1) / 2) * frame.step[axis] + (frame.shape[axis] - 1) / 2
    index = np.floor(center + 0.5).astype(int)
    return np.where((index >= 0) & (index < frame.shape[axis]), index, -1)
