"""The sets of a recipe are read once, and folds are kept apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.data import sources
from BrainTumorSegLib.data.slice_set import SliceSet
from BrainTumorSegLib.data.sources import FOLDS, count_patients, load_slices, scored_set, split
from BrainTumorSegLib.errors import InputError
from Testing.Python.tiny import slice_set


def silent(fraction: float, message: str) -> None:
    pass


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two made-up sets "one" and "two/part"; the list fills with the folders that are read."""
    read: list[Path] = []

    def reader(pool: str) -> Callable[[Path], SliceSet]:
        def run(folder: Path) -> SliceSet:
            read.append(folder)
            return slice_set({pool: 2}, size=8)

        return run

    monkeypatch.setattr(sources, "READERS", {"one": reader("one/none"), "two/part": reader("part/none")})
    return read


def test_sets_are_read_in_order_below_the_data_folder_and_cached(tmp_path: Path, readers: list[Path]) -> None:
    for name in ("one", "two/part"):
        (tmp_path / name).mkdir(parents=True)
    told: list[tuple[float, str]] = []
    slices = load_slices(("two/part", "one"), tmp_path, tmp_path / "run" / "slices.npz", lambda fraction, message: told.append((fraction, message)))
    assert slices.source.tolist() == ["part", "part", "one", "one"]
    assert readers == [tmp_path / "two/part", tmp_path / "one"]
    assert told == [(0.0, "reading two/part"), (0.5, "reading one")]
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["slices.npz"]
    again = load_slices(("two/part", "one"), tmp_path / "not there any more", tmp_path / "run" / "slices.npz", silent)
    assert np.array_equal(again.images, slices.images)
    assert len(readers) == 2


def test_a_missing_folder_is_named_before_anything_is_read(tmp_path: Path, readers: list[Path]) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(
        InputError, match=re.escape(f"{tmp_path / 'two/part'} is missing, but this recipe trains on it; give the folder that holds one, two/part with --data")
    ):
        load_slices(("one", "two/part"), tmp_path, tmp_path / "slices.npz", silent)
    assert readers == []
    assert not (tmp_path / "slices.npz").exists()


def test_a_part_of_a_set_is_read_from_the_folder_of_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "READERS", {"lgg_tumor_free": lambda folder: slice_set({f"{folder.name}/none": 1}, size=8)})
    missing = re.escape(f"{tmp_path / 'lgg'} is missing, but this recipe trains on it")
    with pytest.raises(InputError, match=missing):
        load_slices(("lgg_tumor_free",), tmp_path, tmp_path / "slices.npz", silent)
    (tmp_path / "lgg").mkdir()
    assert load_slices(("lgg_tumor_free",), tmp_path, tmp_path / "slices.npz", silent).source.tolist() == ["lgg"]


def test_a_set_without_a_reader_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="the recipe asks for the set 'chang', but readers exist for cheng, no_tumor, brats, brats/t1ce_slices, lgg, lgg_tumor_free, ms_heads"
    ):
        load_slices(("chang",), tmp_path, tmp_path / "slices.npz", silent)


def every_pool() -> SliceSet:
    """Every source in folds 1 to 4, and a fifth fold of those that have one."""
    slices = slice_set({"cheng/glioma": 8, "cheng/pituitary": 4, "no_tumor/none": 8, "brats/glioma": 8, "brats/none": 4, "t1ce_slices/glioma": 8}, size=8)
    slices.fold[[19, 23, 35]] = 5  # one of no_tumor, brats and t1ce_slices
    return slices


@pytest.mark.parametrize("fold", FOLDS["cheng"])
def test_a_fold_is_never_on_both_sides(fold: int) -> None:
    slices = every_pool()
    training, validation = split(slices, fold)
    assert not set(training.case) & set(validation.case)
    assert set(validation.source) == {"cheng", "no_tumor"}
    assert set(validation.fold[validation.source == "cheng"]) == {fold}
    assert set(validation.fold[validation.source == "no_tumor"]) == {1}  # always the same, whatever the fold
    for source, folds in (
        ("cheng", {1, 2, 3, 4} - {fold}),
        ("brats", {1, 2, 3, 4, 5} - {fold}),
        ("t1ce_slices", {1, 2, 3, 4, 5} - {fold}),
        ("no_tumor", {2, 3, 4, 5}),
    ):
        assert set(training.fold[training.source == source]) == folds
    # left out of both: brats and t1ce_slices of this fold
    left = ~np.isin(slices.case, np.concatenate([training.case, validation.case]))
    assert set(slices.source[left]) == {"brats", "t1ce_slices"}
    assert set(slices.fold[left]) == {fold}


def test_stacks_are_divided_by_their_own_folds() -> None:
    slices = slice_set({"lgg/glioma": 8, "lgg/none": 8, "no_tumor/none": 8}, size=8)
    training, validation = split(slices, 2)
    assert set(validation.fold[validation.source == "lgg"]) == {2}
    assert set(training.fold[training.source == "lgg"]) == {1, 3, 4}
    assert set(validation.fold[validation.source == "no_tumor"]) == {1}
    assert set(training.fold[training.source == "no_tumor"]) == {2, 3, 4}
    assert len(training) + len(validation) == len(slices)  # a set that is scored leaves nothing out


def test_a_recipe_is_scored_on_the_set_that_has_folds() -> None:
    assert (scored_set(("no_tumor", "lgg")), scored_set(("cheng", "no_tumor", "brats"))) == ("lgg", "cheng")
    with pytest.raises(InputError, match="the recipe has none of the sets that can be scored, cheng or lgg or lgg_brain; add one of them to its sets"):
        scored_set(("no_tumor", "brats"))


def test_patients_are_counted_where_a_case_is_one() -> None:
    slices = slice_set({"lgg/glioma": 5, "cheng/glioma": 4, "no_tumor/none": 3}, size=8)
    slices.case = np.array(["a", "a", "b", "b", "c", "1", "2", "3", "4", "x", "y", "z"])
    assert count_patients(slices) == {"lgg": 3}
