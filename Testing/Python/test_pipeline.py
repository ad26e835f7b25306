"""The whole way: a volume in, labels on its own grid out, however it is stored."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib import pipeline
from BrainTumorSegLib.errors import Cancelled, InputError
from BrainTumorSegLib.inference.options import SegmentOptions
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.pipeline import segment
from BrainTumorSegLib.preprocess.frame import PIXEL_MM
from BrainTumorSegLib.progress import CancelToken
from BrainTumorSegLib.volume import Volume
from Testing.Python.tiny import TURNS, CountingSession, ball_head, head_with_tumor, positions, rotation, tiny_model, turn_array, turn_volume

EVERYTHING = SegmentOptions(uncertainty=True, probabilities=True)
LOPSIDED_TAPS = np.array([[0, 0.45, 0], [0, 0.35, 0], [0, 0, 0.2]])
"""Looks up and to the lower right: another picture for every flip and transposition."""


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """What is brighter than 1.8 times mean tissue is tumor."""
    return Session(tiny_model(tmp_path, edge=1.8), threads=1)


@pytest.fixture
def noisy() -> Volume:
    """A head full of noise, tilted, of three different spacings and sizes: 14 x 15 x 16 voxels, 91 x 90 x 112 mm."""
    numbers = np.random.default_rng(3)
    head = ball_head((14, 15, 16), (7.0, 6.0, 6.5), origin=(10.0, -20.0, 30.0), direction=tuple(rotation(12, -8, 15).ravel().tolist()))
    return head.like((head.array * numbers.uniform(0.2, 2.2, head.array.shape)).astype(np.int16))


# --- any orientation


@pytest.fixture
def segment_noisy(tmp_path: Path, noisy: Volume) -> Callable[[Volume], tuple]:
    """Segments with a network that no flip leaves alone; the plain result is neither empty nor full."""
    model = tiny_model(tmp_path, LOPSIDED_TAPS, edge=0.9, reach=9, postprocess={"min_island_mm3": 800.0, "max_hole_mm3": 800.0})
    opened = Session(model, threads=1)

    def run(volume: Volume) -> tuple:
        result = segment({"t1ce": volume}, opened, EVERYTHING)
        return result, result.labels, result.uncertainty, result.probabilities

    return run


def test_a_reoriented_copy_gives_the_reoriented_segmentation(noisy: Volume, segment_noisy: Callable[[Volume], tuple]) -> None:
    plain, labels, uncertainty, probabilities = segment_noisy(noisy)
    assert plain.planes == ("axial", "coronal", "sagittal")
    assert 300 < plain.voxels["tumor"] < 2000
    for turn in TURNS:
        turned = turn_volume(noisy, turn)
        result, turned_labels, turned_uncertainty, turned_probabilities = segment_noisy(turned)
        assert np.array_equal(turned_labels.array, turn_array(labels.array, turn)), turn
        assert np.array_equal(turned_uncertainty.array, turn_array(uncertainty.array, turn)), turn
        assert np.array_equal(turned_probabilities[0], turn_array(probabilities[0], turn)), turn
        assert turned_labels.same_grid(turned)
        assert turned_uncertainty.same_grid(turned)
        assert (result.planes, result.volumes_ml) == (plain.planes, plain.volumes_ml)


def test_the_lopsided_network_would_notice_a_forgotten_turn(noisy: Volume, segment_noisy: Callable[[Volume], tuple]) -> None:
    # told that it lies straight, the turned array is another head: only turning back by the direction gives equal results
    _, labels, _, _ = segment_noisy(noisy)
    for turn in TURNS[1:]:
        turned = turn_volume(noisy, turn)
        straight = Volume(turned.array, turned.spacing_mm, noisy.origin, noisy.direction)
        assert not np.array_equal(segment_noisy(straight)[1].array, turn_array(labels.array, turn)), turn


@pytest.mark.parametrize("turn", [TURNS[0], TURNS[21], TURNS[46]])
def test_oblique_thick_slices_give_the_tumor_where_it_lies_in_the_patient(session: Session, turn: tuple) -> None:
    tilt = rotation(14, -20, 25)
    grid = Volume(np.zeros((27, 80, 76), np.uint8), (2.0, 2.1, 6.0), (-60.0, 40.0, -90.0), tuple(tilt.ravel().tolist()))
    places = positions(grid)
    middle = places.reshape(-1, 3).mean(0)
    tumor = middle + tilt @ np.array([18.0, -22.0, 15.0])
    array = np.where(np.linalg.norm(places - middle, axis=-1) < 72, 100.0, 0.0)
    array[np.linalg.norm(places - tumor, axis=-1) < 22] = 300.0
    volume = turn_volume(grid.like(array), turn)
    result = segment({"t1ce": volume}, session, SegmentOptions())
    assert result.planes == ("axial",)  # 6 mm to 2 mm: the acquisition plane only
    assert result.labels.same_grid(volume)
    found = positions(result.labels)[result.labels.array > 0]
    assert np.linalg.norm(found.mean(0) - tumor) < 2.0
    # a ball of 22 mm has 44.6 mL
    assert result.volumes_ml is not None
    assert result.volumes_ml["tumor"] == pytest.approx(44.6, rel=0.05)
    assert result.volumes_ml["tumor"] == pytest.approx(len(found) * 2.0 * 2.1 * 6.0 / 1000, abs=1e-3)


# --- slices that are left out


class Nested(CountingSession):
    """As many maps as the model has, all alike."""

    def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
        return np.repeat(super().run(slices), self.model.maps, axis=1)


def cube_in_tissue() -> Volume:
    """50 pixels a side, some of them air (the scale needs it), around 4 x 10 x 10 of twice the brightness."""
    volume = Volume(np.full((50, 50, 50), 100, np.int16), (PIXEL_MM, PIXEL_MM, PIXEL_MM))
    volume.array[:10, :10, :10] = 0
    volume.array[20:24, 20:30, 20:30] = 200
    return volume


@pytest.mark.parametrize(
    ("options", "island_mm3", "outputs", "slices"),
    [
        (SegmentOptions("all"), 100.0, "tumor", 73),
        (SegmentOptions("all", early_exit=True), 100.0, "tumor", 73),
        (SegmentOptions("all", early_exit=False), 100.0, "tumor", 150),
        (SegmentOptions("all"), 0.0, "tumor", 150),  # every island counts, so every slice is run
        (SegmentOptions("all", min_island_mm3=0.0), 100.0, "tumor", 150),
        (SegmentOptions("all", min_island_mm3=100.0), 0.0, "tumor", 73),
        (SegmentOptions("axial"), 100.0, "tumor", 50),
        (SegmentOptions("all"), 100.0, "regions", 150),
        (SegmentOptions("all", early_exit=True), 100.0, "regions", 73),
    ],
)
@pytest.mark.parametrize("crop", [False, True])
def test_slices_far_from_any_finding_are_left_out(tmp_path: Path, options: SegmentOptions, island_mm3: float, outputs: str, slices: int, crop: bool) -> None:
    changes = {"outputs": outputs, "scheme": "glioma" if outputs == "regions" else "tumor", "crop": crop}
    model = tiny_model(tmp_path, postprocess={"min_island_mm3": island_mm3, "max_hole_mm3": 0.0}, **changes)
    volume = cube_in_tissue()
    session = Nested(model)
    result = segment({"t1ce": volume}, session, options)  # type: ignore[arg-type]
    # four slices fit into 4.64 mm: 2, 7, ... 47 are looked at, in three planes; with 5 on either side the tumor has 14, 20 and 20 slices,
    # of which 3, 4 and 4 have been looked at: 30 + 11 + 16 + 16
    assert sum(shape[0] for shape in session.shapes) == slices
    assert (result.every_slice, result.mirrored) == (slices != 73, False)
    assert np.array_equal(result.labels.array > 0, volume.array == 200)


@pytest.mark.parametrize(
    ("options", "slices"),
    [
        (SegmentOptions("all"), 3 * 17),  # 0, 3, ... 48
        (SegmentOptions("all", early_exit=False), 150),
        (SegmentOptions("all", early_exit=True), 73),  # a first look, and then every slice about what it shows
        (SegmentOptions("axial"), 50),
    ],
)
@pytest.mark.parametrize("crop", [False, True])
def test_a_model_may_run_every_few_slices(tmp_path: Path, options: SegmentOptions, slices: int, crop: bool) -> None:
    model = tiny_model(
        tmp_path, outputs="regions", scheme="glioma", crop=crop, step_mm=3 * PIXEL_MM, postprocess={"min_island_mm3": 100.0, "max_hole_mm3": 0.0}
    )
    volume = cube_in_tissue()
    session = Nested(model)
    result = segment({"t1ce": volume}, session, options)  # type: ignore[arg-type]
    assert sum(shape[0] for shape in session.shapes) == slices
    assert result.every_slice == (slices in (50, 150))
    wrong = (result.labels.array > 0) ^ (volume.array == 200)
    assert not wrong[1:-1, 21:29, 21:29].any()  # between two slices an edge is known to a voxel
    assert wrong.sum() <= (0 if slices != 51 else 12)


@pytest.mark.parametrize(("mirrored", "slices"), [(False, 150), (True, 250)])  # 50 in each of three planes, two of them mirrored too
def test_mirrored_slices_are_run_when_asked_for(tmp_path: Path, mirrored: bool, slices: int) -> None:
    model = tiny_model(tmp_path, outputs="regions", scheme="glioma", postprocess={"min_island_mm3": 0.0, "max_hole_mm3": 0.0})
    session, volume = Nested(model), cube_in_tissue()
    result = segment({"t1ce": volume}, session, SegmentOptions("all", mirrored=mirrored))  # type: ignore[arg-type]
    assert sum(shape[0] for shape in session.shapes) == slices
    assert (result.every_slice, result.mirrored) == (True, mirrored)
    assert np.array_equal(result.labels.array > 0, volume.array == 200)


# --- what a result says


def test_the_result_says_what_was_found_and_how(session: Session) -> None:
    result = segment({"t1ce": head_with_tumor()}, session, EVERYTHING)
    assert result.labels.array.dtype == np.uint8
    assert np.array_equal(result.labels.array > 0, head_with_tumor().array == 300)
    assert (result.found, result.voxels, result.volumes_ml) == (True, {"tumor": 120}, {"tumor": 15.0})  # 120 voxels of 0.125 mL
    assert (result.model, result.sha256, result.precision) == ("tiny", session.model.sha256, "fp32")
    assert (result.inputs, result.ignored, result.scheme, result.license) == (("t1ce",), (), "tumor", "CC0-1.0")
    assert result.planes == ("axial", "coronal", "sagittal")
    assert result.warnings == ()


def test_each_stage_has_its_time_and_all_make_the_total(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 101.0, 103.0, 107.0])  # read at the beginning and after each stage
    monkeypatch.setattr(pipeline.time, "perf_counter", lambda: next(clock))
    result = segment({"t1ce": head_with_tumor()}, session, SegmentOptions(), load_seconds=1.5)
    assert result.seconds == {"load": 1.5, "preprocess": 1.0, "inference": 2.0, "postprocess": 4.0, "total": 8.5}


def test_extras_come_only_when_asked_for(session: Session) -> None:
    result = segment({"t1ce": head_with_tumor()}, session, SegmentOptions())
    assert result.uncertainty is None
    assert result.probabilities is None


def test_the_uncertainty_is_the_entropy_of_the_fused_probability(session: Session) -> None:
    volume = head_with_tumor()
    result = segment({"t1ce": volume}, session, EVERYTHING)
    assert result.uncertainty is not None
    assert result.probabilities is not None
    p = np.clip(result.probabilities[0].astype(float), 1e-7, 1 - 1e-7)
    assert np.allclose(result.uncertainty.array, -(p * np.log2(p) + (1 - p) * np.log2(1 - p)), atol=1e-4)
    assert result.uncertainty.array[10, 10, 12] < 0.01  # inside the tumor
    assert result.uncertainty.array.max() > 0.1  # at its border
    assert result.uncertainty.same_grid(volume)


def test_a_temperature_changes_what_is_said_of_doubt_and_no_mask(tmp_path: Path) -> None:
    plain = Session(tiny_model(tmp_path, edge=1.8), threads=1)
    softer = Session(tiny_model(tmp_path, edge=1.8, temperature=2.0), threads=1)
    before, after = (segment({"t1ce": head_with_tumor()}, session, EVERYTHING) for session in (plain, softer))
    assert np.array_equal(before.labels.array, after.labels.array)
    assert before.probabilities is not None and after.probabilities is not None and after.uncertainty is not None
    p = np.clip(before.probabilities.astype(float), 1e-6, 1 - 1e-6)
    odds = np.sqrt(p / (1 - p))  # half of the logit
    assert np.allclose(after.probabilities, odds / (1 + odds), atol=1e-5)
    q = np.clip(after.probabilities[0].astype(float), 1e-7, 1 - 1e-7)
    assert np.allclose(after.uncertainty.array, -(q * np.log2(q) + (1 - q) * np.log2(1 - q)), atol=1e-4)


def test_no_tumor_is_a_result(session: Session) -> None:
    result = segment({"t1ce": ball_head((24, 24, 24), (5.0, 5.0, 5.0))}, session, EVERYTHING)
    assert not result.found
    assert result.voxels == {"tumor": 0}
    assert result.volumes_ml == {"tumor": 0.0}
    assert not result.labels.array.any()


def test_roles_the_model_does_not_read_are_named_and_may_lie_anywhere(session: Session) -> None:
    volume = head_with_tumor()
    others = {"flair": Volume(np.full((2, 3, 4), np.nan)), "t1": volume, "t1ce": volume}
    result = segment(others, session, SegmentOptions())
    assert result.ignored == ("t1", "flair")  # in the order of labels.ROLES
    assert result.voxels == {"tumor": 120}


def test_a_picture_has_no_milliliters_and_nothing_is_removed_from_it(tmp_path: Path) -> None:
    opened = Session(tiny_model(tmp_path, edge=1.8, postprocess={"min_island_mm3": 1e6, "max_hole_mm3": 1e6}), threads=1)
    row, column = np.ogrid[-1:1:300j, -1:1:400j]
    picture = np.where(row**2 + column**2 < 0.8, 80, 0).astype(np.uint8)[None]
    picture[0, 100:130, 150:200] = 240
    picture[0, 110:120, 170:180] = 80  # a hole stays a hole
    result = segment({"t1ce": Volume(picture, has_millimeters=False)}, opened, SegmentOptions(min_island_mm3=1e6))
    assert result.volumes_ml is None
    assert result.planes == ("picture",)
    assert result.labels.array.shape == (1, 300, 400)
    assert result.voxels["tumor"] == pytest.approx(30 * 50 - 100, rel=0.03)
    assert result.labels.array[0, 115, 175] == 0


def test_the_models_threshold_decides(tmp_path: Path) -> None:
    counts = []
    for threshold in (0.0001, 0.9999):
        opened = Session(tiny_model(tmp_path, edge=1.8, threshold=threshold), threads=1)
        counts.append(segment({"t1ce": head_with_tumor()}, opened, SegmentOptions()).voxels["tumor"])
    assert counts[0] > counts[1] > 0


def test_planes_follow_the_option(session: Session) -> None:
    assert segment({"t1ce": head_with_tumor()}, session, SegmentOptions(planes="axial")).planes == ("axial",)
    with pytest.raises(InputError, match="planes is 'two', but it must be one of"):
        segment({"t1ce": head_with_tumor()}, session, SegmentOptions(planes="two"))


def test_the_same_threads_give_the_same_bits(session: Session, noisy: Volume) -> None:
    first, second = (segment({"t1ce": noisy}, opened, EVERYTHING) for opened in (session, Session(session.model, threads=1)))
    assert np.array_equal(first.probabilities, second.probabilities)


def test_memory_stays_below_an_eighth_of_the_limit_for_an_eighth_of_256_cubed(session: Session) -> None:
    volume = ball_head((128, 128, 128), (1.0, 1.0, 1.0))
    volume = volume.like(volume.array.astype(np.float64))
    stand_in = CountingSession(session.model)
    tracemalloc.start()
    segment({"t1ce": volume}, stand_in, EVERYTHING)  # type: ignore[arg-type]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.0e9 / 8  # of 1.5 GB, which the network's own memory has to share
    assert max(shape[0] for shape in stand_in.shapes) <= 8


# --- progress and cancel


def test_progress_never_falls_and_ends_at_1(session: Session) -> None:
    told: list[tuple[float, str]] = []
    segment({"t1ce": head_with_tumor()}, session, SegmentOptions(), lambda fraction, message: told.append((fraction, message)))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1
    assert len(fractions) == 1 + 9 + 2  # 3 planes of 24 slices in batches of 8
    assert all(re.fullmatch(r"[a-z0-9, ]+", message) for _, message in told)


@pytest.mark.parametrize("when", [0.0, 0.3, 0.96])
def test_cancel_raises_and_the_session_still_works_afterwards(session: Session, when: float) -> None:
    token = CancelToken()
    last = 0.0

    def tell(fraction: float, message: str) -> None:
        nonlocal last
        last = fraction
        if fraction >= when:
            token.cancel()

    with pytest.raises(Cancelled):
        segment({"t1ce": head_with_tumor()}, session, EVERYTHING, tell, token)
    assert last <= max(when, 0.02) + 0.11  # not one batch more
    assert segment({"t1ce": head_with_tumor()}, session, SegmentOptions(), cancel=CancelToken()).voxels == {"tumor": 120}
