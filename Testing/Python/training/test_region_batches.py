"""Batches of nested regions: what is drawn, what is missing, and what is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from BrainTumorSegLib.data.augmentation import AugmentationConfig
from BrainTumorSegLib.data.case_set import CaseSet
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training.region_batches import RegionBatches, draw_given
from Testing.Python.gliomas import case, case_set, cube, region_recipe

UNCHANGED = AugmentationConfig(0.0, (1.0, 1.0), 0.0, 0.0, 0.0).weaker(0.0)


def test_a_step_draws_the_same_batch_again() -> None:
    batches = RegionBatches(case_set(), region_recipe(patch_steps=0.0))
    first, again, other = batches(3), RegionBatches(case_set(), region_recipe(patch_steps=0.0))(3), batches(4)
    assert [tuple(part.shape) for part in first] == [(4, 4, 64, 64), (4, 3, 64, 64), (4, 3, 64, 64)]
    assert all(torch.equal(a, b) for a, b in zip(first, again))
    assert not torch.equal(first[0], other[0])


def test_each_batch_has_its_share_of_tumor_free_slices() -> None:
    for step in range(5):
        regions = RegionBatches(case_set(), region_recipe(patch_steps=0.0, augmentation=UNCHANGED))(step)[1]
        assert regions[:3, 0].any(2).any(1).all()
        assert not regions[3].any()


def test_patches_are_known_where_they_are() -> None:
    batches = RegionBatches(case_set(), region_recipe(patch_steps=1.0, patch_size=64, augmentation=UNCHANGED, drop_slices=0.0))
    images, regions, known = batches(0)
    assert images.shape == (4, 4, 64, 64)
    assert (known.sum((2, 3)) / 32**2 - 1).abs().max() < 0.05  # slices are stretched a little, which keeps their area
    assert not (regions * (1 - known)).any()


def test_patch_steps_have_their_share() -> None:
    batches = RegionBatches(case_set(), region_recipe(patch_steps=0.3))
    patches = sum(batches(step)[0].shape[-1] == 32 for step in range(60))
    assert 9 <= patches <= 27  # 18 expected, 3.5 standard deviation


def test_without_contrast_nothing_is_known_of_enhancement() -> None:
    seen = set()
    for step in range(12):
        images, _, known = RegionBatches(case_set(), region_recipe(patch_steps=0.0, drop_slices=1.0, drop=0.5, augmentation=UNCHANGED))(step)
        for image, mask in zip(images, known):
            has_contrast = bool(image[1].any())
            seen.add(has_contrast)
            assert mask[:2].all()
            assert mask[2].all() if has_contrast else not mask[2].any()
            assert image.any()
    assert seen == {True, False}


@pytest.mark.parametrize(("share", "probability", "mean"), [(0.6, 0.25, 0.15), (1.0, 0.5, 0.5 - 0.5**4 / 4), (1.0, 1.0, 0.75), (0.0, 1.0, 0.0)])
def test_sequences_are_dropped_but_never_all(share: float, probability: float, mean: float) -> None:
    given = draw_given(20_000, 4, share, probability, torch.Generator().manual_seed(0))
    assert given.any(1).all()
    assert (1 - given).mean().item() == pytest.approx(mean, abs=0.01)
    assert (1 - given).mean(0).tolist() == pytest.approx([mean] * 4, abs=0.015)


def test_planes_are_drawn_by_their_weights() -> None:
    batches = RegionBatches(case_set(), region_recipe(planes={"axial": 2, "coronal": 1, "sagittal": 1}))
    numbers = np.random.default_rng(0)
    drawn = [batches.draw("brats/glioma", numbers)[1] for _ in range(2000)]
    assert [drawn.count(plane) / 2000 for plane in ("axial", "coronal", "sagittal")] == pytest.approx([0.5, 0.25, 0.25], abs=0.04)


def test_tumors_are_not_pasted_into_volumes() -> None:
    with pytest.raises(InputError, match="paste is for recipes that learn from slices, but .* learns from volumes; leave paste out"):
        RegionBatches(case_set(), region_recipe(paste={"brats/none": 0.5}))


def test_an_empty_pool_is_named() -> None:
    with pytest.raises(InputError, match=r"no training slice belongs to cubes/glioma \(axial\)"):
        RegionBatches(CaseSet([case("a", 1)]), region_recipe(planes={"axial": 1}))
    RegionBatches(CaseSet([case("a", 1)]), region_recipe(planes={"axial": 1}, patch_steps=0.0))
    with pytest.raises(InputError, match="brats/glioma"):
        RegionBatches(CaseSet([cube("c", 1)]), region_recipe())


def test_of_flair_slices_the_whole_tumor_alone_is_known() -> None:
    whole = case("a", 1)
    only = whole.tissue * (np.arange(4) == 3)[:, None, None, None].astype(np.uint8)
    flair = replace(whole, name="b", source="lgg", tissue=only, told=1, axial_only=True)
    recipe = region_recipe(patch_steps=0.0, batch={"brats/glioma": 2, "lgg/glioma": 3}, augmentation=UNCHANGED, drop_slices=1.0, drop=0.5)
    batches = RegionBatches(CaseSet([whole, flair]), recipe)
    for step in range(6):
        images, regions, known = batches(step)
        assert images.amax((2, 3))[2:, :3].tolist() == [[0.0] * 3] * 3
        assert (images.amax((2, 3))[2:, 3] > 0.5).all()  # never dropped, for nothing would be left
        assert known[:2, :2].all() and known[2:, 0].all() and not known[2:, 1:].any()
        assert regions[2:, 0].any(2).any(1).all()
    assert {batches.draw("lgg/glioma", np.random.default_rng(i))[1] for i in range(9)} == {"axial"}
    assert batches.plain("lgg/glioma", np.random.default_rng(0)).max((0, 2, 3))[:3].tolist() == [0, 0, 0]
