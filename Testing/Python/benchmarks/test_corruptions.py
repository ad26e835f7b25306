"""The corruptions on small volumes, with answers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.volume import Volume
from Testing.Benchmarks.corruptions import (
    CORRUPTIONS,
    Corruption,
    bias_field,
    blur,
    corrupt,
    find_corruptions,
    gamma,
    ghosts,
    linear,
    rician,
    rotate,
    thick_slices,
)
from Testing.Python.tiny import positions

ONE_MM = (1.0, 1.0, 1.0)


def drawn() -> np.random.Generator:
    return np.random.default_rng(5)


def test_linear_changes_air_too() -> None:
    assert linear(3, 200)(np.array([[[0, 1, 2]]], np.float32), ONE_MM, drawn()).tolist() == [[[200, 203, 206]]]


def test_gamma_keeps_air_and_the_brightest() -> None:
    assert gamma(0.5)(np.array([[[0, 1, 4]]], np.float32), ONE_MM, drawn()).tolist() == [[[0, 2, 4]]]


def test_rician_noise_has_the_stated_sigma_and_leaves_the_stripped_skull() -> None:
    image = np.full((40, 40, 40), 100, np.float32)
    image[:20] = 0
    noisy = rician(0.1)(image, ONE_MM, drawn())
    assert not noisy[:20].any()
    assert float((noisy[20:] ** 2).mean()) == pytest.approx(100**2 + 2 * 10**2, abs=40)  # a deviation of 2000 over 32,000 voxels: 11
    assert float(noisy[20:].std()) == pytest.approx(10, rel=0.02)


def test_a_bias_field_spans_its_amplitude_over_the_tissue_and_is_smooth() -> None:
    image = np.full((16, 16, 16), 100, np.float32)
    image[:, :, :4] = 0
    field = bias_field(0.2)(image, ONE_MM, drawn()) / 100
    assert not field[:, :, :4].any()
    inside = field[:, :, 4:]
    assert (float(inside.min()), float(inside.max())) == pytest.approx((0.8, 1.2))
    fourth = np.diff(np.diff(inside, n=2, axis=0), n=2, axis=1)  # of a polynomial of degree 3 it vanishes
    assert float(np.abs(fourth).max()) < 1e-5
    assert float(np.abs(np.diff(inside, axis=0)).max()) > 1e-3


def test_blur_has_the_stated_width_in_mm_on_any_spacing() -> None:
    image = np.ones((21, 41, 41), np.float32)
    image[10, 20, 20] = 1001
    spacing = (2.0, 1.0, 1.0)
    spread = blur(2.0)(image, spacing, drawn()) - 1
    assert float(spread.sum()) == pytest.approx(1000, rel=1e-3)
    for axis, step in enumerate(spacing):
        profile = spread.sum(axis=tuple(other for other in range(3) if other != axis))
        place = (np.arange(len(profile)) - len(profile) // 2) * step
        assert np.sqrt((profile * place**2).sum() / profile.sum()) == pytest.approx(2.0, rel=0.01)


def test_blur_neither_darkens_the_rim_of_a_stripped_brain_nor_spreads_beyond_it() -> None:
    image = np.zeros((8, 8, 16), np.float32)
    image[:, :, 8:] = 100
    np.testing.assert_allclose(blur(2.0)(image, ONE_MM, drawn()), image, atol=1e-3)


def test_ghosts_turn_the_phase_of_each_line_by_its_displacement() -> None:
    """Eight lines, period 4: the lines of frequency +1/8 and -1/8 are the 6th and 4th taken, so they see +A and -A, and the mean's line 0.

    Both halves of a cosine are then multiplied by exp(-2 pi i A / 8): by -1 for A = 4 voxels, by -i for A = 2 voxels.
    With a period of 12 they see A sin(150°) = A / 2 and A sin(90°) = A: for A = 4 one is multiplied by -i, the other by -1.
    """
    cosine = np.cos(2 * np.pi * np.arange(8) / 8)
    image = np.broadcast_to((2 + cosine)[:, None], (2, 8, 3)).astype(np.float32)
    spacing = (1.0, 2.0, 1.0)
    opposite, quarter = ghosts(8.0, 4)(image, spacing, drawn()), ghosts(4.0, 4)(image, spacing, drawn())
    np.testing.assert_allclose(opposite[1, :, 2], 2 - cosine, atol=1e-5)
    np.testing.assert_allclose(quarter[0, :, 0], np.sqrt(4 + cosine**2), atol=1e-5)
    half = (np.sin(2 * np.pi * np.arange(8) / 8) - cosine) / 2  # real and imaginary part of (-i exp(iy) - exp(-iy)) / 2
    np.testing.assert_allclose(ghosts(8.0, 12)(image, spacing, drawn())[0, :, 0], np.hypot(2 + half, half), atol=1e-5)


def test_ghosts_of_a_head_that_lies_still_are_none() -> None:
    image = np.random.default_rng(0).uniform(1, 2, (2, 12, 5)).astype(np.float32)
    np.testing.assert_allclose(ghosts(0.0, 8)(image, ONE_MM, drawn()), image, atol=1e-5)
    assert np.abs(ghosts(1.0, 8)(image, ONE_MM, drawn()) - image).max() > 0.05


def test_thick_slices_are_means_in_their_place() -> None:
    """Five slices of 2 mm become two of 4 mm; downwards, so that the first lies 1 mm below where it was."""
    array = np.array([0, 2, 4, 10, 99], np.float32)[:, None, None] * np.ones((1, 2, 2), np.float32)
    volume = Volume(array, (1.0, 1.0, 2.0), (7.0, 8.0, 9.0), (1, 0, 0, 0, -1, 0, 0, 0, -1))
    thick = thick_slices(4.0)(volume)
    assert thick.array[:, 0, 0].tolist() == [1, 7]
    assert thick.spacing_mm == (1.0, 1.0, 4.0)
    assert thick.origin == (7.0, 8.0, 8.0)


def test_a_positive_turn_takes_the_first_axis_to_the_second_in_millimeters() -> None:
    """About x by 90°: what lies 2 mm up in z (one voxel) comes to lie 2 mm along y (two voxels)."""
    volume = Volume(np.zeros((5, 9, 1), np.float32), (1.0, 1.0, 2.0))
    volume.array[3, 4, 0] = 1
    turned = rotate(2, 90)(volume).array
    assert turned.shape == (5, 10, 1)  # 5 slices of 2 mm are 10 rows of 1 mm
    assert turned[2, :, 0].tolist() == pytest.approx([0, 0, 0, 0, 0, 0.25, 0.75, 0.75, 0.25, 0], abs=1e-6)  # about row 4.5 + 2


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_turned_head_is_whole_and_keeps_its_middle(axis: int) -> None:
    volume = Volume(np.zeros((20, 30, 40), np.float32), (1.0, 1.5, 2.0), (5.0, 6.0, 7.0))
    corners = volume.array[1:-1:3, 1:-1:3, 1:-1:3]
    corners[[0, -1]] = 1
    turned = rotate(axis, 20)(volume)
    assert float(turned.array.sum()) == pytest.approx(float(volume.array.sum()), rel=0.02)
    assert turned.spacing_mm == volume.spacing_mm
    assert positions(turned).mean(axis=(0, 1, 2)) == pytest.approx(positions(volume).mean(axis=(0, 1, 2)))
    back = rotate(axis, -20)(turned)
    assert float(np.corrcoef(thin(back, volume.array.shape), volume.array.ravel())[0, 1]) > 0.3  # turned twice, a voxel is smeared, but in its place


def thin(volume: Volume, shape: tuple[int, ...]) -> np.ndarray:
    """The middle of a volume, of this shape, where both have an even or an odd length; else half a voxel aside."""
    start = [(a - b) // 2 for a, b in zip(volume.array.shape, shape)]
    return volume.array[tuple(slice(s, s + n) for s, n in zip(start, shape))].ravel()


def test_the_reference_goes_where_the_image_goes() -> None:
    """Of two slices that become one, the reference has a voxel where half of it was there."""
    volume = Volume(np.array([[[1, 2, 3]], [[3, 4, 5]]], np.int16), (1.0, 1.0, 1.0))
    masks = {"TC": np.array([[[True, False, True]], [[True, False, False]]])}
    volumes, moved = corrupt(Corruption("thick", "", spatial=thick_slices(2)), {"t1ce": volume}, masks)
    assert volumes["t1ce"].array.tolist() == [[[2, 3, 4]]]
    assert moved["TC"].tolist() == [[[True, False, True]]]
    _, same = corrupt(Corruption("double", "", linear(2, 0)), {"t1ce": volume}, masks)
    assert same["TC"] is masks["TC"]


def test_noise_is_the_same_every_time_and_another_one_in_each_sequence_and_case() -> None:
    volume = Volume(np.full((8, 8, 8), 100, np.float32))
    noise = Corruption("noise", "", rician(0.1))
    pair, again = (corrupt(noise, {"t1": volume, "t2": volume}, {}, seed=3)[0] for _ in range(2))
    other, _ = corrupt(noise, {"t1": volume}, {}, seed=4)
    np.testing.assert_array_equal(pair["t1"].array, again["t1"].array)
    assert np.abs(pair["t1"].array - pair["t2"].array).max() > 1
    assert np.abs(pair["t1"].array - other["t1"].array).max() > 1


def test_millimeters_are_not_invented() -> None:
    picture = Volume(np.arange(8, dtype=np.float32).reshape(1, 2, 4), has_millimeters=False)
    in_mm = next(corruption for corruption in CORRUPTIONS if corruption.needs_mm)
    with pytest.raises(ValueError, match="spacing of these volumes is unknown"):
        corrupt(in_mm, {"flair": picture}, {})


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda corruption: corruption.name)
def test_every_corruption_but_none_changes_the_image(corruption: Corruption) -> None:
    volume = Volume(np.random.default_rng(1).uniform(50, 150, (12, 20, 24)).astype(np.float32), (1.0, 1.0, 1.0))
    mask = np.zeros(volume.array.shape, bool)
    mask[3:9, 6:14, 8:16] = True
    volumes, masks = corrupt(corruption, {"t1ce": volume}, {"TC": mask})
    image = volumes["t1ce"]
    assert image.array.dtype == np.float32
    assert masks["TC"].shape == image.array.shape
    assert masks["TC"].sum() * image.voxel_ml == pytest.approx(mask.sum() * volume.voxel_ml, rel=0.35)  # 6 mm high: slabs of 5 mm keep 4 or 5
    unchanged = image.array.shape == volume.array.shape and np.abs(image.array - volume.array).max() < 0.5
    assert unchanged == (corruption.name == "none")


def test_corruptions_are_found_by_name_with_none_to_compare_with() -> None:
    assert [corruption.name for corruption in find_corruptions("blur-1, scale-up")] == ["none", "scale-up", "blur-1"]
    assert find_corruptions(None) == list(CORRUPTIONS)
    with pytest.raises(SystemExit, match="no corruption is called fog; choose from none, scale-up"):
        find_corruptions("fog")
