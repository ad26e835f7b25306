"""The door: models by name or by what is given, checks, segmentation and evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib import api
from BrainTumorSegLib.resources import ENVIRONMENT_VARIABLE
from Testing.Python.tiny import THRESHOLD_TAPS, ball_head, model_row, write_models, write_network


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models: "pair" reads t1ce and flair, "single" reads t1ce."""
    folder = tmp_path / "Models"
    folder.mkdir()
    path = write_network(folder / "tiny.onnx", THRESHOLD_TAPS, 1.8)
    write_models(folder, model_row(path, name="pair", inputs=["t1ce", "flair"]), model_row(path, name="single"))
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    return folder


@pytest.fixture
def head() -> api.Volume:
    """A head of 120 mm with a tumor of 3 x 4 x 5 = 60 voxels of 125 mm3."""
    volume = ball_head((24, 24, 24), (5.0, 5.0, 5.0))
    volume.array[9:12, 9:13, 9:14] = 300
    return volume


def test_the_first_model_that_reads_what_is_given_is_taken(head: api.Volume) -> None:
    result = api.segment({"t1ce": head, "t1": head})
    assert (result.model, result.inputs, result.ignored) == ("single", ("t1ce",), ("t1",))
    assert result.voxels == {"tumor": 60}
    assert result.volumes_ml == {"tumor": 7.5}
    assert result.seconds["load"] > 0


def test_a_model_is_taken_by_name_or_as_an_open_session(head: api.Volume) -> None:
    session = api.open_model("single", threads=1)
    assert session.threads == 1
    results = [api.segment({"t1ce": head}, model) for model in ("single", session, session)]
    assert [result.voxels for result in results] == [{"tumor": 60}] * 3


def test_options_reach_the_model(head: api.Volume) -> None:
    result = api.segment({"t1ce": head}, options=api.SegmentOptions(planes="axial", uncertainty=True, min_island_mm3=1e6, threads=1))
    assert result.planes == ("axial",)
    assert result.uncertainty is not None
    assert not result.found
    with pytest.raises(api.InputError, match="threads is 0"):
        api.segment({"t1ce": head}, options=api.SegmentOptions(threads=0))


def test_open_model_goes_by_the_roles_that_will_be_given() -> None:
    assert api.open_model(roles={"t1ce": None}).model.name == "single"
    assert api.open_model(roles={"t1ce": None, "flair": None}).model.name == "pair"
    with pytest.raises(api.InputError, match="no model reads nothing alone"):
        api.open_model()


def test_what_cannot_be_segmented_is_refused_before_a_model_is_opened(head: api.Volume, models: Path) -> None:
    (models / "tiny.onnx").unlink()
    with pytest.raises(api.InputError, match="no volume was given, but at least one sequence is needed"):
        api.segment({})
    with pytest.raises(api.InputError, match="there is no model 'other'; choose one of pair, single"):
        api.segment({"t1ce": head}, "other")
    with pytest.raises(api.InputError, match="no model reads t2 alone"):
        api.segment({"t2": head})
    with pytest.raises(api.ModelError, match=r"tiny\.onnx cannot be read"):
        api.segment({"t1ce": head})


def test_check_inputs_gives_warnings_and_refusals(head: api.Volume) -> None:
    assert api.check_inputs({"t1ce": head}) == []
    assert api.check_inputs({"t1ce": api.Volume(head.array)}) == ["volume is 24 x 24 x 24 mm, which is no usual size of a head; check its spacing"]
    with pytest.raises(api.InputError, match="pair needs flair, which is not given"):
        api.check_inputs({"t1ce": head}, "pair")
    with pytest.raises(api.InputError, match="is constant"):
        api.check_inputs({"t1ce": head.like(head.array * 0)})


def test_progress_and_cancel_reach_the_work(head: api.Volume) -> None:
    token, told = api.CancelToken(), []

    def tell(fraction: float, message: str) -> None:
        told.append(fraction)
        token.cancel()

    with pytest.raises(api.Cancelled):
        api.segment({"t1ce": head}, progress=tell, cancel=token)
    assert told == [0.0]


def test_the_result_can_be_written_read_and_evaluated(head: api.Volume, tmp_path: Path) -> None:
    result = api.segment({"t1ce": head})
    api.write_volume(result.labels, tmp_path / "tumor.nii.gz")
    written = api.read_label_volume(tmp_path / "tumor.nii.gz")
    assert written.same_grid(head)
    truth = head.like((head.array == 300).astype(np.uint8))
    truth.array[9] = 0  # 20 of 60 voxels less: 2 * 40 / 100
    (row,) = api.evaluate(written, truth).rows
    assert (row.class_, row.dice) == ("tumor", pytest.approx(0.8))
