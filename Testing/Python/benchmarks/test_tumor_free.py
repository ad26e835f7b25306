"""Heads without tumor: which halves are free of it, what is given, how much is counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib import api
from BrainTumorSegLib.io.images import write_volume
from BrainTumorSegLib.volume import Volume
from Testing.Benchmarks.tumor_free import false_ml, halves, ms_head
from Testing.Python.tiny import ball_head, tiny_model


@pytest.mark.parametrize("flip", [1.0, -1.0])
def test_halves_begin_ten_millimeters_from_the_middle_on_the_patients_side(flip: float) -> None:
    """Twelve columns of 4 mm, centers at -22, -18, -14, -10, ... mm from the middle: three lie more than 10 mm away on either side."""
    labels = Volume(np.zeros((2, 2, 12), np.uint8), (4.0, 1.0, 1.0), direction=(flip, 0, 0, 0, 1, 0, 0, 0, 1))
    parts = halves(labels)
    first, last = ("right", "left") if flip > 0 else ("left", "right")  # LPS: x runs to the patient's left
    assert np.flatnonzero(parts[first][0, 0]).tolist() == [0, 1, 2]
    assert np.flatnonzero(parts[last][1, 1]).tolist() == [9, 10, 11]


def test_only_what_lies_in_the_free_part_is_counted(tmp_path: Path) -> None:
    """A cube of 4 x 4 x 4 voxels of 0.125 mL, 8 mL in all; half of it lies where there is no tumor."""
    head = ball_head((24, 24, 24), (5.0, 5.0, 5.0))
    head.array[10:14, 10:14, 10:14] = 300
    result = api.segment({"t1ce": head}, api.Session(tiny_model(tmp_path, edge=1.8), threads=1))
    where = np.zeros(head.array.shape, bool)
    where[:12] = True
    assert false_ml(result, None)["ml"] == 8.0
    assert false_ml(result, where) == {"ml": 4.0, "by_label": {1: 4.0}, "warnings": list(result.warnings)}


def test_the_skull_is_removed_where_that_is_wanted_and_there_are_masks(tmp_path: Path) -> None:
    image = Volume(np.full((4, 4, 4), 7, np.uint8))
    mask = np.zeros((4, 4, 4), np.uint8)
    mask[1:3] = 1
    for role in ("flair", "t1", "t2"):
        write_volume(image, tmp_path / f"{role}.nii.gz")
    with_skull = ms_head(tmp_path, ("t1", "t1ce", "t2", "flair"), stripped=True)
    assert with_skull.given == "flair, t1, t2, with skull" and with_skull.volumes["t1"].array.all()
    for role in ("flair", "t1", "t2"):
        write_volume(image.like(mask), tmp_path / f"{role}_brainmask.nii.gz")
    bare = ms_head(tmp_path, ("t1", "t1ce", "t2", "flair"), stripped=True)
    assert bare.given == "flair, t1, t2, skull removed"
    np.testing.assert_array_equal(bare.volumes["flair"].array, 7 * mask)
    assert ms_head(tmp_path, ("t1ce",), stripped=False).given == "T1 as t1ce, with skull"
    (tmp_path / "t2.nii.gz").unlink()  # not every head has all sequences
    assert ms_head(tmp_path, ("t1", "t1ce", "t2", "flair"), stripped=True).given == "flair, t1, skull removed"
