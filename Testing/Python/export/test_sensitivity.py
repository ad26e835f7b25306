"""The scan finds the block that was made sensitive on purpose, and leaves it, and no other, in float."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from BrainTumorSegLib.cli import export
from BrainTumorSegLib.cli.main import main
from BrainTumorSegLib.export.sensitivity import Scan, find_blocks, part_of, quantize_measured, scan
from Testing.Python.tiny import save_network

make = onnx.helper.make_node


def silent(fraction: float, message: str) -> None:
    assert 0 <= fraction <= 1


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four convolutions of which the second and third are one block: beside the signal runs a channel 300 times as large that nobody needs.

    In uint8 both share one scale, whose step is larger than the signal.
    """
    nodes = [
        make("Conv", ["slices", "one"], ["a"], "/network/a/Conv"),
        make("Conv", ["a", "spread"], ["b"], "/network/b/steps/steps.0/Conv"),
        make("Conv", ["b", "join"], ["c"], "/network/b/steps/steps.1/Conv"),
        make("Conv", ["c", "slope", "edge"], ["d"], "/network/c/Conv", pads=[1] * 4),
        make("Sigmoid", ["d"], ["probability"], "/network/Sigmoid"),
    ]
    constants = {
        "one": np.ones((1, 1, 1, 1)),
        "spread": np.reshape([300, 1], (2, 1, 1, 1)),
        "join": np.reshape([0, 1], (1, 2, 1, 1)),
        "slope": np.reshape([0, 0, 0, 0, 4, 0, 0, 0, 0.01], (1, 1, 3, 3)),  # 3x3: a 1x1 one would be folded into the one before
        "edge": np.array([-2]),
    }
    return save_network(tmp_path_factory.mktemp("source") / "fp32.onnx", nodes, constants)


@pytest.fixture(scope="module")
def slices() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 1, (8, 1, 16, 16)).astype(np.float32)


@pytest.fixture(scope="module")
def found(source: Path, slices: np.ndarray) -> Scan:
    return scan(source, slices, 0.01, silent)


def test_blocks_are_modules_below_what_all_share(source: Path) -> None:
    nodes = ["/network/b/steps/steps.0/Conv", "/network/b/steps/steps.1/Conv"]
    assert find_blocks(onnx.load(str(source))) == {"a": ["/network/a/Conv"], "b/steps": nodes, "c": ["/network/c/Conv"]}


def test_the_sensitive_block_alone_stays_in_float(found: Scan) -> None:
    assert next(iter(found.losses)) == "b/steps"
    assert found.losses["b/steps"] > 0.1 > 0.01 > max(found.losses["a"], found.losses["c"])
    assert found.kept == ("b/steps",)
    assert found.nodes == ("/network/b/steps/steps.0/Conv", "/network/b/steps/steps.1/Conv")
    assert found.loss < 0.01 < 0.1 < found.loss_of_all


def test_a_limit_that_is_kept_anyway_leaves_all_in_int8(source: Path, slices: np.ndarray) -> None:
    found = scan(source, slices, 0.9, silent)
    assert (found.kept, found.nodes, found.loss) == ((), (), found.loss_of_all)


def test_a_limit_that_no_int8_keeps_leaves_all_in_float(source: Path, slices: np.ndarray) -> None:
    found = scan(source, slices, 1e-9, silent)
    assert (set(found.kept), found.loss) == ({"a", "b/steps", "c"}, pytest.approx(0, abs=1e-7))


@pytest.mark.parametrize(("n", "limit"), [(1, 0.1), (2, 0.0)])
def test_what_cannot_be_measured_is_refused(source: Path, slices: np.ndarray, n: int, limit: float) -> None:
    with pytest.raises(ValueError, match="two slices and a positive limit are needed"):
        scan(source, slices[:n], limit, silent)


def test_the_file_is_written_with_what_was_found_beside_it(source: Path, slices: np.ndarray, found: Scan, tmp_path: Path) -> None:
    target = tmp_path / "m-int8.onnx"
    assert quantize_measured(source, target, slices, {}, 0.01, silent) == found
    assert json.loads((tmp_path / "m-int8-sensitivity.json").read_text())["kept"] == ["b/steps"]
    assert convolutions_in_float(target) == {"/network/b/steps/steps.0/Conv", "/network/b/steps/steps.1/Conv"}


def test_without_a_limit_nothing_is_scanned(source: Path, slices: np.ndarray, tmp_path: Path) -> None:
    target = tmp_path / "m-int8.onnx"
    assert quantize_measured(source, target, slices, {}, None, silent) is None
    assert [path.name for path in tmp_path.iterdir()] == ["m-int8.onnx"]
    assert convolutions_in_float(target) == set()


def test_the_last_softmax_is_never_quantized_but_one_inside_is(slices: np.ndarray, tmp_path: Path) -> None:
    nodes = [
        make("Conv", ["slices", "four"], ["a"], "/network/a/Conv"),
        make("Softmax", ["a"], ["attention"], "/network/a/Softmax", axis=1),
        make("Conv", ["attention", "join"], ["logits"], "/network/b/Conv"),
        make("Softmax", ["logits"], ["probability"], "/Softmax", axis=1),
    ]
    constants = {"four": np.arange(4.0).reshape(4, 1, 1, 1), "join": np.eye(4).reshape(4, 4, 1, 1)}
    path = save_network(tmp_path / "classes.onnx", nodes, constants)
    assert set(find_blocks(onnx.load(str(path)))) == {"a", "b"}
    target = tmp_path / "classes-int8.onnx"
    quantize_measured(path, target, slices, {}, None, silent)
    nodes = onnx.load(str(target)).graph.node
    integers = {name for node in nodes if node.op_type == "DequantizeLinear" for name in node.output}
    steps = {node.input[0]: node.input[1] for node in nodes if node.op_type == "QuantizeLinear"}
    scales = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(str(target)).graph.initializer}
    (inside, last) = (node for node in nodes if node.op_type == "Softmax")
    assert inside.input[0] in integers
    assert scales[steps[inside.output[0]]] == pytest.approx(1 / 255)  # all of 0 to 1, as onnxruntime has a softmax in int8; measured is 0.64
    assert (last.output[0], last.output[0] in steps) == ("probability", False)


def convolutions_in_float(path: Path) -> set[str]:
    nodes = onnx.load(str(path)).graph.node
    integers = {name for node in nodes if node.op_type == "DequantizeLinear" for name in node.output}
    return {node.name for node in nodes if node.op_type == "Conv" and node.input[1] not in integers}


def test_a_step_reports_its_share() -> None:
    heard: list[float] = []
    report: Callable[[float, str], None] = part_of(lambda fraction, message: heard.append(fraction), 0.25, 0.5)
    report(0.0, "")
    report(1.0, "")
    assert heard == [0.25, 0.75]


def test_the_option_takes_a_share() -> None:
    parser = argparse.ArgumentParser(exit_on_error=False)
    export.add_arguments(parser)
    assert parser.parse_args(["run", "-o", "x", "--sensitivity", "0.002"]).sensitivity == 0.002
    assert parser.parse_args(["run", "-o", "x"]).sensitivity is None
    for wrong in ("0", "1", "nan", "little"):
        with pytest.raises(argparse.ArgumentError, match="no number between 0 and 1"):
            parser.parse_args(["run", "-o", "x", "--sensitivity", wrong])


def test_the_command_passes_its_limit_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    def release(run: Path, folder: Path, precisions: tuple[str, ...], data: Path, report: object, *rest: object, scored: bool) -> list[object]:
        seen.append(rest[-2])
        return []

    monkeypatch.setattr("BrainTumorSegLib.export.release.release", release)
    monkeypatch.setattr("BrainTumorSegLib.export.region_release.is_region_run", lambda run: False)
    assert main(["export", str(tmp_path), "-o", str(tmp_path), "--data", str(tmp_path), "--sensitivity", "0.004"]) == 0
    assert seen == [0.004]
