"""Slices of every plane go through the network in small batches and their maps are fused where they belong."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.errors import Cancelled
from BrainTumorSegLib.inference.models import ModelInfo
from BrainTumorSegLib.inference.predictor import BATCH, predict
from BrainTumorSegLib.inference.slicing import Slicing
from BrainTumorSegLib.preprocess.frame import PIXEL_MM
from BrainTumorSegLib.progress import CancelToken
from Testing.Python.tiny import CountingSession, model_row

ALL = ("axial", "coronal", "sagittal")
STEP = (PIXEL_MM, PIXEL_MM, PIXEL_MM)  # the canvas's own pixels: nothing is resampled


def silent(fraction: float, message: str) -> None:
    pass


@pytest.fixture
def model(tmp_path: Path) -> ModelInfo:
    row = model_row(tmp_path / "none.onnx")
    lists = {key: tuple(row[key]) for key in ("inputs", "planes", "training_data")}
    return ModelInfo(**{**row, **lists, "path": tmp_path / "none.onnx", "size_mb": 0.0})


class Shifted(CountingSession):
    """A network that moves its picture one pixel down and two to the right."""

    def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
        return np.roll(slices[:, :1], (1, 2), (2, 3))


@pytest.mark.parametrize(
    ("plane", "move"),  # [z up, y back, x left]
    [
        ("axial", (0, 1, 2)),  # down is back, right is the patient's left
        ("coronal", (-1, 0, 2)),  # down is down, right is left
        ("sagittal", (-1, 2, 0)),  # down is down, right is back
    ],
)
def test_what_a_network_sees_on_a_slice_lands_there_in_the_volume(model: ModelInfo, plane: str, move: tuple[int, int, int]) -> None:
    tissue = np.zeros((1, 20, 20, 20), np.float32)
    tissue[:, 4:16, 4:16, 4:16] = np.random.default_rng(0).uniform(0.5, 2, (12, 12, 12))
    moved = predict(tissue, STEP, (plane,), Shifted(model), silent)
    assert moved.shape == tissue.shape
    assert moved.dtype == np.float32
    assert np.allclose(moved, np.roll(tissue, move, (1, 2, 3)))


def test_planes_are_fused_by_their_mean(model: ModelInfo) -> None:
    tissue = np.zeros((1, 20, 20, 20), np.float32)
    tissue[:, 4:16, 4:16, 4:16] = np.random.default_rng(0).uniform(0.5, 2, (12, 12, 12))
    each = [predict(tissue, STEP, (plane,), Shifted(model), silent) for plane in ALL]
    assert np.allclose(predict(tissue, STEP, ALL, Shifted(model), silent), sum(each) / 3, atol=1e-6)


@pytest.mark.parametrize(
    ("plane", "move", "turned"),
    [("axial", (0, 1, 2), (0, 1, -2)), ("coronal", (-1, 0, 2), (-1, 0, -2)), ("sagittal", (-1, 2, 0), (-1, 2, 0))],
)
def test_mirrored_slices_show_the_other_side_and_are_turned_back(
    model: ModelInfo, plane: str, move: tuple[int, int, int], turned: tuple[int, int, int]
) -> None:
    """A network that moves everything to the left moves a mirrored head, turned back, to the right; sagittal slices have no such mirror image."""
    tissue = np.zeros((1, 20, 20, 20), np.float32)
    tissue[:, 4:16, 4:16, 4:16] = np.random.default_rng(0).uniform(0.5, 2, (12, 12, 12))
    told: list[float] = []
    found = predict(tissue, STEP, (plane,), Shifted(model), lambda fraction, _: told.append(fraction), slicing=Slicing(mirrored=True))
    assert np.allclose(found, (np.roll(tissue, move, (1, 2, 3)) + np.roll(tissue, turned, (1, 2, 3))) / 2)
    assert told == sorted(told) and told[-1] == 1.0


def test_mirrored_slices_are_run_twice_where_left_and_right_lie_side_by_side(model: ModelInfo) -> None:
    session = CountingSession(model)
    told: list[float] = []
    predict(np.ones((1, 20, 20, 20), np.float32), STEP, ALL, session, lambda fraction, _: told.append(fraction), slicing=Slicing(mirrored=True))
    assert sum(shape[0] for shape in session.shapes) == 20 * (2 + 2 + 1)
    assert told[2] == pytest.approx(0.4) and told[-1] == 1.0  # three batches of the axial plane are two fifths of the work


def test_slices_between_those_that_are_run_are_interpolated(model: ModelInfo) -> None:
    ramp = np.linspace(1.0, 2.9, 20, dtype=np.float32)  # what is linear along each axis is the same from every third slice
    tissue = np.zeros((1, 20, 20, 20), np.float32)
    tissue[0] = ramp[:, None, None] + ramp[None, :, None] + ramp[None, None, :]

    class Unmoved(CountingSession):
        def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
            super().run(slices)
            return slices[:, :1]

    session = Unmoved(model)
    result = predict(tissue, STEP, ALL, session, silent, slicing=Slicing(step_mm=3 * PIXEL_MM))
    assert sum(shape[0] for shape in session.shapes) == 3 * 7  # 0, 3, ... 18 in each plane
    assert np.allclose(result[:, :19, :19, :19], tissue[:, :19, :19, :19], atol=1e-5)
    assert result[0, 19, 5, 5] == pytest.approx(tissue[0, 19, 5, 5] - 0.1 / 3)  # slice 18 stands for the last one in its own plane


def test_a_gap_takes_the_place_of_a_step(model: ModelInfo) -> None:
    session, both = CountingSession(model), CountingSession(model)
    tissue = np.ones((1, 20, 20, 20), np.float32)
    predict(tissue, STEP, ALL, session, silent, slicing=Slicing(4 * PIXEL_MM))
    predict(tissue, STEP, ALL, both, silent, slicing=Slicing(4 * PIXEL_MM, 3 * PIXEL_MM))
    assert session.shapes == both.shapes


def test_slices_without_tissue_are_skipped(model: ModelInfo) -> None:
    tissue = np.zeros((1, 30, 12, 12), np.float32)
    tissue[0, 5:8] = 2.0  # 3 slices of 144 pixels
    tissue[0, 20, :8, :8] = 2.0  # 64 pixels are just enough
    tissue[0, 22, :7, :9] = 2.0  # 63 are not
    tissue[0, 24] = 0.15  # air
    session = CountingSession(model)
    result = predict(tissue, STEP, ("axial",), session, silent)
    # canvas slices 0-7 hold 5, 6, 7; 8-15 none; 16-23 hold 20; 24-29 none
    assert [shape[0] for shape in session.shapes] == [3, 1]
    expected = tissue.copy()
    expected[0, [22, 24]] = 0
    assert np.array_equal(result, (expected > 1.5).astype(np.float32))


def test_the_brightest_channel_decides_whether_there_is_tissue(model: ModelInfo) -> None:
    tissue = np.zeros((2, 3, 12, 12), np.float32)
    tissue[1, 1] = 2.0
    session = CountingSession(model)
    predict(tissue, STEP, ("axial",), session, silent)
    assert session.shapes == [(1, 2, 32, 32)]


def test_a_volume_of_air_gives_zeros_without_the_network(model: ModelInfo) -> None:
    session = CountingSession(model)
    result = predict(np.zeros((1, 4, 12, 12), np.float32), STEP, ALL, session, silent)
    assert result.shape == (1, 4, 12, 12)
    assert not result.any()
    assert session.shapes == []


def test_no_batch_is_larger_than_the_limit(model: ModelInfo) -> None:
    session = CountingSession(model)
    predict(np.full((1, 50, 40, 60), 2.0, np.float32), STEP, ALL, session, silent)
    assert max(shape[0] for shape in session.shapes) == BATCH
    assert sum(shape[0] for shape in session.shapes) == 50 + 40 + 60
    # axial slices 40 x 60 -> 64 x 64, coronal 50 x 60 -> 64 x 64, sagittal 50 x 40 -> 64 x 64
    assert {shape[1:] for shape in session.shapes} == {(1, 64, 64)}


def test_channels_are_given_in_order_and_classes_come_back_in_order(model: ModelInfo) -> None:
    class Classes(CountingSession):
        def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
            return np.stack([slices[:, 0], slices[:, 1], slices[:, 1] * 0 + 0.25], 1)

    tissue = np.random.default_rng(0).uniform(0.5, 2, (2, 8, 10, 12)).astype(np.float32)
    result = predict(tissue, STEP, ALL, Classes(dataclasses.replace(model, outputs="regions", scheme="glioma")), silent)
    assert result.shape == (3, 8, 10, 12)
    assert np.allclose(result[:2], tissue, atol=1e-6)
    assert np.allclose(result[2], 0.25)


def test_each_plane_is_resampled_with_its_own_two_spacings(model: ModelInfo) -> None:
    session = CountingSession(model)
    predict(np.full((1, 20, 40, 60), 2.0, np.float32), (6.0, 2.0, 1.0), ALL, session, silent)
    # 120, 80 and 60 mm are 112, 74.7 and 56 pixels: canvases of 128, 96 and 64
    assert list(dict.fromkeys(shape[2:] for shape in session.shapes)) == [(96, 64), (128, 64), (128, 96)]


def test_a_picture_fills_224_pixels(model: ModelInfo) -> None:
    session = CountingSession(model)
    result = predict(np.full((1, 1, 100, 150), 2.0, np.float32), None, ("axial",), session, silent)
    assert session.shapes == [(1, 1, 224, 224)]
    assert result.shape == (1, 1, 100, 150)


def test_the_report_rises_to_1_with_every_batch(model: ModelInfo) -> None:
    told: list[tuple[float, str]] = []
    tissue = np.zeros((1, 20, 12, 12), np.float32)
    tissue[0, 3] = 2.0
    predict(tissue, STEP, ("axial", "coronal"), CountingSession(model), lambda fraction, message: told.append((fraction, message)))
    # 20 axial slices in batches of 8, 8, 4 and 12 coronal ones in 8, 4
    assert [fraction for fraction, _ in told] == pytest.approx([8 / 32, 16 / 32, 20 / 32, 28 / 32, 1.0])
    assert told[0][1] == "axial slices, 8 of 32"
    assert told[-1][1] == "coronal slices, 32 of 32"


def test_the_token_reaches_the_network(model: ModelInfo) -> None:
    class Obedient(CountingSession):
        def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
            assert cancel is not None
            cancel.raise_if_cancelled()
            return super().run(slices)

    token, session = CancelToken(), Obedient(model)
    with pytest.raises(Cancelled):
        predict(np.full((1, 30, 12, 12), 2.0, np.float32), STEP, ("axial",), session, lambda fraction, message: token.cancel(), token)
    assert len(session.shapes) == 1
