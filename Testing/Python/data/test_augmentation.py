"""Every change of a slice can be replayed, every setting does something, and masks move with their images."""

from __future__ import annotations

import math
from dataclasses import asdict, fields, replace
from typing import Any

import pytest
import torch

from BrainTumorSegLib.data.augmentation import Augmentation, AugmentationConfig, apply, draw, to_device

pytestmark = pytest.mark.usefixtures("one_thread")

NOTHING = AugmentationConfig(
    rotation_deg=0.0,
    scale=(1.0, 1.0),
    shear=0.0,
    shift=0.0,
    flip=0.0,
    elastic=0.0,
    bias=0.0,
    gamma_probability=0.0,
    contrast=(1.0, 1.0),
    blur=0.0,
    low_resolution=0.0,
    noise_probability=0.0,
    erase=0.0,
)
ALWAYS = AugmentationConfig(flip=1, elastic=1, bias=1, gamma_probability=1, blur=1, low_resolution=1, noise_probability=1, erase=1, motion=1)
CHANGES: dict[str, Any] = {
    "rotation_deg": 40.0,
    "scale": (0.5, 0.6),
    "shear": 0.3,
    "shift": 0.3,
    "flip": 0.0,
    "elastic": 0.0,
    "elastic_size": 0.2,
    "bias": 0.0,
    "bias_size": 0.1,
    "gamma_probability": 0.0,
    "gamma": (2.0, 3.0),
    "contrast": (2.0, 3.0),
    "blur": 0.0,
    "blur_sigma": 3.0,
    "low_resolution": 0.0,
    "low_resolution_factor": 2.0,
    "noise_probability": 0.0,
    "noise": 0.5,
    "erase": 0.0,
    "motion": 0.0,
    "motion_size": 6.0,
}
GEOMETRY = {"rotation_deg", "scale", "shear", "shift", "flip", "elastic", "elastic_size"}
N, SIZE = 3, 48


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def slices() -> tuple[torch.Tensor, torch.Tensor]:
    """Tissue of 1 with structure, and two masks, [3, ., 48, 48]."""
    images = torch.zeros(N, 1, SIZE, SIZE)
    images[:, :, 6:42, 8:40] = 0.5 + torch.rand(N, 1, 36, 32, generator=seeded(9))
    targets = torch.zeros(N, 2, SIZE, SIZE)
    targets[:, 0, 12:20, 14:30] = 1
    targets[:, 1, 10:24, 12:36] = 1
    return images, targets


def plain() -> Augmentation:
    """The draw that changes nothing. `draw` always stretches a little, so the affine map is put in by hand."""
    return replace(draw(NOTHING, N, SIZE, seeded()), affine=torch.eye(2, 3).repeat(N, 1, 1))


def test_the_same_seed_replays_the_same_batch() -> None:
    images, targets = (t[:1].repeat(50, 1, 1, 1) for t in slices())
    first, again, other = (draw(AugmentationConfig(), 50, SIZE, seeded(seed)) for seed in (1, 1, 2))
    for field in fields(Augmentation):
        assert torch.equal(getattr(first, field.name), getattr(again, field.name)), field.name
        assert not torch.equal(getattr(first, field.name), getattr(other, field.name)), field.name
    for one, two in zip(apply(first, images, targets), apply(again, images, targets)):
        assert torch.equal(one, two)


def test_the_given_slices_are_not_changed() -> None:
    images, targets = slices()
    apply(draw(ALWAYS, N, SIZE, seeded()), images, targets)
    assert torch.equal(images, slices()[0])
    assert torch.equal(targets, slices()[1])


def test_the_draw_of_nothing_returns_the_input() -> None:
    images, targets = slices()
    same_images, same_targets = apply(plain(), images, targets)
    assert torch.allclose(same_images, images, atol=1e-4)
    assert torch.equal(same_targets, targets)


def test_without_ranges_only_the_fixed_stretch_of_a_tenth_is_left() -> None:
    affine = draw(NOTHING, 500, 4, seeded()).affine
    stretch = affine[:, 0, 0]
    assert torch.allclose(affine[:, 1, 1], 1 / stretch)
    assert torch.equal(affine[:, [0, 1], [1, 0]], torch.zeros(500, 2))
    assert 0.9 <= stretch.min() < 0.91
    assert 1.10 < stretch.max() <= 1 / 0.9


@pytest.mark.parametrize("name", [field.name for field in fields(AugmentationConfig)])
def test_every_setting_changes_what_it_says(name: str) -> None:
    images, targets = slices()
    usual = apply(draw(ALWAYS, N, SIZE, seeded()), images, targets)
    changed = apply(draw(replace(ALWAYS, **{name: CHANGES[name]}), N, SIZE, seeded()), images, targets)
    assert not torch.equal(changed[0], usual[0])
    assert torch.equal(changed[1], usual[1]) is (name not in GEOMETRY)  # intensity leaves the masks alone


@pytest.mark.parametrize("seed", range(5))
def test_masks_stay_0_or_1_and_everything_stays_finite(seed: int) -> None:
    images, targets = apply(draw(ALWAYS, N, SIZE, seeded(seed)), *slices())
    assert set(targets.unique().tolist()) == {0.0, 1.0}
    assert images.shape == (N, 1, SIZE, SIZE)
    assert targets.shape == (N, 2, SIZE, SIZE)
    assert torch.isfinite(images).all()


@pytest.mark.parametrize("seed", range(5))
def test_image_and_mask_move_together(seed: int) -> None:
    _, targets = slices()
    geometry = replace(NOTHING, **{name: value for name, value in asdict(ALWAYS).items() if name in GEOMETRY})
    moved, masks = apply(draw(geometry, N, SIZE, seeded(seed)), targets[:, :1], targets)
    assert not torch.equal(masks, targets)
    assert torch.equal((moved >= 0.5).float(), masks[:, :1])


def test_the_output_has_the_drawn_size_and_the_same_view() -> None:
    images, targets = slices()
    half = replace(draw(NOTHING, N, SIZE // 2, seeded()), affine=torch.eye(2, 3).repeat(N, 1, 1))
    small, masks = apply(half, images, targets)
    assert small.shape == (N, 1, 24, 24)
    assert torch.equal(masks, targets[:, :, ::2, ::2])  # edges are at even rows and columns


def test_a_window_keeps_the_resolution_and_lies_anywhere_in_the_slice() -> None:
    whole, window = (draw(NOTHING, 2000, 4, seeded(), field).affine for field in (1.0, 0.75))
    assert torch.allclose(window[:, :, :2], 0.75 * whole[:, :, :2])  # 3/4 of the width: 3 pixels of a window are 3 of the slice
    assert torch.equal(whole[:, :, 2], torch.zeros(2000, 2))
    for offset in window[:, :, 2].T:  # center + 0.75 half widths reach the edge of the slice, 1, and no farther
        assert -0.25 <= offset.min() < -0.24
        assert 0.24 < offset.max() <= 0.25


def test_weaker_is_rarer_and_leaves_poses_and_sizes_alone() -> None:
    half = AugmentationConfig().weaker(0.5)
    rarer = {"elastic": 0.2, "bias": 0.2, "gamma_probability": 0.25, "blur": 0.125, "low_resolution": 0.1, "noise_probability": 0.175, "erase": 0.05}
    assert half == replace(AugmentationConfig(), **rarer)
    assert AugmentationConfig().weaker(1.0) == AugmentationConfig()


# --- geometry by hand


def moved(affine: list[list[float]]) -> torch.Tensor:
    return apply(replace(plain(), affine=torch.tensor(affine, dtype=torch.float32).repeat(N, 1, 1)), *slices())[1]


def test_the_affine_map_leads_from_output_to_input() -> None:
    targets = slices()[1]
    assert torch.equal(moved([[-1, 0, 0], [0, 1, 0]]), targets.flip(3))
    # a shift of 0.25 of the half width is 6 pixels: what is seen comes from 6 pixels further right
    assert torch.equal(moved([[1, 0, 0.25], [0, 1, 0]])[..., :-6], targets[..., 6:])
    # row y, column x shows row -x, column y: a quarter turn clockwise
    assert torch.equal(moved([[0, 1, 0], [-1, 0, 0]]), targets.rot90(-1, (2, 3)))


def test_every_slice_is_flipped_where_flip_is_1_and_half_of_them_by_default() -> None:
    def mirrored(flip: float) -> float:
        return float((draw(replace(NOTHING, flip=flip), 1000, 4, seeded()).affine[:, 0, 0] < 0).float().mean())

    assert (mirrored(0.0), mirrored(1.0)) == (0.0, 1.0)
    assert 0.45 < mirrored(0.5) < 0.55


def test_draws_fill_their_ranges() -> None:
    config = AugmentationConfig()
    drawn = draw(config, 4000, 2, seeded())
    # the determinant of the map from output to input is 1 / zoom^2, negative for mirrored slices; stretch and shear keep it
    zoom = torch.linalg.det(drawn.affine[:, :, :2]).abs() ** -0.5
    assert (float(zoom.min()), float(zoom.max())) == (pytest.approx(0.75, abs=0.01), pytest.approx(1.35, abs=0.01))
    assert float(zoom.log().mean()) == pytest.approx((torch.tensor(0.75).log() + torch.tensor(1.35).log()).item() / 2, abs=0.01)
    rotation = replace(NOTHING, rotation_deg=20.0)
    affine = draw(rotation, 4000, 2, seeded()).affine
    assert float(torch.rad2deg(torch.atan2(affine[:, 1, 0], affine[:, 0, 0])).abs().max()) == pytest.approx(20, abs=0.1)
    for values, low, high in (
        (drawn.affine[:, :, 2], -0.16, 0.16),  # 8 % of the size, in half widths
        (drawn.elastic, -0.06, 0.06),
        (drawn.bias, -0.4, 0.4),
        (drawn.gamma, 0.65, 1.5),
        (drawn.contrast, 0.7, 1.4),
        (drawn.sigma, 0.0, 1.5),
        (drawn.shrink, 1.0, 3.0),
        (drawn.noise_sd, 0.0, 0.12),
        (drawn.box[:, :2], 0.0, 0.8),
        (drawn.box[:, 2], 0.0, 0.25),
        (draw(replace(config, motion=1.0), 4000, 2, seeded()).motion[:, 0], 0.3, 3.0),
    ):
        assert low <= float(values.min()) <= low + 0.02 * (high - low)
        assert high - 0.02 * (high - low) <= float(values.max()) <= high


@pytest.mark.parametrize(
    ("field", "probability"),
    [("elastic", 0.4), ("bias", 0.4), ("sigma", 0.25), ("noise_sd", 0.35), ("shrink", 0.2), ("gamma", 0.5), ("box", 0.1), ("motion", 0.3)],
)
def test_changes_happen_as_often_as_they_should(field: str, probability: float) -> None:
    values = getattr(draw(AugmentationConfig(motion=0.3), 4000, 2, seeded()), field)
    neutral = 1.0 if field in ("shrink", "gamma") else 0.0
    happened = (values[:, 2] if field == "box" else values.flatten(1)[:, 0] if values.ndim > 1 else values) != neutral
    assert float(happened.float().mean()) == pytest.approx(probability, abs=0.03)


# --- intensity by hand


def changed(**values: torch.Tensor) -> torch.Tensor:
    return apply(replace(plain(), **values), *slices())[0]


def same(values: torch.Tensor, expected: torch.Tensor) -> bool:
    return torch.allclose(values, expected, atol=2e-4)


def test_gamma_and_contrast_are_powers_and_factors_about_mean_tissue() -> None:
    images = slices()[0]
    assert same(changed(gamma=torch.full((N,), 2.0)), images**2)
    assert same(changed(contrast=torch.full((N,), 1.3)), images * 1.3)


def test_a_constant_bias_is_its_exponential() -> None:
    assert same(changed(bias=torch.full((N, 1, 4, 4), 0.5)), slices()[0] * 1.6487)


def test_noise_is_added_last_with_its_deviation() -> None:
    drawn = plain()
    assert same(changed(noise_sd=torch.tensor([0.0, 0.1, 0.2])) - slices()[0], drawn.noise[:, None] * torch.tensor([0.0, 0.1, 0.2])[:, None, None, None])


def test_blur_spreads_and_keeps_the_sum() -> None:
    blurred = changed(sigma=torch.full((N,), 1.0))
    images = slices()[0]
    assert float(blurred.sum()) == pytest.approx(float(images.sum()), rel=1e-4)  # tissue ends 6 pixels before the border
    assert float(blurred[:, :, 12:36, 12:36].var()) < 0.3 * float(images[:, :, 12:36, 12:36].var())


def test_low_resolution_is_the_mean_of_blocks_put_back() -> None:
    images = slices()[0]
    small = images.view(N, 1, 24, 2, 24, 2).mean((3, 5))
    expected = torch.nn.functional.interpolate(small, scale_factor=2, mode="bilinear")
    assert same(changed(shrink=torch.full((N,), 2.0)), expected)


def shaken(image: torch.Tensor, *motion: float) -> torch.Tensor:
    drawn = replace(draw(NOTHING, 1, SIZE, seeded()), affine=torch.eye(2, 3)[None], motion=torch.tensor([motion]))
    return apply(drawn, image[None, None], image[None, None] * 0)[0][0, 0]


@pytest.mark.parametrize("axis", [0, 1])
def test_a_head_that_is_displaced_for_all_lines_alike_is_only_moved(axis: int) -> None:
    image = 0.5 + torch.rand(SIZE, SIZE, generator=seeded(4))
    moved = shaken(image, 2.0, 1e9, torch.pi / 2, float(axis == 0))
    assert same(moved, image.roll(2, axis))


def test_ghosts_are_the_sum_over_lines_of_which_each_saw_the_head_elsewhere() -> None:
    image = 0.5 + torch.rand(SIZE, SIZE, generator=seeded(4))
    image[:, :5] = 0.0
    rows = torch.arange(SIZE, dtype=torch.float64)
    expected = torch.zeros(SIZE, SIZE, dtype=torch.complex128)
    for line in range(SIZE):  # line 0 is the most negative frequency
        frequency, displaced = (line - SIZE // 2) / SIZE, 1.5 * math.sin(2 * math.pi * line / 8 + 1.0)
        measured = (image.double() * torch.exp(-2j * torch.pi * frequency * (rows + displaced))[:, None]).sum(0)
        expected += measured * torch.exp(2j * torch.pi * frequency * rows)[:, None] / SIZE
    ghosted = shaken(image, 1.5, 8.0, 1.0, 1.0)
    assert same(ghosted[:, 5:], expected.abs().float()[:, 5:])
    assert not ghosted[:, :5].any()  # a stripped skull stays stripped
    assert float((ghosted - image).abs().max()) > 0.1


def test_an_erased_box_becomes_its_mean() -> None:
    box = torch.tensor([[0.25, 0.5, 0.25, 0.125], [0.0, 0.0, 0.0, 0.5], [0.0, 0.0, 0.0, 0.0]])  # 12 rows from 12, 6 columns from 24
    erased, expected = changed(box=box), slices()[0]
    expected[0, 0, 12:24, 24:30] = expected[0, 0, 12:24, 24:30].mean()
    assert same(erased, expected)


def test_a_draw_moves_to_a_device_whole() -> None:
    drawn = draw(ALWAYS, 2, 4, seeded())
    there = to_device(drawn, torch.device("meta"))
    for field in fields(Augmentation):
        assert getattr(there, field.name).device.type == "meta"
        assert getattr(there, field.name).shape == getattr(drawn, field.name).shape


# --- several channels


def test_channels_are_deformed_alike_but_shaded_each_for_itself() -> None:
    generator = torch.Generator().manual_seed(5)
    drawn = draw(AugmentationConfig(noise_probability=1.0, bias=1.0, gamma_probability=1.0), 6, 32, generator, channels=4)
    assert (drawn.bias.shape, drawn.gamma.shape, drawn.noise.shape) == ((6, 4, 4, 4), (6, 4), (6, 4, 32, 32))
    for values in (drawn.bias.flatten(2).mean(2), drawn.gamma, drawn.contrast, drawn.noise_sd):
        assert (values.std(1) > 0).all()
    head = torch.zeros(6, 1, 32, 32)
    head[:, :, 8:24, 10:22] = 1
    shape_only = replace(
        drawn,
        bias=torch.zeros_like(drawn.bias),
        gamma=torch.ones_like(drawn.gamma),
        contrast=torch.ones_like(drawn.contrast),
        noise_sd=torch.zeros_like(drawn.noise_sd),
    )
    images, _ = apply(shape_only, head.repeat(1, 4, 1, 1), head)
    assert all(torch.equal(images[:, 0], images[:, k]) for k in range(1, 4))
    shaded, _ = apply(drawn, head.repeat(1, 4, 1, 1), head)
    assert not torch.allclose(shaded[:, 0], shaded[:, 1], atol=0.01)


def test_a_rectangle_is_erased_in_every_channel_to_its_own_mean() -> None:
    drawn = draw(AugmentationConfig(0.0, (1.0, 1.0), 0.0, 0.0, 0.0, contrast=(1.0, 1.0)).weaker(0.0), 1, 32, torch.Generator().manual_seed(1), channels=2)
    drawn = replace(drawn, affine=torch.tensor([[[1.0, 0, 0], [0, 1.0, 0]]]), box=torch.tensor([[0.25, 0.25, 0.25, 0.25]]))
    image = torch.arange(2 * 32 * 32).reshape(1, 2, 32, 32) / 1000
    erased, _ = apply(drawn, image, torch.zeros(1, 1, 32, 32))
    for k in range(2):
        assert torch.allclose(erased[0, k, 8:16, 8:16], image[0, k, 8:16, 8:16].mean())
