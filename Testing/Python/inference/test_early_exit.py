"""Slices far from anything found at a first look are left out, and nothing that would have been kept is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.errors import Cancelled
from BrainTumorSegLib.inference.early_exit import Findings, first_look, gap_for
from BrainTumorSegLib.inference.models import ModelInfo
from BrainTumorSegLib.inference.predictor import predict
from BrainTumorSegLib.inference.slicing import Slicing
from BrainTumorSegLib.inference.uncertainty import entropy
from BrainTumorSegLib.preprocess.frame import PIXEL_MM
from BrainTumorSegLib.preprocess.planes import PLANES, plane_view
from BrainTumorSegLib.progress import CancelToken
from Testing.Python.tiny import CountingSession, tiny_model

STEP = (PIXEL_MM, PIXEL_MM, PIXEL_MM)  # the canvas's own pixels: nothing is resampled
GAP_MM = 4.0 * PIXEL_MM + 0.1  # four slices are left out, every fifth is looked at
SHAPE = (40, 50, 60)
LOOKED = 8 + 10 + 12  # 2, 7, ... 37 of 40; 2, ... 47 of 50; 2, ... 57 of 60


def silent(fraction: float, message: str) -> None:
    pass


def head(*lesions: tuple[slice, slice, slice]) -> np.ndarray:
    """Tissue of 1 with lesions of 2, [1, Z, Y, X]."""
    tissue = np.ones((1, *SHAPE), np.float32)
    for lesion in lesions:
        tissue[(0, *lesion)] = 2.0
    return tissue


def slices_run(session: CountingSession) -> int:
    return sum(shape[0] for shape in session.shapes)


class Unsure(CountingSession):
    """Everything else is tumor with a probability of 0.05, which is less than a finding."""

    def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
        return np.maximum(super().run(slices, cancel), np.float32(0.05))


@pytest.fixture
def model(tmp_path: Path) -> ModelInfo:
    return tiny_model(tmp_path)


# --- the slices


def test_the_gap_hides_no_more_than_what_is_removed_anyway() -> None:
    assert gap_for(100.0) == pytest.approx(4.6416, abs=1e-4)  # 4.6416^3 = 100
    assert gap_for(27.0) == pytest.approx(3.0)
    assert gap_for(1000.0) == 5.0
    assert gap_for(0.0) == 0.0


@pytest.mark.parametrize(
    ("count", "mm", "expected"),
    [
        (11, 1.0, [0, 5, 10]),
        (13, 1.0, [1, 6, 11]),
        (14, 1.0, [1, 6, 11]),
        (3, 1.0, [1]),
        (10, 2.0, [0, 3, 6, 9]),  # two slices of 2 mm fit into 4.64 mm
        (9, 2.4, [0, 2, 4, 6, 8]),
        (4, 5.0, [0, 1, 2, 3]),  # a slice of 5 mm is thicker than the gap
    ],
)
def test_the_first_look_leaves_out_what_fits_into_the_gap(count: int, mm: float, expected: list[int]) -> None:
    looked = first_look((count, 1, 1), (mm, 9.0, 9.0), PLANES, 4.64)
    assert np.flatnonzero(looked["axial"]).tolist() == expected
    assert looked["coronal"].tolist() == looked["sagittal"].tolist() == [True]


def test_fewer_than_three_planes_are_looked_at_whole() -> None:
    looked = first_look((30, 30, 30), (1.0, 1.0, 1.0), ("axial", "coronal"), 4.64)
    assert list(looked) == ["axial", "coronal"]
    assert all(chosen.all() for chosen in looked.values())


@pytest.mark.parametrize("plane", PLANES)
def test_a_finding_lies_where_its_voxel_lies(plane: str) -> None:
    volume = np.zeros((20, 30, 40), np.float32)
    volume[4, 10, 33] = 0.1
    index = dict(zip(PLANES, (4, 10, 33)))[plane]
    findings = Findings(volume.shape)
    # two classes: the second shows it, on the second of two slices
    maps = np.stack([np.stack([0 * plane_view(volume, plane)[i], plane_view(volume, plane)[i]]) for i in (index - 3, index)])
    findings.add(maps, plane, np.array([index - 3, index]))
    z, y, x = findings.about((1.0, 2.5, 3.0))  # 5 mm are 5, 2 and, rounded up, 2 voxels
    assert [np.flatnonzero(along).tolist() for along in (z, y, x)] == [list(range(10)), list(range(8, 13)), list(range(31, 36))]


def test_less_than_the_least_probability_is_no_finding() -> None:
    findings = Findings((20, 30, 40))
    findings.add(np.full((1, 1, 30, 40), 0.099, np.float32), "axial", np.array([4]))
    assert not any(along.any() for along in findings.about((1.0, 1.0, 1.0)))


# --- in the volume


def test_only_the_slices_about_a_lesion_are_run_and_nothing_of_it_is_lost(model: ModelInfo) -> None:
    tissue = head((slice(20, 26), slice(20, 26), slice(30, 36)))
    everything, session = CountingSession(model), CountingSession(model)
    full = predict(tissue, STEP, PLANES, everything, silent)
    assert np.array_equal(predict(tissue, STEP, PLANES, session, silent, slicing=Slicing(GAP_MM)), full)
    assert slices_run(everything) == 40 + 50 + 60
    # 6 slices and 5 on either side in each plane; 3 of these 16 have been looked at
    assert slices_run(session) == LOOKED + 3 * (16 - 3)


def test_two_lesions_are_both_found(model: ModelInfo) -> None:
    tissue = head((slice(1, 4), slice(1, 4), slice(1, 4)), (slice(30, 39), slice(44, 49), slice(50, 51)))
    full = predict(tissue, STEP, PLANES, CountingSession(model), silent)
    assert full.sum() == 27 + 45
    assert np.array_equal(predict(tissue, STEP, PLANES, CountingSession(model), silent, slicing=Slicing(GAP_MM)), full)


def test_a_head_without_findings_has_only_the_first_look(model: ModelInfo) -> None:
    session = Unsure(model)
    assert not predict(head(), STEP, PLANES, session, silent, slicing=Slicing(GAP_MM)).any()
    assert slices_run(session) == LOOKED


def test_a_lesion_that_fits_between_the_slices_of_all_planes_is_missed(model: ModelInfo) -> None:
    # slices 3 to 6 lie between 2 and 7: 64 voxels of 1.23 mm3 = 79 mm3, less than the 100 mm3 that a gap of 4.39 mm is for
    tissue = head((slice(3, 7), slice(3, 7), slice(3, 7)))
    assert 64 * PIXEL_MM**3 < GAP_MM**3 < 100
    assert predict(tissue, STEP, PLANES, CountingSession(model), silent).sum() == pytest.approx(64)
    assert not predict(tissue, STEP, PLANES, CountingSession(model), silent, slicing=Slicing(GAP_MM)).any()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_lesion_that_one_slice_of_one_plane_crosses_is_found_whole(model: ModelInfo, axis: int) -> None:
    lesion = [slice(3, 7), slice(3, 7), slice(3, 7)]
    lesion[axis] = slice(3, 8)
    result = predict(head((lesion[0], lesion[1], lesion[2])), STEP, PLANES, CountingSession(model), silent, slicing=Slicing(GAP_MM))
    assert result.sum() == pytest.approx(80)


def test_no_voxel_has_a_part_of_a_mean(model: ModelInfo) -> None:
    tissue = head((slice(20, 26), slice(20, 26), slice(30, 36)))
    full = predict(tissue, STEP, PLANES, Unsure(model), silent)
    result = predict(tissue, STEP, PLANES, Unsure(model), silent, slicing=Slicing(GAP_MM))
    about = (0, slice(15, 31), slice(15, 31), slice(25, 41))
    assert np.allclose(result[about], full[about])
    assert full.min() == pytest.approx(0.05)
    result[about] = 0
    assert not result.any()
    assert entropy(result).max() < 1e-4  # sure of it


# --- where it is off


def test_pictures_and_fewer_planes_run_every_slice(model: ModelInfo) -> None:
    for spacing, planes, count in ((None, ("axial",), 40), (STEP, ("axial",), 40), (STEP, ("axial", "sagittal"), 100)):
        session = CountingSession(model)
        predict(head(), spacing, planes, session, silent, slicing=Slicing(GAP_MM))
        assert slices_run(session) == count


# --- telling and stopping


def test_the_report_rises_through_both_passes_to_1(model: ModelInfo) -> None:
    told: list[tuple[float, str]] = []
    tissue = head((slice(20, 26), slice(20, 26), slice(30, 36)))
    predict(tissue, STEP, PLANES, CountingSession(model), lambda fraction, message: told.append((fraction, message)), slicing=Slicing(GAP_MM))
    fractions = [fraction for fraction, _ in told]
    # 30 of all 150 slices in batches of 8, 8 and 2, 8 and 4, then what is left of the way for 39 slices: 8 and 5 of each plane
    assert fractions == pytest.approx([8 / 150, 16 / 150, 18 / 150, 26 / 150, 30 / 150, *(0.2 + 0.8 * done / 39 for done in (8, 13, 21, 26, 34, 39))])
    assert told[0][1] == "looking for tumor: axial slices, 8 of 30"
    assert told[-1][1] == "sagittal slices, 39 of 39"


@pytest.mark.parametrize("batches", [1, 7])
def test_both_passes_can_be_cancelled(model: ModelInfo, batches: int) -> None:
    class Obedient(CountingSession):
        def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
            assert cancel is not None
            cancel.raise_if_cancelled()
            return super().run(slices)

    token, session = CancelToken(), Obedient(model)

    def stop(fraction: float, message: str) -> None:
        if len(session.shapes) == batches:
            token.cancel()

    with pytest.raises(Cancelled):
        predict(head((slice(20, 26), slice(20, 26), slice(30, 36))), STEP, PLANES, session, stop, token, Slicing(GAP_MM))
    assert len(session.shapes) == batches
