"""Channels are scaled to multiples of 8."""

from __future__ import annotations

import pytest

from BrainTumorSegLib.networks.width import scaled


def test_the_published_width_changes_no_published_number() -> None:
    numbers = [16, 32, 64, 128, 256, 512, 1024, 2048]
    assert [scaled(n, 1.0) for n in numbers] == numbers


def test_narrow_channels_are_multiples_of_8_and_never_fewer() -> None:
    # 0.3 x 64 = 19.2 -> 16; 0.3 x 128 = 38.4 -> 40; 16 / 2 = 8; 16 / 16 = 1 -> 8
    assert [scaled(64, 0.3), scaled(128, 0.3), scaled(16, 0.5), scaled(16, 1 / 16), scaled(64, 1.5)] == [16, 40, 8, 8, 96]


@pytest.mark.parametrize("width", [0.0, -1.0])
def test_a_width_of_nothing_is_refused(width: float) -> None:
    with pytest.raises(ValueError, match=r"width is .*, but a network needs a positive one"):
        scaled(64, width)
