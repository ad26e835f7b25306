"""Fine-tuning lowers the loss of what int8 would compute, always by the same steps, and ends in the file as it was learned."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from BrainTumorSegLib.cli import export
from BrainTumorSegLib.cli.main import main
from BrainTumorSegLib.export.fine_tune import fine_tune, tune_of, tuning_recipe
from BrainTumorSegLib.export.graph_network import GraphNetwork
from BrainTumorSegLib.export.int8 import write_int8
from BrainTumorSegLib.export.quantize import fold, quantize_folded
from BrainTumorSegLib.training.recipe import Recipe
from Testing.Python.gliomas import case_set, region_recipe
from Testing.Python.tiny import TRAINING_POOLS, save_network, slice_set, tiny_recipe

pytestmark = pytest.mark.usefixtures("one_thread")

make = onnx.helper.make_node
TRAINING = slice_set(TRAINING_POOLS, size=32)


def silent(fraction: float, message: str) -> None:
    assert 0 <= fraction <= 1


def write_graph(folder: Path, inputs: int = 1, outputs: int = 1) -> Path:
    """Two convolutions that mark nothing yet."""
    nodes = [
        make("Conv", ["slices", "w0", "b0"], ["hidden"], "/network/a/Conv", pads=[1] * 4),
        make("Relu", ["hidden"], ["positive"], "/network/a/Relu"),
        make("Conv", ["positive", "w1", "b1"], ["logits"], "/network/b/Conv", pads=[1] * 4),
        make("Sigmoid", ["logits"], ["probability"], "/Sigmoid"),
    ]
    numbers = np.random.default_rng(0)
    constants = {"w0": numbers.normal(0, 0.4, (4, inputs, 3, 3)), "b0": np.zeros(4), "w1": numbers.normal(0, 0.1, (outputs, 4, 3, 3)), "b1": np.zeros(outputs)}
    path = save_network(folder / "fp32.onnx", nodes, constants)
    model = onnx.load(str(path))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = inputs
    onnx.save(model, str(path))
    return path


def slices(channels: int = 1) -> np.ndarray:
    return np.repeat(TRAINING.tissue(np.arange(8))[:, None], channels, 1)


def graph(folder: Path, inputs: int = 1, outputs: int = 1) -> GraphNetwork:
    """Its int8 form, as a network."""
    fold(write_graph(folder, inputs, outputs), folder / "folded.onnx")
    quantize_folded(folder / "folded.onnx", folder / "int8.onnx", slices(inputs))
    return GraphNetwork(onnx.load(str(folder / "int8.onnx")), onnx.load(str(folder / "folded.onnx")))


def quick(recipe: Recipe) -> Recipe:
    return replace(recipe, phases=(replace(recipe.phases[-1], size=32, augmentation=0.0),), ema=0.5)


def test_the_loss_falls_and_weights_and_ranges_have_moved(tmp_path: Path) -> None:
    network = graph(tmp_path)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    losses = fine_tune(network, quick(tiny_recipe()), TRAINING, 40, silent, rate=0.02)
    assert len(losses) == 40
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
    assert all(not torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_same_seed_gives_the_same_bits_and_another_one_others(tmp_path: Path) -> None:
    ends = []
    for seed in (1, 1, 2):
        network = graph(tmp_path)
        fine_tune(network, quick(tiny_recipe(seed=seed)), TRAINING, 3, silent)
        ends.append(torch.cat([value.flatten() for value in network.state_dict().values()]))
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_it_goes_on_as_the_recipe_ended_with_a_small_rate_that_warms_up_and_falls() -> None:
    recipe = tiny_recipe(seed=5)
    tuning = tuning_recipe(recipe, 100, 1e-4)
    assert [tuning.rate_at(step) for step in (0, 9, 10, 99)] == pytest.approx([1e-5, 1e-4, 1e-4, 1e-6], rel=0.05)
    assert tuning.phases == (replace(recipe.phases[-1], steps=100, peak=1.0),)
    assert (tuning.batch, tuning.augmentation, tuning.seed) == (recipe.batch, recipe.augmentation, 6)


def test_no_weight_moves_further_than_the_rate_allows_and_ranges_move_faster(tmp_path: Path) -> None:
    network = graph(tmp_path)
    before = [network.weights[0].detach().clone(), network.log_scales[0].detach().clone()]
    fine_tune(network, replace(quick(tiny_recipe()), ema=0.0), TRAINING, 10, silent, rate=0.001)
    moved = [(now - old).abs().max().item() for now, old in zip((network.weights[0], network.log_scales[0]), before)]
    assert 0.001 < moved[0] < 0.009  # the rates add up to 0.0055, and Adam's steps are hardly longer
    assert 0.01 < moved[1] < 0.18  # twenty times as much at most


def test_nested_regions_are_learned_by_their_own_batches_and_loss(tmp_path: Path) -> None:
    losses = fine_tune(graph(tmp_path, 4, 3), quick(region_recipe()), case_set(), 2, silent)
    assert len(losses) == 2
    assert all(np.isfinite(losses))


def test_the_file_holds_what_was_learned(tmp_path: Path) -> None:
    source, learned = write_graph(tmp_path), {}

    def tune(network: GraphNetwork, report: Any) -> None:
        report(0.5, "half")
        with torch.no_grad():
            for weight in network.weights:
                weight.mul_(-0.5)
            for scale in network.log_scales:
                scale.add_(0.25)
        learned.update(network.ranges())

    heard: list[float] = []
    write_int8(source, tmp_path / "out.onnx", slices(), {"name": "tiny"}, lambda fraction, message: heard.append(fraction), tune=tune)
    assert heard == [0.5]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fp32.onnx", "out.onnx"]
    model = onnx.load(str(tmp_path / "out.onnx"))
    values = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    written = {node.input[0]: (values[node.input[1]], values[node.input[2]]) for node in model.graph.node if node.op_type == "QuantizeLinear"}
    assert {name: (pytest.approx(scale, rel=1e-5), zero_point) for name, (scale, zero_point) in learned.items()} == written
    original = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(str(source)).graph.initializer}
    steps = values["w0_scale"].reshape(-1, 1, 1, 1)
    assert np.abs(values["w0_quantized"] * steps - -0.5 * original["w0"]).max() <= steps.max() / 2 + 1e-6
    assert (model.ir_version, model.metadata_props[-1].value) == (8, '{"name": "tiny"}')


def test_a_scan_and_fine_tuning_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two answers to one question"):
        write_int8(write_graph(tmp_path), tmp_path / "out.onnx", slices(), {}, silent, 0.1, lambda network, report: None)


def test_no_steps_are_no_fine_tuning() -> None:
    assert tune_of(tiny_recipe(), TRAINING, 0) is None


# --- the option


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    export.add_arguments(parser)
    return parser.parse_args(["run", "-o", "x", *words])


def test_the_option_takes_a_number_of_steps() -> None:
    assert (parse("--qat-steps", "300").qat_steps, parse().qat_steps) == (300, 0)
    for wrong in ("-1", "2.5", "many"):
        with pytest.raises(argparse.ArgumentError, match="no number of steps"):
            parse(f"--qat-steps={wrong}")
    with pytest.raises(argparse.ArgumentError, match="not allowed with"):
        parse("--qat-steps", "3", "--sensitivity", "0.1")


@pytest.mark.parametrize("kind", ["release", "region_release"])
def test_the_command_passes_its_steps_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    seen: list[object] = []

    def release(*given: object, scored: bool) -> list[object]:
        seen.append((*given[-3:], scored))
        return []

    monkeypatch.setattr(f"BrainTumorSegLib.export.{kind}.{'release' if kind == 'release' else 'release_regions'}", release)
    monkeypatch.setattr("BrainTumorSegLib.export.region_release.is_region_run", lambda run: kind == "region_release")
    assert main(["export", str(tmp_path), "-o", str(tmp_path), "--data", str(tmp_path), "--qat-steps", "7"]) == 0
    assert main(["export", str(tmp_path), "-o", str(tmp_path), "--data", str(tmp_path), "--no-scores", "--cache", "prepared"]) == 0
    assert seen == [(None, None, 7, True), (Path("prepared"), None, 0, False)]


def test_what_cannot_be_fine_tuned_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["export", str(tmp_path), "-o", str(tmp_path / "out"), "--data", str(tmp_path), "--qat-steps", "7"]
    assert main([*words, "--precision", "fp32"]) != 0
    assert "--precision has no int8; add it, or leave --qat-steps out" in capsys.readouterr().err
    (tmp_path / "run.json").write_text('{"recipe": {"name": "paper-a"}}')
    assert main(words) != 0
    assert "a run of a published system; leave it out, or try --sensitivity" in capsys.readouterr().err
    assert main([*words[:6], "--no-scores"]) != 0
    assert "--no-scores is for our own recipes, but this is a run of a published system; leave it out" in capsys.readouterr().err
