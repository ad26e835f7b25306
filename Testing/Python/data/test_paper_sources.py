"""Which reader reads, what is cached, and that no fold is on two sides."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.data import paper_sources
from BrainTumorSegLib.data.example_set import ExampleSet
from BrainTumorSegLib.data.paper_sources import folds_of, load_examples, split
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.preprocess.views import View
from Testing.Python.examples import example_set, phantom, write_case

VIEW = View("gray", 32)


def load(data: Path, cache: Path, sets: tuple[str, ...] = ("phantoms",), view: View = VIEW) -> ExampleSet:
    return load_examples(sets, ("t1ce",), ("t1ce",), "tumor", view, data, cache, lambda fraction, message: None)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    image, mask = phantom()
    for name in "abc":
        write_case(tmp_path / "data" / name, {"t1ce": image}, mask)
    return tmp_path / "data"


def test_own_cases_are_read_once_and_then_come_from_the_cache(data: Path, tmp_path: Path) -> None:
    cache = tmp_path / "caches" / "cache.npz"  # a folder that is not there yet
    first = load(data, cache)
    (data / "a" / "seg.nii.gz").unlink()
    again = load(data, cache)  # not read again
    assert np.array_equal(first.images, again.images)
    assert [path.name for path in cache.parent.iterdir()] == ["cache.npz"]
    with pytest.raises(InputError, match="the case a has no mask"):
        load(data, cache, view=View("gray", 64))  # the cache was made for another view


def test_missing_sets_unknown_sets_and_missing_folders_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache.npz"
    (tmp_path / "data" / "cheng").mkdir(parents=True)
    message = f"{tmp_path / 'data' / 'no_tumor'} is missing, but this recipe trains on it; give with --data the folder that holds cheng, no_tumor, or cases"
    with pytest.raises(InputError, match=re.escape(message)):
        load(tmp_path / "data", cache, ("cheng", "no_tumor"))
    with pytest.raises(InputError, match="the recipe asks for the set 'other', but readers exist for cheng, no_tumor, brats, lgg"):
        load(tmp_path / "data", cache, ("other",))
    with pytest.raises(InputError, match="does not exist, but the recipe trains on what it holds; correct --data"):
        load(tmp_path / "nowhere", cache)
    assert not cache.exists()


def test_a_public_set_with_a_patient_in_two_folds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = example_set(4)
    shared.patient[:] = "P"
    monkeypatch.setitem(paper_sources.READERS, "phantoms", lambda folder, view, report: shared)
    (tmp_path / "phantoms").mkdir()
    with pytest.raises(InputError, match="the patient P of phantom is in the folds 1 and 2"):
        load(tmp_path, tmp_path / "cache.npz")


def test_only_folds_with_a_tumor_are_scored() -> None:
    examples = example_set(4, folds=4, tumor_free=1)
    examples.fold[examples.source == "free"] = 5
    assert folds_of(examples) == (1, 2, 3, 4)


def test_a_fold_is_scored_the_next_one_chooses_and_the_others_train() -> None:
    examples = example_set(8)
    for fold, after in ((2, 3), (4, 1)):
        training, choosing, scored = split(examples, fold, "next fold")
        assert set(examples.fold[scored]) == {fold}
        assert set(examples.fold[choosing]) == {after}
        assert set(examples.fold[training]) == {1, 2, 3, 4} - {fold, after}
        assert len(training) + len(choosing) + len(scored) == len(examples)
    training, choosing, scored = split(examples, 2, "scored fold")
    assert np.array_equal(choosing, scored)
    assert set(examples.fold[training]) == {1, 3, 4}


def test_a_fold_that_is_none_and_too_few_folds_are_refused() -> None:
    with pytest.raises(InputError, match="fold is 5, but the folds are 1, 2, 3, 4; choose one of them or all"):
        split(example_set(8), 5, "next fold")
    with pytest.raises(InputError, match='with the folds 1, 2 no patient is left to train on; give cases of more patients, or --set choose_on="scored fold"'):
        split(example_set(4, folds=2), 1, "next fold")
