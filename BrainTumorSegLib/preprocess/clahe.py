"""Contrast-limited adaptive histogram equalization (CLAHE) of 8-bit slices."""

from __future__ import annotations

import numpy as np

_BINS = 256


def equalize(image: np.ndarray, clip_limit: float = 2.0, tiles: int = 8) -> np.ndarray:
    """CLAHE of one slice, step by step as OpenCV's `createCLAHE` has it.

    Zuiderveld 1994, "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV, 474-485.

    Args:
        image: uint8 [H, W]; sides that are no multiple of `tiles` are padded by reflection meanwhile.
        clip_limit: no gray value of a tile counts for more than this times the mean count of a value.
        tiles: along each side.

    Returns:
        uint8 [H, W].
    """
    height, width = image.shape
    padded = np.pad(image, ((0, -height % tiles), (0, -width % tiles)), mode="reflect")
    tables = _tables(padded, clip_limit, tiles)  # [tiles, tiles, 256]
    rows = _neighbors(height, padded.shape[0] // tiles, tiles)
    columns = _neighbors(width, padded.shape[1] // tiles, tiles)
    total = np.zeros((height, width), np.float32)
    for tile_row, row_share in rows:
        for tile_column, column_share in columns:
            values = tables[tile_row[:, None], tile_column[None, :], image]
            total += row_share[:, None] * column_share[None, :] * values
    return np.round(total).astype(np.uint8)


def _tables(image: np.ndarray, clip_limit: float, tiles: int) -> np.ndarray:
    """The gray value that each tile gives to each gray value, float32 [tiles, tiles, 256]."""
    high, wide = image.shape[0] // tiles, image.shape[1] // tiles
    parts = image.reshape(tiles, high, tiles, wide).transpose(0, 2, 1, 3).reshape(tiles * tiles, high * wide)
    offsets = np.arange(tiles * tiles)[:, None] * _BINS
    counts = np.bincount((parts + offsets).ravel(), minlength=tiles * tiles * _BINS).reshape(-1, _BINS)
    limit = max(int(clip_limit * high * wide / _BINS), 1)
    excess = np.maximum(counts - limit, 0).sum(1)
    counts = np.minimum(counts, limit) + (excess // _BINS)[:, None]
    for row, rest in zip(counts, excess % _BINS):
        if rest:
            row[np.arange(rest) * max(_BINS // rest, 1)] += 1  # what is left over, at even distances
    tables = np.clip(np.round(np.cumsum(counts, 1) * (255.0 / (high * wide))), 0, 255)
    return tables.astype(np.float32).reshape(tiles, tiles, _BINS)


def _neighbors(length: int, tile: int, tiles: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """For every pixel of a line the two tiles whose middles it lies between, each with its share."""
    position = (np.arange(length) + 0.5) / tile - 0.5
    first = np.floor(position).astype(int)
    share = (position - first).astype(np.float32)
    return [(np.clip(first, 0, tiles - 1), 1 - share), (np.clip(first + 1, 0, tiles - 1), share)]
