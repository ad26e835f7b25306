"""The one rule by which a network becomes narrower."""

from __future__ import annotations


def scaled(channels: int, width: float) -> int:
    """`channels` x `width`, rounded to a multiple of 8 and at least 8: attention heads divide it, int8 kernels like it.

    At width 1.0 every published number (16 to 2048) stays as it is.
    """
    if width <= 0:
        raise ValueError(f"width is {width}, but a network needs a positive one; 1.0 is the published network, 0.5 half of its channels")
    return max(8, 8 * round(channels * width / 8))
