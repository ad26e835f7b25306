"""Corrected masks on disk: complete, readable by training, and found again by the queue."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from BrainTumorSegLib.cohort.corrected import CorrectedCase, read_corrected, save_corrected
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.images import read_label_volume, read_volume
from BrainTumorSegLib.volume import Volume


def content() -> CorrectedCase:
    image = Volume(np.arange(24, dtype=np.int16).reshape(2, 3, 4), (1.0, 2.0, 3.0), (5.0, 6.0, 7.0))
    labels = np.zeros((2, 3, 4), np.uint8)
    labels[0, 1, 2] = 3
    ai = np.zeros((2, 3, 4), np.uint8)
    ai[1, 1, 2] = 2
    doubt = np.full((2, 3, 4), 0.25, np.float32)
    return CorrectedCase(image.like(labels), "glioma", image.like(ai), image.like(doubt), {"t1ce": image}, {"model": "m", "reviewed": [1, 5]})


def test_the_layout_is_the_one_that_training_reads(tmp_path) -> None:
    save_corrected(tmp_path, "case 1", content())
    assert sorted(path.name for path in (tmp_path / "case 1").iterdir()) == ["ai.nii.gz", "case.json", "seg.nii.gz", "t1ce.nii.gz", "uncertainty.nii.gz"]
    image, mask = read_volume(tmp_path / "case 1" / "t1ce.nii.gz"), read_label_volume(tmp_path / "case 1" / "seg.nii.gz")
    assert image.same_grid(mask)
    assert image.array.ravel().tolist() == list(range(24))
    assert np.argwhere(mask.array).tolist() == [[0, 1, 2]]
    assert mask.array[0, 1, 2] == 3
    assert json.loads((tmp_path / "case 1" / "case.json").read_text()) == {"scheme": "glioma", "model": "m", "reviewed": [1, 5]}


def test_what_was_kept_comes_back(tmp_path) -> None:
    save_corrected(tmp_path, "a", content())
    back = read_corrected(tmp_path, "a")
    assert back is not None
    assert back.labels.same_grid(content().labels)
    assert np.array_equal(back.labels.array, content().labels.array)
    assert back.ai is not None
    assert np.argwhere(back.ai.array).tolist() == [[1, 1, 2]]
    assert back.uncertainty is not None
    assert set(back.uncertainty.array.ravel().tolist()) == {0.25}
    assert (back.scheme, back.details) == ("glioma", {"model": "m", "reviewed": [1, 5]})


def test_a_mask_that_no_model_made_has_no_more_files_than_it_needs(tmp_path) -> None:
    save_corrected(tmp_path, "a", replace(content(), ai=None, uncertainty=None))
    back = read_corrected(tmp_path, "a")
    assert back is not None
    assert (back.ai, back.uncertainty) == (None, None)


def test_a_case_that_nobody_has_touched_is_none(tmp_path) -> None:
    assert read_corrected(tmp_path, "a") is None


def test_saving_again_replaces_the_mask_and_leaves_the_image(tmp_path) -> None:
    save_corrected(tmp_path, "a", content())
    first = content()
    other = first.labels.like(np.ones((2, 3, 4), np.uint8))
    save_corrected(tmp_path, "a", replace(first, labels=other, ai=None, images={"t1ce": first.images["t1ce"].like(np.zeros((2, 3, 4), np.int16))}))
    assert read_label_volume(tmp_path / "a" / "seg.nii.gz").array.min() == 1
    assert read_volume(tmp_path / "a" / "t1ce.nii.gz").array.max() == 23
    assert read_label_volume(tmp_path / "a" / "ai.nii.gz").array.max() == 2


@pytest.mark.parametrize(("text", "message"), [("{", "cannot be read"), ('{"model": "m"}', "names no scheme"), ("[]", "names no scheme")])
def test_a_mask_whose_values_mean_nothing_known_is_refused(tmp_path, text: str, message: str) -> None:
    save_corrected(tmp_path, "a", content())
    (tmp_path / "a" / "case.json").write_text(text)
    with pytest.raises(InputError, match=message):
        read_corrected(tmp_path, "a")


def test_a_place_that_cannot_be_made_is_told(tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be made"):
        save_corrected(tmp_path / "file", "a", content())
