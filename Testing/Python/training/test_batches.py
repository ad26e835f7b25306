"""A batch follows from the recipe, the seed and the step, and from nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from BrainTumorSegLib.data.augmentation import AugmentationConfig
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training.batches import BatchMaker, known_pixels
from BrainTumorSegLib.training.recipe import Phase
from Testing.Python.tiny import TRAINING_POOLS, slice_set, tiny_recipe

pytestmark = pytest.mark.usefixtures("one_thread")

SLICES = slice_set(TRAINING_POOLS)
STILL = AugmentationConfig(
    rotation_deg=0,
    scale=(1, 1),
    shear=0,
    shift=0,
    flip=0,
    elastic=0,
    bias=0,
    gamma_probability=0,
    contrast=(1, 1),
    blur=0,
    low_resolution=0,
    noise_probability=0,
    erase=0,
)


def test_the_same_seed_and_step_give_the_same_batch_in_any_order() -> None:
    maker, other = BatchMaker(SLICES, tiny_recipe()), BatchMaker(SLICES, tiny_recipe())
    maker(0)
    for one, two in zip(maker(3), other(3)):
        assert torch.equal(one, two)


def test_another_step_or_seed_gives_another_batch() -> None:
    maker = BatchMaker(SLICES, tiny_recipe())
    assert not torch.equal(maker(0)[0], maker(1)[0])
    assert not torch.equal(maker(0)[0], BatchMaker(SLICES, tiny_recipe(seed=2))(0)[0])


def test_the_same_slice_is_changed_otherwise_at_another_step_or_seed() -> None:
    one_each = slice_set({"cheng/glioma": 1}, size=32)
    batches = [BatchMaker(one_each, tiny_recipe(batch={"cheng/glioma": 1}, seed=seed))(step)[0] for seed, step in ((1, 0), (1, 1), (2, 0))]
    assert not torch.equal(batches[0], batches[1])
    assert not torch.equal(batches[0], batches[2])


def test_the_size_follows_the_phases() -> None:
    maker = BatchMaker(SLICES, tiny_recipe())  # 4 steps at 32, then 64
    assert [tuple(t.shape) for t in maker(3)] == [(4, 1, 32, 32), (4, 2, 32, 32), (4, 2, 32, 32)]
    assert maker(4)[0].shape == (4, 1, 64, 64)


def test_a_phase_may_see_a_window() -> None:
    one = slice_set({"cheng/glioma": 1}, size=32)
    one.targets[:] = 1
    shares = []
    for field in (1.0, 0.5):
        maker = BatchMaker(
            one, tiny_recipe(phases=(Phase(9, 32, 1.0, field=field),), batch={"cheng/glioma": 64}, augmentation=replace(STILL, scale=(0.4, 0.4)))
        )
        shares.append(float(maker(0)[1][:, 0].mean()))
    # shrunk to 0.4, the slice fills 0.16 of the picture; half the width of that view, it fills up to 0.64 of the window
    assert shares[0] == pytest.approx(0.16, abs=0.03)
    assert shares[1] > 0.3


def test_each_pool_gives_its_share_in_the_order_of_the_recipe() -> None:
    numbered = slice_set({"cheng/glioma": 8, "cheng/pituitary": 4, "no_tumor/none": 8}, size=32)
    numbered.images[:] = np.arange(1, 21)[:, None, None]
    numbered.low[:], numbered.high[:], numbered.mean[:] = 0, 255, 1  # tissue is the number of the slice
    maker = BatchMaker(numbered, tiny_recipe(batch={"no_tumor/none": 1, "cheng/pituitary": 3, "cheng/glioma": 2}, augmentation=STILL))
    drawn = np.array([[round(float(image[0, 16, 16])) for image in maker(step)[0]] for step in range(40)])
    assert set(drawn[:, 0]) == set(range(13, 21))
    assert set(drawn[:, 1:4].ravel()) == set(range(9, 13))
    assert set(drawn[:, 4:].ravel()) == set(range(1, 9))


def test_a_phase_may_change_slices_less() -> None:
    noisy = replace(STILL, noise_probability=1.0, noise=0.5)

    def batch(share: float) -> torch.Tensor:
        return BatchMaker(SLICES, tiny_recipe(augmentation=noisy, phases=(Phase(1, 32, augmentation=share),)))(0)[0]

    still = BatchMaker(SLICES, tiny_recipe(augmentation=STILL))(0)[0]
    assert torch.equal(batch(0.0), still)
    assert not torch.equal(batch(1.0), still)


def test_tumors_are_pasted_as_often_as_the_recipe_says_and_change_nothing_else() -> None:
    slices = slice_set({"cheng/glioma": 4, "no_tumor/none": 6}, size=224)
    plain = tiny_recipe(batch={"cheng/glioma": 1, "no_tumor/none": 3}, augmentation=STILL, phases=(Phase(9, 224, peak=1.0),))
    with_tumors = replace(plain, paste={"no_tumor/none": 0.5})
    before, after = BatchMaker(slices, plain), BatchMaker(slices, with_tumors)
    again = BatchMaker(slices, with_tumors)
    pasted = 0
    for step in range(8):
        (images, targets, _), (changed, marked, _) = before(step), after(step)
        assert torch.equal(images[0], changed[0])  # gliomas receive none
        assert torch.equal(targets[0], marked[0])
        assert not targets[1:].any()
        for i in range(1, 4):
            has = bool(marked[i].any())
            pasted += has
            assert torch.equal(images[i], changed[i]) != has
            assert torch.equal(marked[i, 0], marked[i, 1])  # the tumor, and so the whole tumor
        assert torch.equal(again(step)[0], changed)
    assert 6 <= pasted <= 18  # of 24 at a chance of one half


def test_tumors_cannot_be_pasted_into_what_is_not_drawn_or_from_nowhere() -> None:
    with pytest.raises(InputError, match="paste names brats/none, but the batch is drawn from cheng/glioma; correct paste or batch"):
        BatchMaker(SLICES, tiny_recipe(batch={"cheng/glioma": 1}, paste={"brats/none": 0.5}))
    with pytest.raises(InputError, match="paste needs slices with a tumor to take it from, but batch draws none; add such a pool to batch, or leave paste out"):
        BatchMaker(SLICES, tiny_recipe(batch={"no_tumor/none": 1}, paste={"no_tumor/none": 0.5}))


def test_an_empty_pool_is_refused_by_name() -> None:
    with pytest.raises(
        InputError, match="no training slice belongs to brats/none, cheng/meningioma, which recipe t1ce-tumor draws from; check the data folder or set batch"
    ):
        BatchMaker(SLICES, tiny_recipe(batch={"cheng/glioma": 1, "brats/none": 1, "cheng/meningioma": 1}))


def test_targets_are_the_two_bits() -> None:
    maker = BatchMaker(SLICES, tiny_recipe(augmentation=STILL))
    _, targets, _ = maker(4)
    assert (targets[:, 0] <= targets[:, 1]).all()  # the tumor lies in the whole tumor
    assert targets[0, 0].any()
    assert (targets[0, 1] > targets[0, 0]).any()
    assert not targets[3, 0].any()  # t1ce_slices know the whole tumor only
    assert targets[3, 1].any()


def test_what_is_not_known_of_each_source_is_left_out() -> None:
    # pixels: background, edema, tumor; channels: tumor, whole tumor
    targets = torch.tensor([[[[0, 0, 1]], [[0, 1, 1]]]], dtype=torch.float32).repeat(4, 1, 1, 1)
    known = known_pixels(np.array(["t1ce_slices", "cheng", "brats", "no_tumor"]), targets)
    assert known[0].tolist() == [[[1, 0, 0]], [[1, 1, 1]]]  # inside the whole tumor, where the tumor proper lies is unknown
    assert known[1].tolist() == [[[1, 1, 1]], [[0, 0, 0]]]  # edema is not drawn
    assert known[2:].min() == 1
