"""The network's frame: slices resampled to one pixel size, centered on a canvas, and probabilities brought back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PIXEL_MM = 240.0 / 224.0
"""Pixel size the networks are trained at: the usual field of view of a head, 240 mm, over 224 pixels."""
PICTURE_PIXELS = 224
"""Pictures have no millimeters: their longer side becomes this many pixels."""
_MULTIPLE = 32  # the encoders halve the size five times


@dataclass(frozen=True)
class Frame:
    """How one plane of slices is laid into the network's canvas.

    Attributes:
        shape: (height, width) of the slices.
        step: canvas pixels' distance in slice pixels, (vertical, horizontal).
        canvas: (height, width) of the canvas, multiples of 32.
    """

    shape: tuple[int, int]
    step: tuple[float, float]
    canvas: tuple[int, int]

    def to_canvas(self, slices: np.ndarray) -> np.ndarray:
        """[N, height, width] -> float32 [N, canvas height, canvas width]; what lies outside the slices is 0."""
        return _resize(slices, self._matrix(0, inverse=False), self._matrix(1, inverse=False))

    def from_canvas(self, maps: np.ndarray) -> np.ndarray:
        """[N, canvas height, canvas width] -> float32 [N, height, width], on the slices' own pixels."""
        return _resize(maps, self._matrix(0, inverse=True), self._matrix(1, inverse=True))

    def _matrix(self, axis: int, inverse: bool) -> np.ndarray:
        if inverse:
            return resize_matrix(self.canvas[axis], self.shape[axis], 1.0 / self.step[axis])
        return resize_matrix(self.shape[axis], self.canvas[axis], self.step[axis])


def frame_for_volume(shape: tuple[int, int], spacing_mm: tuple[float, float]) -> Frame:
    """Frame of slices of `shape` pixels with in-plane `spacing_mm` (vertical, horizontal): every canvas pixel is `PIXEL_MM`."""
    return _frame(shape, (PIXEL_MM / spacing_mm[0], PIXEL_MM / spacing_mm[1]))


def frame_for_picture(shape: tuple[int, int]) -> Frame:
    """Frame of a picture: the longer side fills `PICTURE_PIXELS`, the shorter one is padded to the same length."""
    step = max(shape) / PICTURE_PIXELS
    return Frame(shape, (step, step), (PICTURE_PIXELS, PICTURE_PIXELS))


def _frame(shape: tuple[int, int], step: tuple[float, float]) -> Frame:
    canvas = tuple(max(_MULTIPLE, int(np.ceil(n / s / _MULTIPLE - 1e-6)) * _MULTIPLE) for n, s in zip(shape, step))
    return Frame(shape, step, (canvas[0], canvas[1]))


def resize_matrix(size_in: int, size_out: int, step: float) -> np.ndarray:
    """Linear interpolation along one axis as a matrix [size_out, size_in], both axes centered on one another.

    Output sample j lies at input coordinate (j - (size_out - 1) / 2) * step + (size_in - 1) / 2. Where step > 1 the
    triangular kernel widens with it, so that shrinking averages and does not alias. Rows sum to 1 inside the input and
    fall to 0 outside it.
    """
    centers = (np.arange(size_out) - (size_out - 1) / 2) * step + (size_in - 1) / 2
    width = max(step, 1.0)
    distance = np.abs(centers[:, None] - np.arange(-_reach(width), size_in + _reach(width))[None, :]) / width
    weights = np.maximum(1.0 - distance, 0.0)
    total = weights.sum(axis=1, keepdims=True)  # with the neighbors outside, so that borders fade as zero padding does
    weights = weights / np.where(total > 0, total, 1.0)
    return weights[:, _reach(width) : _reach(width) + size_in].astype(np.float32)


def _reach(width: float) -> int:
    return int(np.ceil(width))


def _resize(slices: np.ndarray, vertical: np.ndarray, horizontal: np.ndarray) -> np.ndarray:
    # two big products instead of two small ones a slice: numpy hands only plain two-dimensional arrays to BLAS whole
    n, height, width = slices.shape
    rows = np.ascontiguousarray(slices, dtype=np.float32).reshape(n * height, width) @ horizontal.T  # [n * height, width out]
    columns = rows.reshape(n, height, -1).transpose(1, 0, 2).reshape(height, -1)  # [height, n * width out]
    return (vertical @ columns).reshape(len(vertical), n, -1).transpose(1, 0, 2)
