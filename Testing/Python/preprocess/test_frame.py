"""Slices laid into the network's canvas and maps brought back."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.preprocess.frame import PIXEL_MM, Frame, frame_for_picture, frame_for_volume, resize_matrix


def test_step_1_at_the_same_size_changes_nothing() -> None:
    assert np.array_equal(resize_matrix(5, 5, 1.0), np.eye(5))


def test_step_1_onto_a_larger_size_is_centered_padding() -> None:
    assert resize_matrix(3, 5, 1.0).tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]


def test_doubling_is_linear_interpolation_worked_out_by_hand() -> None:
    # centers of 4 output samples on 2 inputs: (j - 1.5) / 2 + 0.5 = -0.25, 0.25, 0.75, 1.25; beyond the border is 0
    assert resize_matrix(2, 4, 0.5).tolist() == [[0.75, 0], [0.75, 0.25], [0.25, 0.75], [0, 0.75]]


def test_halving_averages_with_a_triangle_of_twice_the_width() -> None:
    # centers of 2 outputs on 4 inputs: -0.5 * 2 + 1.5 = 0.5 and 2.5; weights 1 - |d| / 2 at d = 0.5, 1.5: 0.75 and 0.25, sum 2
    assert resize_matrix(4, 2, 2.0).tolist() == [[0.375, 0.375, 0.125, 0], [0, 0.125, 0.375, 0.375]]


@pytest.mark.parametrize("step", [0.3, 0.5, 0.933, 1.0, 1.0714, 2.0, 4.6])
def test_rows_sum_to_1_inside_and_to_0_far_outside(step: float) -> None:
    matrix = resize_matrix(100, 300, step)
    centers = (np.arange(300) - 149.5) * step + 49.5
    width = max(step, 1.0)
    inside = (centers >= width - 1) & (centers <= 100 - width)  # the whole triangle lies on input samples
    outside = (centers <= -1 - width) | (centers >= 100 + width)
    assert inside.sum() >= 20
    assert np.allclose(matrix.sum(1)[inside], 1, atol=1e-6)
    assert np.array_equal(matrix[outside], np.zeros((outside.sum(), 100)))
    assert (matrix >= 0).all()
    assert (matrix.sum(1) <= 1 + 1e-6).all()


@pytest.mark.parametrize(("size_in", "size_out", "step"), [(5, 8, 0.7), (7, 4, 1.9), (240, 224, PIXEL_MM), (6, 6, 1.0)])
def test_both_directions_are_treated_alike(size_in: int, size_out: int, step: float) -> None:
    matrix = resize_matrix(size_in, size_out, step)
    assert np.allclose(matrix, matrix[::-1, ::-1], atol=1e-6)


def test_a_slice_of_240_mm_fills_224_pixels_exactly() -> None:
    assert frame_for_volume((240, 240), (1.0, 1.0)).canvas == (224, 224)
    assert frame_for_volume((480, 120), (0.5, 2.0)).canvas == (224, 224)
    assert frame_for_volume((300, 300), (0.8, 0.8)).canvas == (224, 224)  # 300 / (15 / 14 / 0.8) is 224.00000000000003
    # 181 mm are 168.9 pixels -> 192; 217 mm are 202.5 -> 224; 256 mm are 238.9 -> 256; 241 mm are 224.9 -> 256
    assert frame_for_volume((181, 217), (1.0, 1.0)).canvas == (192, 224)
    assert frame_for_volume((256, 241), (1.0, 1.0)).canvas == (256, 256)


def test_the_canvas_is_a_multiple_of_32_that_holds_the_whole_slice() -> None:
    numbers = np.random.default_rng(0)
    for _ in range(200):
        shape = (int(numbers.integers(1, 600)), int(numbers.integers(1, 600)))
        spacing = (float(numbers.uniform(0.3, 7)), float(numbers.uniform(0.3, 7)))
        for side, n, mm in zip(frame_for_volume(shape, spacing).canvas, shape, spacing):
            assert side % 32 == 0
            assert side * PIXEL_MM >= n * mm - 1e-3
            assert side == 32 or (side - 32) * PIXEL_MM < n * mm


def test_a_canvas_pixel_is_15_over_14_mm_in_both_directions() -> None:
    frame = frame_for_volume((100, 50), (1.0, 3.0))
    assert frame.step == (pytest.approx(15 / 14), pytest.approx(5 / 14))


def test_a_small_square_lands_where_its_millimeters_say() -> None:
    # 15/14 mm pixels need no resampling: 40 x 50 slice pixels are centered on 64 x 64, 12 and 7 pixels in
    frame = frame_for_volume((40, 50), (PIXEL_MM, PIXEL_MM))
    slices = np.random.default_rng(0).random((2, 40, 50), np.float32)
    canvas = frame.to_canvas(slices)
    assert canvas.shape == (2, 64, 64)
    assert canvas.dtype == np.float32
    assert np.array_equal(canvas[:, 12:52, 7:57], slices)
    assert canvas.sum() == pytest.approx(slices.sum())
    assert np.array_equal(frame.from_canvas(canvas), slices)


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.5, 0.45), (0.9, 1.3), (2.0, 1.1), (4.0, 4.0)])
def test_a_smooth_image_survives_the_way_there_and_back(spacing: tuple[float, float]) -> None:
    shape = (round(180 / spacing[0]), round(200 / spacing[1]))
    y = (np.arange(shape[0]) - shape[0] / 2)[:, None] * spacing[0]
    x = (np.arange(shape[1]) - shape[1] / 2)[None] * spacing[1]
    image = np.exp(-((y - 20) ** 2 + (x + 30) ** 2) / (2 * 20.0**2))  # a hill of 20 mm, off center
    frame = frame_for_volume(shape, spacing)
    back = frame.from_canvas(frame.to_canvas(image[None]))[0]
    # linear interpolation errs by at most h^2 / 8 times the curvature 1 / 20^2, there and back, along both axes
    assert np.abs(back - image).max() < 0.02


def test_flipped_slices_give_flipped_canvases() -> None:
    frame = frame_for_volume((61, 84), (1.3, 0.7))
    slices = np.random.default_rng(1).random((3, 61, 84))
    canvas = frame.to_canvas(slices)
    assert np.allclose(frame.to_canvas(slices[:, ::-1, ::-1]), canvas[:, ::-1, ::-1], atol=1e-5)
    assert np.allclose(frame.from_canvas(canvas[:, ::-1]), frame.from_canvas(canvas)[:, ::-1], atol=1e-5)


def test_a_picture_fills_224_pixels_with_its_longer_side() -> None:
    assert frame_for_picture((512, 512)) == Frame((512, 512), (512 / 224, 512 / 224), (224, 224))
    assert frame_for_picture((300, 400)) == Frame((300, 400), (400 / 224, 400 / 224), (224, 224))
    canvas = frame_for_picture((300, 400)).to_canvas(np.ones((1, 300, 400)))[0]
    # the shorter side becomes 168 pixels, so 28 above and 28 below stay empty but for the soft border
    assert np.array_equal(canvas[:27], np.zeros((27, 224)))
    assert np.array_equal(canvas[-27:], np.zeros((27, 224)))
    assert np.allclose(canvas[30:-30, 2:-2], 1, atol=1e-5)


def test_a_small_picture_is_enlarged() -> None:
    frame = frame_for_picture((56, 112))
    assert frame.step == (0.5, 0.5)
    assert frame.canvas == (224, 224)
    picture = np.zeros((1, 56, 112))
    picture[0, 10:20, 80:100] = 1
    back = frame.from_canvas(frame.to_canvas(picture))
    assert back.shape == (1, 56, 112)
    assert np.array_equal(back > 0.5, picture > 0.5)
