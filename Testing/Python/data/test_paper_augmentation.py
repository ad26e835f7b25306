"""Every change of the published augmentations by hand, and the draws within their ranges."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch

from BrainTumorSegLib.data.paper_augmentation import PaperAugmentation, PaperAugmentationConfig, apply, draw

C = PaperAugmentationConfig(rotation_deg=15, scale=0.15, crop_pad=16, brightness=0.3, gamma=(0.7, 1.5), noise=0.1)


def nothing(n: int = 1, channels: int = 1, size: int = 8) -> PaperAugmentation:
    return draw(PaperAugmentationConfig(), n, channels, size, torch.Generator().manual_seed(0))


def pictures(n: int = 1, channels: int = 1, size: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    images = torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(1))
    return images, (images[:, 0] > 0.5).to(torch.uint8) * 2


def test_a_configuration_without_ranges_changes_nothing() -> None:
    images, labels = pictures(3, 2)
    changed, same = apply(nothing(3, 2), images, labels)
    assert torch.equal(changed, images)
    assert torch.equal(same, labels)


def test_one_seed_gives_one_draw_and_apply_is_its_deterministic_twin() -> None:
    draws = [draw(C, 4, 3, 32, torch.Generator().manual_seed(seed)) for seed in (5, 5, 6)]
    for f in fields(PaperAugmentation):
        assert torch.equal(getattr(draws[0], f.name), getattr(draws[1], f.name)), f.name
    images, labels = pictures(4, 3, 32)
    results = [apply(drawn, images, labels) for drawn in draws]
    assert torch.equal(results[0][0], results[1][0])
    assert torch.equal(results[0][1], results[1][1])
    assert not torch.equal(results[0][0], results[2][0])


def test_flips_mirror_image_and_labels_alike() -> None:
    images, labels = pictures()
    for name, axis in (("flip", -1), ("flip_vertical", -2)):
        changed, moved = apply(replace(nothing(), **{name: torch.tensor([-1.0])}), images, labels)
        assert torch.allclose(changed, images.flip(axis), atol=1e-5)
        assert torch.equal(moved, labels.flip(axis))


def test_a_quarter_turn_turns_both() -> None:
    images, labels = pictures()
    changed, moved = apply(replace(nothing(), angle=torch.tensor([torch.pi / 2])), images, labels)
    quarter = torch.rot90(images, 1, (2, 3))
    assert torch.allclose(changed, quarter, atol=1e-4)
    assert torch.equal(moved, torch.rot90(labels, 1, (1, 2)))


def test_a_zoom_of_two_doubles_the_middle_and_keeps_label_values() -> None:
    images = torch.zeros(1, 1, 8, 8)
    labels = torch.zeros(1, 8, 8, dtype=torch.uint8)
    labels[:, 3:5, 3:5], images[:, :, 3:5, 3:5] = 3, 1
    changed, moved = apply(replace(nothing(), zoom=torch.tensor([2.0])), images, labels)
    assert moved[0, 2:6, 2:6].eq(3).all()
    assert set(moved.unique().tolist()) == {0, 3}
    assert moved.sum() == 16 * 3
    assert changed[0, 0, 3:5, 3:5].min() > 0.99


def test_padding_by_reflection_and_cropping_is_a_shift() -> None:
    images, labels = pictures()
    drawn = replace(nothing(), pad=torch.tensor([2]), shift=torch.tensor([[0, 2]]))
    changed, moved = apply(drawn, images, labels)
    assert torch.equal(changed[0, 0, 2:], images[0, 0, :-2])
    assert torch.equal(changed[0, 0, 0], images[0, 0, 2])  # mirrored about row 0
    assert torch.equal(moved[0, 2:], labels[0, :-2])
    middle = apply(replace(drawn, shift=torch.tensor([[2, 2]])), images, labels)[0]
    assert torch.equal(middle, images)


def test_brightness_and_noise_are_added() -> None:
    images, labels = pictures(1, 2)
    noise = torch.randn(1, 2, 8, 8)
    changed = apply(replace(nothing(1, 2), brightness=torch.tensor([[0.5, -0.25]]), noise=noise), images, labels)[0]
    assert torch.allclose(changed[0, 0], images[0, 0] + 0.5 + noise[0, 0])
    assert torch.allclose(changed[0, 1], images[0, 1] - 0.25 + noise[0, 1])


def test_contrast_stretches_about_the_mean() -> None:
    images, labels = pictures()
    changed = apply(replace(nothing(), contrast=torch.tensor([1.5])), images, labels)[0]
    assert torch.allclose(changed, images.mean() + 1.5 * (images - images.mean()), atol=1e-6)


def test_gamma_keeps_mean_and_deviation_of_each_channel_and_their_order() -> None:
    images, labels = pictures(1, 2)
    changed = apply(replace(nothing(1, 2), gamma=torch.tensor([[1.5, 1.0]])), images, labels)[0]
    assert torch.equal(changed[0, 1], images[0, 1])
    assert changed[0, 0].mean() == pytest.approx(images[0, 0].mean().item(), abs=1e-5)
    assert changed[0, 0].std() == pytest.approx(images[0, 0].std().item(), abs=1e-5)
    assert torch.equal(changed[0, 0].flatten().argsort(), images[0, 0].flatten().argsort())
    assert not torch.allclose(changed[0, 0], images[0, 0], atol=0.01)


def test_blur_keeps_a_plain_and_spreads_a_point() -> None:
    images, labels = torch.full((1, 1, 9, 9), 2.0), torch.zeros(1, 9, 9, dtype=torch.uint8)
    blurred = replace(nothing(size=9), sigma=torch.tensor([1.0]))
    assert torch.allclose(apply(blurred, images, labels)[0], images)
    images = torch.zeros(1, 1, 9, 9)
    images[0, 0, 4, 4] = 1
    spread = apply(blurred, images, labels)[0][0, 0]
    assert spread.sum() == pytest.approx(1, abs=1e-4)
    assert spread[4, 5] / spread[4, 4] == pytest.approx(2.718281828**-0.5, abs=1e-4)


def test_draws_stay_in_the_published_ranges_and_fill_them() -> None:
    drawn = draw(C, 400, 4, 2, torch.Generator().manual_seed(0))
    degrees = torch.rad2deg(drawn.angle)
    assert -15 <= degrees.min() < -14
    assert 14 < degrees.max() <= 15
    assert 0.85 <= drawn.zoom.min() < 0.87
    assert 1.13 < drawn.zoom.max() <= 1.15
    assert (drawn.shift.min(), drawn.shift.max()) == (0, 32)
    changed = drawn.gamma[:, 0] != 1
    assert 0.4 < changed.float().mean() < 0.6
    assert 0.7 <= drawn.gamma.min() < 0.75
    assert 1.4 < drawn.gamma.max() <= 1.5
    bright = drawn.brightness[drawn.brightness[:, 0] != 0]
    assert bright.std() == pytest.approx(0.3, abs=0.03)
    assert (bright[:, 0] != bright[:, 1]).all()  # channel by channel
    noisy = drawn.noise[drawn.noise[:, 0, 0, 0] != 0]
    assert noisy.std() == pytest.approx(0.1, abs=0.01)
    assert (drawn.flip == 1).all()


def test_a_single_change_leaves_each_slice_in_one_of_six_forms() -> None:
    config = PaperAugmentationConfig(flip=1.0, flip_vertical=1.0, rotation_deg=15, blur_sigma=1.5, contrast=0.25, probability=1.0, single=True)
    drawn = draw(config, 600, 1, 2, torch.Generator().manual_seed(0))
    changes = torch.stack([drawn.flip != 1, drawn.flip_vertical != 1, drawn.angle != 0, drawn.sigma != 0, drawn.contrast != 1], 1)
    assert changes.sum(1).max() == 1
    assert (changes.sum(1) == 0).float().mean() == pytest.approx(1 / 6, abs=0.05)
    assert changes.float().mean(0).tolist() == pytest.approx([1 / 6] * 5, abs=0.05)
