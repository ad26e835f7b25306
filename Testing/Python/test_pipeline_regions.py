"""The whole way with nested regions from any subset of sequences, through a network worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.api import best_model
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference import whole_heads
from BrainTumorSegLib.inference.inputs import check_inputs
from BrainTumorSegLib.inference.models import ModelInfo, choose_model, list_models
from BrainTumorSegLib.inference.options import SegmentOptions
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.labels import ROLES
from BrainTumorSegLib.pipeline import segment
from BrainTumorSegLib.preprocess.frame import PIXEL_MM
from BrainTumorSegLib.volume import Volume
from Testing.Python.gliomas import labels, tissue, write_regions
from Testing.Python.tiny import model_row, tiny_model, write_models

pytest.importorskip("onnx")

PAD = ((0, 0), (5, 13), (7, 19))
OPTIONS = SegmentOptions(planes="axial", uncertainty=True, probabilities=True)


@pytest.fixture
def model(tmp_path: Path) -> ModelInfo:
    path = write_regions(tmp_path / "regions.onnx")
    changes = {"name": "regions", "inputs": list(ROLES), "any_inputs": True, "outputs": "regions", "crop": True, "scheme": "glioma"}
    write_models(tmp_path, model_row(path, **changes), model_row(path, name="single"))
    return list_models(tmp_path)[0]


def volumes(*roles: str) -> dict[str, Volume]:
    """The phantom in the middle of a wide field of air, at the network's own pixel size; gray 100 is tissue 1."""
    arrays = np.pad(tissue(labels()) * 100, ((0, 0), *PAD)).astype(np.int16)
    return {role: Volume(arrays[ROLES.index(role)], (PIXEL_MM,) * 3, name=role) for role in roles}


def truth() -> np.ndarray:
    return np.pad(labels(), PAD)


def test_a_single_sequence_shows_what_it_can(model: ModelInfo) -> None:
    given = volumes("flair")
    result = segment(given, Session(model, threads=1), OPTIONS)
    assert (result.inputs, result.ignored, result.unsupported, result.scheme) == (("flair",), (), ("ET",), "glioma")
    np.testing.assert_array_equal(result.labels.array > 0, truth() > 0)
    assert result.voxels == {"NCR": 0, "ED": 20**3, "ET": 0}
    assert result.probabilities is not None and result.probabilities.shape == (3, *truth().shape)
    np.testing.assert_allclose(result.probabilities[1], truth() > 0, atol=0.01)


def test_a_slice_is_cut_to_its_tissue(model: ModelInfo) -> None:
    class Watched:
        def __init__(self) -> None:
            self.model, self.shapes, self.inner = model, set(), Session(model, threads=1)

        def run(self, slices: np.ndarray, cancel: object = None) -> np.ndarray:
            self.shapes.add(slices.shape[1:])
            return self.inner.run(slices)

    session = Watched()
    segment(volumes("flair", "t1"), session, OPTIONS)  # type: ignore[arg-type]
    assert session.shapes == {(4, 64, 64)}  # brain of 40 x 36 pixels; the volume has 66 x 70


def test_what_is_found_in_the_cut_part_lies_where_it_was_in_a_turned_volume(model: ModelInfo) -> None:
    def turned(array: np.ndarray) -> np.ndarray:
        return array[::-1, ::-1, ::-1].transpose(0, 2, 1)  # the stored axes are, fastest first: to the front, to the right, down

    direction = (0.0, -1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
    given = {role: Volume(turned(volume.array), volume.spacing_mm, direction=direction, name=role) for role, volume in volumes(*ROLES).items()}
    result = segment(given, Session(model, threads=1), OPTIONS)
    np.testing.assert_array_equal(result.labels.array, turned(truth()))
    assert result.probabilities is not None and result.uncertainty is not None
    np.testing.assert_allclose(result.probabilities, [turned(truth()) == value for value in (1, 2, 3)], atol=0.01)
    assert result.uncertainty.array.shape == turned(truth()).shape


@pytest.mark.parametrize(("options", "kept"), [(SegmentOptions(planes="all"), 0), (SegmentOptions(planes="all", min_island_mm3=0.0), 4**3)])
def test_edema_far_from_the_tumor_goes_where_the_model_says_so_and_no_option_says_otherwise(model: ModelInfo, options: SegmentOptions, kept: int) -> None:
    given = volumes(*ROLES)
    lone = np.zeros(truth().shape, bool)
    lone[30:34, 40:44, 41:45] = True
    assert not truth()[lone].any()
    bright = tissue(labels()) * 100
    edema = [int(np.median(values[labels() == 2])) for values in bright]
    changed = {role: replace(v, array=np.where(lone, edema[ROLES.index(role)], v.array).astype(np.int16)) for role, v in given.items()}
    limited = replace(model, postprocess={"min_island_mm3": 0.0, "max_hole_mm3": 0.0, "min_satellite_mm3": 1000.0})
    result = segment(changed, Session(limited, threads=1), options)
    assert np.count_nonzero(result.labels.array[lone]) == kept
    assert np.array_equal(result.labels.array[~lone], truth()[~lone])


@pytest.mark.parametrize("planes", ["axial", "all"])
def test_all_labels_are_found_and_without_contrast_what_enhances_is_core(model: ModelInfo, planes: str) -> None:
    session, options = Session(model, threads=1), SegmentOptions(planes=planes)
    full = segment(volumes(*ROLES), session, options)
    np.testing.assert_array_equal(full.labels.array, truth())
    assert (full.unsupported, full.uncertainty, full.probabilities) == ((), None, None)
    without = segment(volumes("t1", "t2", "flair"), session, options)
    np.testing.assert_array_equal(without.labels.array, np.where(truth() == 3, 1, truth()))
    assert (without.unsupported, without.voxels) == (("ET",), {"NCR": 12**3, "ED": 20**3 - 12**3, "ET": 0})


def test_doubt_lies_where_the_regions_end(model: ModelInfo) -> None:
    result = segment(volumes(*ROLES), Session(model, threads=1), OPTIONS)
    assert result.uncertainty is not None and result.probabilities is not None
    assert result.uncertainty.array.max() < 0.01  # no voxel is interpolated, so none is in doubt
    np.testing.assert_allclose(result.probabilities, [truth() == value for value in (1, 2, 3)], atol=0.01)


def test_only_an_empty_subset_is_refused(model: ModelInfo) -> None:
    for role in ROLES:
        assert check_inputs(volumes(role), model)[:0] == []
    with pytest.raises(InputError, match="regions needs any of t1, t1ce, t2, flair, which is not given"):
        check_inputs({}, model)


def test_a_sequence_with_other_voxels_is_brought_to_the_grid_of_the_reference(model: ModelInfo) -> None:
    study = volumes("t1ce", "flair")
    shifted = study["flair"].array[2:, ::-1].transpose(0, 2, 1)  # two slices less, rows backwards, axes swapped
    last_row = (study["flair"].array.shape[1] - 1) * PIXEL_MM
    study["flair"] = Volume(shifted, (PIXEL_MM,) * 3, (0.0, last_row, 2 * PIXEL_MM), (0, 1, 0, -1, 0, 0, 0, 0, 1), name="flair")
    said = "flair lies on another grid than t1ce: it was resampled to that grid, which is right if the patient did not move in between"
    assert check_inputs(study, model)[0] == said
    result = segment(study, Session(model, threads=1), OPTIONS)
    assert result.warnings[0] == said and result.labels.same_grid(study["t1ce"])
    np.testing.assert_array_equal(result.labels.array > 0, truth() > 0)  # whole tumor is what FLAIR shows


def test_a_thick_sequence_keeps_its_place(model: ModelInfo) -> None:
    study = volumes("t1ce", "flair")
    thick = study["flair"].array.reshape(-1, 4, *study["flair"].array.shape[1:]).mean(axis=1)  # 10 slices of four, whose middle lies 1.5 further on
    study["flair"] = Volume(thick, (PIXEL_MM, PIXEL_MM, 4 * PIXEL_MM), (0.0, 0.0, 1.5 * PIXEL_MM), name="flair")
    found = segment(study, Session(model, threads=1), OPTIONS).labels.array > 0
    both = np.count_nonzero(found & (truth() > 0)), np.count_nonzero(found) + np.count_nonzero(truth())
    assert 2 * both[0] / both[1] > 0.9
    middles = [np.argwhere(mask).mean(axis=0) for mask in (found, truth() > 0)]
    np.testing.assert_allclose(*middles, atol=0.5)  # voxels


def head_of(role: str) -> Volume:
    """The phantom 3.5 times as large in every direction, which is more than a brain: 46,080 voxels of tissue, 2429 mL."""
    small = volumes(role)[role]
    return Volume(small.array, (3.5 * PIXEL_MM,) * 3, name=role)


def test_a_whole_head_is_told_to_a_user_of_a_model_that_was_trained_without_skull(model: ModelInfo) -> None:
    single = list_models(model.path.parent)[1]
    said = "more than a brain is seen in t1ce, flair, but regions was trained without skull; the brain is cut out first, so check its surface"
    assert check_inputs({"t1ce": head_of("t1ce"), "flair": head_of("flair")}, model).count(said) == 1
    assert not any("brain" in text for text in check_inputs(volumes("t1ce"), model) + check_inputs({"t1ce": head_of("t1ce")}, single))


def found_brain(monkeypatch: pytest.MonkeyPatch, model: ModelInfo, mask: np.ndarray | None) -> None:
    """Let the brain be found at `mask`, after one word of it."""

    def find(
        heads: dict[str, np.ndarray], spacing_mm: object, session: Session, report: Callable[[float, str], None], cancel: object
    ) -> tuple[np.ndarray | None, dict[str, np.ndarray]]:
        report(1.0, f"finding the brain in {', '.join(heads)}")
        return mask, {}

    monkeypatch.setattr(whole_heads, "open_brain_network", lambda session: session)
    monkeypatch.setattr(whole_heads, "find_brains", find)


def test_the_brain_is_cut_out_of_a_whole_head(model: ModelInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the tumor lies in what is taken for brain, and only that half is marked; progress never goes back."""
    inside = np.zeros(truth().shape, bool)
    inside[18:] = True
    found_brain(monkeypatch, model, inside)
    told: list[tuple[float, str]] = []
    options = SegmentOptions(planes="axial", min_island_mm3=0.0)
    heads = {role: head_of(role) for role in ("t1ce", "flair")}
    result = segment(heads, Session(model, threads=1), options, lambda fraction, message: told.append((fraction, message)))
    np.testing.assert_array_equal(result.labels.array[18:] > 0, truth()[18:] > 0)
    assert not result.labels.array[:18].any()
    assert result.brain is not None and result.brain.same_grid(heads["t1ce"])
    np.testing.assert_array_equal(result.brain.array, inside)
    assert "finding the brain in t1ce" in [message for _, message in told]  # FLAIR lies on its grid
    assert not any("another place" in text for text in result.warnings)
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0


def test_brains_and_models_for_whole_heads_need_no_cut(model: ModelInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found_brain(monkeypatch, model, np.zeros(truth().shape, bool))
    bare = segment(volumes("flair"), Session(model, threads=1), OPTIONS)
    assert bare.found and bare.brain is None
    told: list[str] = []
    segment({"t1ce": head_of("t1ce")}, Session(tiny_model(tmp_path), threads=1), OPTIONS, lambda fraction, message: told.append(message))
    assert told and not any("brain" in message for message in told)


def test_a_head_whose_brain_is_not_found_is_segmented_whole_and_the_user_is_told(model: ModelInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    found_brain(monkeypatch, model, None)
    result = segment({"flair": head_of("flair")}, Session(model, threads=1), SegmentOptions(planes="axial", min_island_mm3=0.0))
    np.testing.assert_array_equal(result.labels.array > 0, truth() > 0)
    assert "no brain was found in flair, so regions saw the whole head; remove the skull and segment again" in result.warnings


def test_with_skull_the_model_that_was_trained_with_it_is_taken_where_it_reads_as_much(model: ModelInfo) -> None:
    models = list_models(model.path.parent)  # regions reads any, single T1ce
    assert best_model(volumes("t1ce", "flair"), models).name == "regions"
    assert best_model({"t1ce": volumes("t1ce")["t1ce"]}, models).name == "regions"
    assert best_model({"t1ce": head_of("t1ce")}, models).name == "single"
    assert best_model({"t1ce": head_of("t1ce"), "flair": head_of("flair")}, models).name == "regions"  # the brain is cut out for it
    assert best_model({"flair": head_of("flair")}, models).name == "regions"  # nothing else reads it
    assert best_model({"t1ce": None, "flair": None}, models).name == "regions"


@pytest.mark.parametrize(("roles", "name"), [(["t1ce"], "single"), (["t1ce", "t2"], "regions"), (["flair"], "regions"), (ROLES, "regions")])
def test_the_model_that_reads_the_most_is_chosen(model: ModelInfo, roles: list[str], name: str) -> None:
    regions, single = list_models(model.path.parent)
    assert choose_model(roles, [single, regions]).name == name


class Doubtful:
    """Gray 200 is surely tumor and core, gray 150 perhaps, gray 100 is not."""

    def __init__(self, model: ModelInfo) -> None:
        self.model = model

    def run(self, slices: np.ndarray, cancel: object = None) -> np.ndarray:
        brightest = slices.max(axis=1, keepdims=True)
        likely = np.where(brightest > 1.75, 0.9, np.where(brightest > 1.25, 0.3, 0.01))
        return np.repeat(likely, 3, axis=1).astype(np.float32)


@pytest.mark.parametrize("lowest", [0.0, 0.2])
def test_a_tumor_grows_into_what_is_doubtful_beside_it_where_the_model_says_so(model: ModelInfo, lowest: float) -> None:
    array = np.full((40, 40, 40), 100, np.int16)
    array[:8, :8, :8] = 0
    array[20:30, 20:30, 20:26] = 150
    array[22:28, 22:28, 21:25] = 200
    array[5:9, 20:30, 20:30] = 150  # nothing sure in it
    limited = replace(model, threshold=0.4, lowest_threshold=lowest)
    given = {"flair": Volume(array, (PIXEL_MM,) * 3, name="flair")}
    result = segment(given, Doubtful(limited), SegmentOptions(planes="axial"))  # type: ignore[arg-type]
    found = result.labels.array > 0
    assert found[22:28, 22:28, 21:25].all() and not found[5:9].any()
    found[20:30, 20:30, 20:26] = False
    assert not found.any()
    assert (result.voxels["NCR"] > 300) if lowest else (result.voxels["NCR"] == 6 * 6 * 4)
