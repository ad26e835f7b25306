"""An open model runs, can be stopped in the middle of a batch, and only our own files are opened."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.errors import Cancelled, InputError, ModelError
from BrainTumorSegLib.inference.models import ModelInfo, list_models
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.progress import CancelToken
from Testing.Python.tiny import THRESHOLD_TAPS, model_row, save_network, tiny_model, write_models, write_network


def listed(path: Path) -> ModelInfo:
    write_models(path.parent, model_row(path))
    return list_models(path.parent)[0]


def test_the_network_is_run_as_it_is_written(tmp_path: Path) -> None:
    session = Session(tiny_model(tmp_path, edge=1.5), threads=1)
    slices = np.array([[[[1.5, 1.6], [1.4, 3.0]]]], np.float32)
    # sigmoid(50 (x - 1.5)): sigmoid(0), sigmoid(5), sigmoid(-5), sigmoid(75)
    assert session.run(slices).ravel().tolist() == pytest.approx([0.5, 0.99331, 0.00669, 1.0], abs=1e-4)


def test_other_types_and_views_are_taken_too(tmp_path: Path) -> None:
    session = Session(tiny_model(tmp_path), threads=1)
    slices = np.random.default_rng(0).uniform(0, 3, (2, 1, 5, 7))
    flipped = session.run(slices[:, :, ::-1])
    assert np.allclose(flipped, session.run(slices.astype(np.float32))[:, :, ::-1], atol=1e-5)


def test_the_number_of_threads_is_the_users_or_all_cores(tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    assert Session(model, threads=2).threads == 2
    assert Session(model).threads >= 1
    for threads in (0, -1):
        with pytest.raises(InputError, match=f"threads is {threads}, but at least 1 is needed"):
            Session(model, threads)


def test_an_altered_file_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    model.path.write_bytes(model.path.read_bytes()[:-1])
    with pytest.raises(ModelError, match=r"tiny\.onnx has sha256 .* so it was altered or cut"):
        Session(model)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x08\x07" * 500])
def test_bytes_that_are_no_network_are_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "garbage.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"the model file .*garbage\.onnx is not a network that onnxruntime reads .* install it again"):
        Session(listed(path))


def test_somebody_elses_network_is_refused(tmp_path: Path) -> None:
    path = write_network(tmp_path / "other.onnx", THRESHOLD_TAPS, 1.5, marked=False)
    with pytest.raises(ModelError, match=r"other\.onnx is an ONNX network, but not one of BrainTumorSeg's; use a file made by `braintumorseg export`"):
        Session(listed(path))


def test_a_network_with_our_mark_and_other_inputs_is_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    path = write_network(tmp_path / "other.onnx", THRESHOLD_TAPS, 1.5)
    network = onnx.load(str(path))
    network.graph.input[0].name = network.graph.node[0].input[0] = "volume"
    onnx.save(network, str(path))
    with pytest.raises(ModelError, match="not one of BrainTumorSeg's"):
        Session(listed(path))


@pytest.fixture
def counter(tmp_path: Path) -> Session:
    """A network that adds 1 to 0 as often as its largest input says, and gives that sum for every pixel."""
    onnx = pytest.importorskip("onnx")
    kind, make, value = onnx.TensorProto, onnx.helper, onnx.helper.make_tensor_value_info
    body = make.make_graph(
        [make.make_node("Identity", ["go"], ["go_on"]), make.make_node("Add", ["sum", "one"], ["more"])],
        "body",
        [value("i", kind.INT64, []), value("go", kind.BOOL, []), value("sum", kind.FLOAT, [])],
        [value("go_on", kind.BOOL, []), value("more", kind.FLOAT, [])],
    )
    nodes = [
        make.make_node("ReduceMax", ["slices"], ["largest"], keepdims=0),
        make.make_node("Cast", ["largest"], ["times"], to=kind.INT64),
        make.make_node("Loop", ["times", "", "zero"], ["counted"], body=body),
        make.make_node("Mul", ["slices", "zero"], ["zeros"]),
        make.make_node("Add", ["zeros", "counted"], ["probability"]),
    ]
    return Session(listed(save_network(tmp_path / "counter.onnx", nodes, {"zero": 0.0, "one": 1.0})), threads=1)


def counts(times: float) -> np.ndarray:
    return np.full((1, 1, 2, 2), times, np.float32)


def test_a_running_batch_is_stopped_from_another_thread_and_the_session_lives_on(counter: Session) -> None:
    token = CancelToken()
    threading.Timer(0.2, token.cancel).start()
    with pytest.raises(Cancelled):
        counter.run(counts(1e7), token)  # would take ten seconds and then return
    assert counter.run(counts(3), CancelToken()).tolist() == counts(3).tolist()


def test_a_cancelled_token_stops_the_next_batch_before_it_begins(counter: Session) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        counter.run(counts(3), token)


def test_a_batch_leaves_nothing_behind_on_the_token(counter: Session) -> None:
    token = CancelToken()
    counter.run(counts(3), token)
    assert token._callbacks == []


def test_an_error_that_is_no_cancel_stays_what_it_is(counter: Session) -> None:
    with pytest.raises(Exception, match="rank|dimension") as caught:
        counter.run(np.zeros((2, 2)), CancelToken())
    assert not isinstance(caught.value, Cancelled)


def test_a_network_of_other_maps_than_its_row_says_is_refused(tmp_path: Path) -> None:
    # four classes read as one tumor would mark the background
    model = tiny_model(tmp_path, scheme="glioma", outputs="classes")
    with pytest.raises(ModelError, match=r"tiny\.onnx gives 1 maps, but models.json lists tiny with 4 .classes.; install it again"):
        Session(model, threads=1).run(np.zeros((1, 1, 4, 4)))


def test_a_kind_of_model_that_is_not_known_is_refused(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, outputs="points", inputs=["pet"])
    with pytest.raises(ModelError, match="the model tiny needs pet, points, which this version does not know; update the program"):
        Session(model)
