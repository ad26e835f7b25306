"""Volumes in memory: slices as inference sees them, kinds of slices, and the file they are kept in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.data.case_set import CaseSet, as_volume, region_masks, stored
from BrainTumorSegLib.preprocess.planes import plane_view
from Testing.Python.gliomas import SHAPE, case, case_set, cube, labels, tissue


def test_regions_are_nested_unions_of_labels() -> None:
    assert region_masks(np.array([0, 1, 2, 3])).tolist() == [[False, True, True, True], [False, True, False, True], [False, False, False, True]]


def test_gray_levels_are_tissue_units() -> None:
    assert stored(np.array([0.0, 0.02, 1.0, 3.0, 9.0, -0.5])).tolist() == [0, 1, 50, 150, 255, 0]


@pytest.mark.parametrize(("plane", "index"), [("axial", 16), ("coronal", 20), ("sagittal", 22)])
def test_a_slice_lies_in_the_middle_of_its_canvas(plane: str, index: int) -> None:
    image, regions, known = case("a", 1).cut(plane, index, 64)
    height, width = plane_view(labels(), plane).shape[1:]
    top, left = (64 - height) // 2, (64 - width) // 2
    middle = (slice(None), slice(top, top + height), slice(left, left + width))
    np.testing.assert_allclose(image[middle], [plane_view(channel, plane)[index] for channel in tissue(labels())], atol=1e-5)
    np.testing.assert_array_equal(regions[middle], region_masks(plane_view(labels(), plane)[index]))
    assert known.shape == (1, 64, 64) and known.all()  # all around a whole head is air
    assert image.sum() == pytest.approx(image[middle].sum())


def test_around_a_part_nothing_is_known() -> None:
    known = cube("c", 1).cut("axial", 10, 64)[2]
    assert known.sum() == 32 * 32
    assert known[0, 16:48, 16:48].all()


def test_a_canvas_smaller_than_the_slice_shows_its_middle() -> None:
    image = case("a", 1).cut("axial", 16, 32)[0]
    np.testing.assert_allclose(image[3], tissue(labels())[3, 16, 8:40, 6:38], atol=1e-5)


def test_coarse_voxels_become_pixels_of_the_network() -> None:
    wide = replace(case("a", 1), spacing_mm=(5.0, 480 / 224, 480 / 224))
    regions = wide.cut("axial", 16, 96)[1]
    assert regions[0].sum() == pytest.approx(40 * 40, rel=0.03)  # the edema has 20 x 20 voxels of twice the width


def test_slices_are_sorted_by_what_they_show() -> None:
    kinds = case("a", 1).slices_by_kind("axial")
    assert kinds["glioma"].tolist() == list(range(8, 28))
    assert kinds["none"].tolist() == [4, 5, 6, 7, *range(28, 36)]  # the first and last four are air


def test_slices_and_back() -> None:
    for plane in ("axial", "coronal", "sagittal"):
        slices = case("a", 1).tissue_slices(plane)
        np.testing.assert_allclose(as_volume(slices, plane), tissue(labels()), atol=1e-5)


def test_a_file_brings_all_back(tmp_path: Path) -> None:
    case_set().save(tmp_path / "cases.npz")
    again = CaseSet.load(tmp_path / "cases.npz")
    assert len(again) == 15
    for old, new in zip(case_set(), again):
        assert (old.name, old.source, old.fold, old.spacing_mm, old.whole) == (new.name, new.source, new.fold, new.spacing_mm, new.whole)
        np.testing.assert_array_equal(old.tissue, new.tissue)
        np.testing.assert_array_equal(old.labels, new.labels)
    assert again.cases[0].labels.shape == SHAPE


def test_what_a_case_does_not_tell_is_kept_in_the_file(tmp_path: Path) -> None:
    flair = replace(case("a", 1), told=1, axial_only=True)
    CaseSet([flair, case("b", 2)]).save(tmp_path / "cases.npz")
    loaded = CaseSet.load(tmp_path / "cases.npz")
    assert [(part.told, part.axial_only) for part in loaded] == [(1, True), (3, False)]
    with np.load(tmp_path / "cases.npz") as arrays:
        earlier = {name: arrays[name] for name in arrays if name not in ("told", "axial_only")}
    np.savez(tmp_path / "earlier.npz", **earlier)
    assert [(part.name, part.told, part.axial_only) for part in CaseSet.load(tmp_path / "earlier.npz")] == [("a", 3, False), ("b", 3, False)]


def test_slices_that_are_no_volume_are_cut_in_their_own_plane_alone() -> None:
    flair = replace(case("a", 1), axial_only=True)
    assert len(flair.slices_by_kind("axial")["glioma"]) == 20
    assert all(len(slices) == 0 for plane in ("coronal", "sagittal") for slices in flair.slices_by_kind(plane).values())
