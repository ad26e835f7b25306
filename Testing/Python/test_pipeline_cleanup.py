"""What is cleaned from a result: islands by volume or by slices, and holes, as the options or the model say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.inference.options import SegmentOptions
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.pipeline import segment
from BrainTumorSegLib.preprocess.frame import PIXEL_MM
from BrainTumorSegLib.volume import Volume
from Testing.Python.tiny import TURNS, CountingSession, head_with_tumor, tiny_model, turn_array, turn_volume


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """What is brighter than 1.8 times mean tissue is tumor."""
    return Session(tiny_model(tmp_path, edge=1.8), threads=1)


VOXEL_MM3 = 5 * PIXEL_MM**2


@pytest.mark.parametrize(
    ("options", "voxels"),
    [
        (SegmentOptions(), 120 - 1 + 2),  # the model's own limits are 0: nothing is removed or filled
        (SegmentOptions(min_island_mm3=1.99 * VOXEL_MM3), 120 - 1 + 2),
        (SegmentOptions(min_island_mm3=2.01 * VOXEL_MM3), 120 - 1),
        (SegmentOptions(max_hole_mm3=0.99 * VOXEL_MM3), 120 - 1 + 2),
        (SegmentOptions(max_hole_mm3=1.01 * VOXEL_MM3), 120 + 2),
        (SegmentOptions(min_island_mm3=1e6), 0),
    ],
)
def test_islands_and_holes_follow_the_options(session: Session, options: SegmentOptions, voxels: int) -> None:
    array = head_with_tumor().array
    array[11, 10, 12] = 100  # a hole of 1 voxel
    array[5, 12, 12:14] = 300  # an island of 2
    volume = Volume(array, (PIXEL_MM, PIXEL_MM, 5.0))  # the canvas's own pixels, so that single voxels survive the way there and back
    assert segment({"t1ce": volume}, session, options).voxels == {"tumor": voxels}


def test_the_models_own_limits_hold_where_no_option_says_otherwise(tmp_path: Path) -> None:
    opened = Session(tiny_model(tmp_path, edge=1.8, postprocess={"min_island_mm3": 1e6, "max_hole_mm3": 0.0}), threads=1)
    assert not segment({"t1ce": head_with_tumor()}, opened, SegmentOptions()).found
    assert segment({"t1ce": head_with_tumor()}, opened, SegmentOptions(min_island_mm3=0.0)).found


ISLANDS = {"min_island_mm3": 0.0, "max_hole_mm3": 0.0, "min_island_slices": 2}


def thick_stack(array: np.ndarray) -> Volume:
    """Ten axial slices of 32 x 32 canvas pixels, 5 mm apart."""
    return Volume(array, (PIXEL_MM, PIXEL_MM, 5.0))


def stack_with_islands() -> np.ndarray:
    """Gray 100 below air, with 300 in an island of 3 slices, one of 2 and two of 1, the last slice's among them."""
    array = np.full((10, 32, 32), 100, np.int16)
    array[:, :4] = 0
    for slices, rows in (((1, 4), (8, 12)), ((1, 3), (24, 28)), ((6, 7), (8, 20)), ((9, 10), (24, 28))):
        array[slice(*slices), slice(*rows), 10:20] = 300
    return array


def test_an_island_in_a_single_slice_of_a_stack_goes_and_stays_with_the_rest_of_the_stack_however_it_is_stored(tmp_path: Path) -> None:
    opened = Session(tiny_model(tmp_path, edge=1.8, planes=["axial"], postprocess=ISLANDS), threads=1)
    volume = thick_stack(stack_with_islands())
    wanted = (volume.array == 300) & (np.arange(10) < 5)[:, None, None]
    for turn in TURNS:
        result = segment({"t1ce": turn_volume(volume, turn)}, opened, SegmentOptions())
        assert result.planes == ("axial",)
        assert np.array_equal(result.labels.array > 0, turn_array(wanted, turn)), turn


@pytest.mark.parametrize(
    ("postprocess", "options", "slices"),
    [
        ({**ISLANDS, "min_island_slices": 3}, SegmentOptions(), [1, 2, 3]),
        ({"min_island_mm3": 0.0, "max_hole_mm3": 0.0}, SegmentOptions(), [1, 2, 3, 6, 9]),  # a model that says nothing
        (ISLANDS, SegmentOptions(min_island_mm3=0.0), [1, 2, 3, 6, 9]),  # who sets a limit has no other
        (ISLANDS, SegmentOptions(planes="all"), [1, 2, 3, 6, 9]),  # seen from the side too
    ],
)
def test_slices_of_an_island_count_only_where_the_model_says_so_and_one_plane_is_run(
    tmp_path: Path, postprocess: dict[str, float], options: SegmentOptions, slices: list[int]
) -> None:
    opened = CountingSession(tiny_model(tmp_path, planes=["axial", "coronal"], postprocess=postprocess), edge=1.8)
    volume = thick_stack(stack_with_islands())
    if options.planes == "all":
        volume = Volume(volume.array, (PIXEL_MM, PIXEL_MM, PIXEL_MM))
    result = segment({"t1ce": volume}, opened, options)  # type: ignore[arg-type]
    assert np.flatnonzero(result.labels.array.any((1, 2))).tolist() == slices


def test_a_single_slice_and_a_picture_keep_what_they_show(tmp_path: Path) -> None:
    opened = Session(tiny_model(tmp_path, edge=1.8, planes=["axial"], postprocess=ISLANDS), threads=1)
    one = stack_with_islands()[6:7]
    assert segment({"t1ce": thick_stack(one)}, opened, SegmentOptions()).voxels == {"tumor": 120}
    assert segment({"t1ce": Volume(one, has_millimeters=False)}, opened, SegmentOptions()).found
