"""Sizes that no head has are noticed; those of real protocols are not."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.preprocess.plausibility import shows_head, unlikely_size_mm, unlikely_spacing_mm
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


def ball(radius_mm: float, value: float = 100.0) -> Volume:
    """A ball of tissue in 260 mm of air, voxels of 2 x 3 x 4 mm."""
    z, y, x = np.indices((65, 87, 130), dtype=np.float32)
    inside = ((z - 32) * 4) ** 2 + ((y - 43) * 3) ** 2 + ((x - 64.5) * 2) ** 2 < radius_mm**2
    return Volume(np.where(inside, value, 0).astype(np.float32), (2.0, 3.0, 4.0))


@pytest.mark.parametrize(("radius_mm", "is_head"), [(74.0, False), (82.0, True)])  # 1697 and 2310 mL
def test_more_tissue_than_a_brain_has_is_a_head(radius_mm: float, is_head: bool) -> None:
    assert shows_head(ball(radius_mm)) == is_head


def test_what_cannot_be_measured_is_no_head() -> None:
    head = ball(82.0)
    assert not shows_head(Volume(head.array, has_millimeters=False))
    assert not shows_head(Volume(np.full((4, 5, 6), np.nan), (30.0, 30.0, 30.0)))
    assert not shows_head(Volume(np.full((40, 50, 60), 7.0), (3.0, 3.0, 3.0)))


def test_voxels_that_are_not_finite_do_not_hide_a_head() -> None:
    head = ball(82.0)
    head.array[::7, 0, 0] = np.nan
    assert shows_head(head)
