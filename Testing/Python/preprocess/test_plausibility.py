"""Sizes that no head has are noticed; those of real protocols are not."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.preprocess.plausibility import unlikely_size_mm, unlikely_spacing_mm
from BrainTumorSegLib.volume import Volume


def volume(shape_zyx: tuple[int, int, int], spacing_xyz: tuple[float, float, float], millimeters: bool = True) -> Volume:
    return Volume(np.zeros(shape_zyx, np.uint8), spacing_xyz, has_millimeters=millimeters)


@pytest.mark.parametrize(
    ("shape_zyx", "spacing_xyz"),
    [((155, 240, 240), (1.0, 1.0, 1.0)), ((24, 512, 512), (0.45, 0.45, 6.5)), ((5, 256, 256), (0.9, 0.9, 5.0)), ((512, 512, 512), (0.5, 0.5, 0.5))],
)
def test_usual_scans_pass(shape_zyx: tuple[int, int, int], spacing_xyz: tuple[float, float, float]) -> None:
    assert unlikely_size_mm(volume(shape_zyx, spacing_xyz)) is None
    assert unlikely_spacing_mm(volume(shape_zyx, spacing_xyz)) is None


def test_a_spacing_that_was_lost_is_noticed_by_the_size() -> None:
    # 24 slices of 512 x 512 at 1 mm: a head of 51 cm
    assert unlikely_size_mm(volume((24, 512, 512), (1.0, 1.0, 1.0))) == (512.0, 512.0, 24.0)
    assert unlikely_size_mm(volume((60, 64, 64), (1.0, 1.0, 1.0))) == (64.0, 64.0, 60.0)


def test_a_spacing_in_another_unit_is_noticed() -> None:
    assert unlikely_spacing_mm(volume((20, 200, 200), (0.001, 0.001, 5.0))) == 0.001
    assert unlikely_spacing_mm(volume((20, 200, 200), (1.0, 1.0, 12.0))) == 12.0


def test_a_picture_has_no_size() -> None:
    assert unlikely_size_mm(volume((1, 512, 512), (1.0, 1.0, 1.0), millimeters=False)) is None
    assert unlikely_spacing_mm(volume((1, 512, 512), (100.0, 1.0, 1.0), millimeters=False)) is None
