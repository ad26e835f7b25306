"""Slices in memory keep their pictures, bits and scales, on disk and off."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

from BrainTumorSegLib.data.slice_set import TUMOR_BIT, WHOLE_BIT, SliceSet, SliceSetBuilder, concatenate
from BrainTumorSegLib.preprocess.intensity import TissueScale
from Testing.Python.tiny import slice_set


def same(one: SliceSet, other: SliceSet) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(SliceSet))


def test_the_builder_rounds_clips_and_stores_small_types() -> None:
    builder = SliceSetBuilder()
    image = np.array([[-3.0, 0.4, 0.6], [254.5001, 255.0, 300.0]])
    target = np.array([[0, 1, 2], [3, 0, 0]])
    builder.add(image, target, TissueScale(1.0, 200.0, 90.0), source="cheng", kind="glioma", fold=2, case="7")
    slices = builder.build()
    assert slices.images.tolist() == [[[0, 0, 1], [255, 255, 255]]]
    assert slices.targets.tolist() == [target.tolist()]
    assert (slices.images.dtype, slices.targets.dtype, slices.mean.dtype, slices.fold.dtype) == (np.uint8, np.uint8, np.float32, np.int64)
    assert (slices.low[0], slices.high[0], slices.mean[0], slices.source[0], slices.kind[0], slices.fold[0], slices.case[0]) == (
        1,
        200,
        90,
        "cheng",
        "glioma",
        2,
        "7",
    )
    assert len(slices) == 1


def test_tissue_is_what_inference_sees() -> None:
    slices = slice_set({"cheng/glioma": 3, "no_tumor/none": 2}, size=16)
    chosen = np.array([4, 1])
    tissue = slices.tissue(chosen)
    assert tissue.dtype == np.float32
    for i, k in enumerate(chosen):
        scale = TissueScale(float(slices.low[k]), float(slices.high[k]), float(slices.mean[k]))
        assert np.allclose(tissue[i], scale.apply(slices.images[k]), atol=1e-6)


def test_slices_are_chosen_by_mask_or_by_index() -> None:
    slices = slice_set({"cheng/glioma": 3, "no_tumor/none": 2}, size=16)
    assert slices.select(slices.source == "no_tumor").case.tolist() == ["no_tumor/none/0", "no_tumor/none/1"]
    assert slices.select(np.array([3, 0])).case.tolist() == ["no_tumor/none/0", "cheng/glioma/0"]
    assert same(concatenate([slices.select(np.arange(2)), slices.select(np.arange(2, 5))]), slices)


def test_a_set_is_the_same_from_disk_and_the_file_holds_no_pickle(tmp_path: Path) -> None:
    slices = slice_set({"brats/glioma": 2, "brats/none": 1}, size=16)
    slices.save(tmp_path / "slices.npz")
    assert same(SliceSet.load(tmp_path / "slices.npz"), slices)
    with np.load(tmp_path / "slices.npz", allow_pickle=False) as arrays:
        assert set(arrays) == {f.name for f in fields(SliceSet)}


def test_the_two_bits_are_apart() -> None:
    assert (TUMOR_BIT, WHOLE_BIT) == (1, 2)
