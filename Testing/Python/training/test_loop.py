"""The training loop does what the recipe says, and a resumed run ends where an uninterrupted one ends."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from BrainTumorSegLib.training import loop
from BrainTumorSegLib.training.checkpoint import load_tensors, save_tensors
from BrainTumorSegLib.training.hardware import Hardware
from BrainTumorSegLib.training.loop import Trainer, append_row
from BrainTumorSegLib.training.losses import bce_dice
from BrainTumorSegLib.training.recipe import Phase, Recipe
from Testing.Python.tiny import TRAINING_POOLS, slice_set, tiny_recipe

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = Hardware(torch.device("cpu"), bf16=False)
TRAINING, VALIDATION = slice_set(TRAINING_POOLS), slice_set({"cheng/glioma": 2, "cheng/pituitary": 1, "no_tumor/none": 2}, size=32, seed=1)


def trainer(run: Path, recipe: Recipe | None = None) -> Trainer:
    run.mkdir(parents=True, exist_ok=True)
    return Trainer(recipe or tiny_recipe(), TRAINING, VALIDATION, run, CPU)


def silent(fraction: float, message: str) -> None:
    pass


def log(run: Path) -> list[dict[str, str]]:
    with (run / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of six uninterrupted steps, validated after three and six."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    run = tmp_path_factory.mktemp("whole")
    trainer(run).fit(silent)
    torch.set_num_threads(before)
    return run


def test_a_resumed_run_ends_with_the_same_bits(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(Exception):
        pass

    def stop(fraction: float, message: str) -> None:
        if message.startswith("step 5"):
            raise Stop

    # a checkpoint after every step: step 5 is lost, and the last one lies between two validations, after stages were frozen
    monkeypatch.setattr(loop, "_CHECKPOINT_SECONDS", -1.0)
    with pytest.raises(Stop):
        trainer(tmp_path).fit(stop)
    assert load_tensors(tmp_path / "last.safetensors")[1]["step"] == 4
    resumed = trainer(tmp_path)
    resumed.resume()
    assert resumed.step == 4
    resumed.fit(silent)
    for name in ("last.safetensors", "weights.safetensors"):
        (one, _), (two, _) = load_tensors(whole / name), load_tensors(tmp_path / name)
        assert set(one) == set(two)
        assert all(torch.equal(one[key], two[key]) for key in one), name
    rows, again = log(whole), log(tmp_path)
    for row in (*rows, *again):
        del row["minutes"]
    assert rows == again


def test_the_log_has_a_row_for_every_validation(whole: Path) -> None:
    rows = log(whole)
    assert [row["step"] for row in rows] == ["3", "6"]
    assert {"minutes", "training_loss", "n", "dice", "mean_iou", "false_positive_rate", "dice_glioma", "dice_pituitary"} <= set(rows[0])
    assert all(float(row["training_loss"]) > 0 for row in rows)
    scores = json.loads((whole / "scores.json").read_text())
    assert (scores["step"], scores["n"], scores["n_tumor_free"]) == (6, 3, 2)
    assert str(scores["dice"]) == rows[-1]["dice"]
    assert scores["started_from"] in ("random weights", "ImageNet weights efficientnet-lite0-57934424.pth")


def test_a_run_leaves_these_files_and_no_others(whole: Path) -> None:
    assert sorted(path.name for path in whole.iterdir()) == ["last.safetensors", "log.csv", "scores.json", "weights.safetensors"]


def test_weights_are_the_average_and_last_holds_both(whole: Path) -> None:
    last, weights = load_tensors(whole / "last.safetensors")[0], load_tensors(whole / "weights.safetensors")[0]
    assert all(torch.equal(last[f"average|{name}"], tensor) for name, tensor in weights.items())
    assert not torch.equal(last["network|head.0.weight"], weights["head.0.weight"])
    assert {name.split("|")[0] for name in last} == {"network", "average", "optimizer"}


def test_a_finished_run_has_nothing_left_to_do(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finished = trainer(whole)
    finished.resume()
    monkeypatch.setattr(finished, "validate", lambda: pytest.fail("it was validated already"))
    assert finished.fit(silent) == json.loads((whole / "scores.json").read_text())


def test_what_interrupts_the_last_validation_costs_no_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = tiny_recipe(phases=(Phase(2, 32, peak=1.0),), validate_every=1)
    run = trainer(tmp_path, recipe)
    score = run.score

    def interrupted(network: torch.nn.Module) -> dict[str, Any]:
        if run.step == 2:
            raise KeyboardInterrupt
        return score(network)

    monkeypatch.setattr(run, "score", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.fit(silent)
    assert json.loads((tmp_path / "scores.json").read_text())["step"] == 1
    resumed = trainer(tmp_path, recipe)
    resumed.resume()
    assert resumed.step == 2
    assert "dice" in resumed.fit(silent)
    assert json.loads((tmp_path / "scores.json").read_text())["step"] == 2
    assert [row["step"] for row in log(tmp_path)] == ["1", "2"]


def test_a_run_starts_from_the_average_of_another(whole: Path, tmp_path: Path) -> None:
    run = trainer(tmp_path)
    run.start_from([whole])
    weights, _ = load_tensors(whole / "weights.safetensors")
    assert all(torch.equal(run.network.state_dict()[name], tensor) and torch.equal(run.average[name], tensor) for name, tensor in weights.items())
    begun = json.loads((whole / "scores.json").read_text())["started_from"]
    assert run.started_from == f"6 steps of another run ({begun})"
    run.train_step()
    assert not torch.equal(run.network.state_dict()["head.0.weight"], weights["head.0.weight"])


def test_of_several_runs_the_mean_is_where_it_starts(whole: Path, tmp_path: Path) -> None:
    name, (weights, _) = "head.0.weight", load_tensors(whole / "weights.safetensors")
    (tmp_path / "tuned").mkdir()
    save_tensors(tmp_path / "tuned" / "weights.safetensors", {**weights, name: weights[name] + 0.5}, {"step": 9})
    run = trainer(tmp_path / "run")
    run.start_from([whole, tmp_path / "tuned"])
    assert torch.allclose(run.network.state_dict()[name], weights[name] + 0.25)
    assert torch.equal(run.average[name], run.network.state_dict()[name])
    assert run.started_from.startswith("6 and 9 steps of other runs, averaged (")


@pytest.mark.parametrize("ema", [0.995, 0.1])
def test_the_average_is_worked_out_by_hand(tmp_path: Path, ema: float) -> None:
    run = trainer(tmp_path, tiny_recipe(ema=ema))
    name = "head.0.bias"
    expected = run.average[name].clone()
    for step in (1, 2):
        run.train_step()
        decay = min(ema, {1: 2 / 11, 2: 3 / 12}[step])  # early weights are forgotten soon: (1 + step) / (10 + step)
        expected = decay * expected + (1 - decay) * run.network.state_dict()[name]
        assert torch.allclose(run.average[name], expected, atol=1e-6)
    assert int(run.average["encoder.stem.1.num_batches_tracked"]) == 2


def test_frozen_stages_learn_nothing_and_learn_again_afterwards(tmp_path: Path) -> None:
    run = trainer(tmp_path)  # steps 2 and 3 freeze the stem and two stages
    changed = []
    for _ in range(5):
        before = {name: value.clone() for name, value in run.network.encoder.state_dict().items()}
        run.train_step()
        after = run.network.encoder.state_dict()
        changed.append({name[: len("stages.0")] for name, value in before.items() if not torch.equal(value, after[name])})
    rest = {f"stages.{i}" for i in range(2, 7)}
    assert changed[1] == changed[4] == {"stem.0.w", "stem.1.w", "stem.1.b", "stem.1.r", "stem.1.n", "stages.0", "stages.1"} | rest
    assert changed[2] == changed[3] == rest


def test_the_optimizer_has_the_recipes_rates_and_decays_weights_only(tmp_path: Path) -> None:
    recipe = tiny_recipe(encoder_rate=0.25, weight_decay=0.07, learning_rate=0.4, warm_up=2)
    run = trainer(tmp_path, recipe)
    groups = run.optimizer.param_groups
    run.train_step()
    assert [(group["lr"], group["weight_decay"]) for group in groups] == [(0.05, 0.07), (0.05, 0.0), (0.2, 0.07), (0.2, 0.0)]
    assert [{p.ndim > 1 for p in group["params"]} for group in groups] == [{True}, {False}, {True}, {False}]
    assert sum(len(group["params"]) for group in groups) == len(list(run.network.parameters()))
    encoder = {id(p) for p in run.network.encoder.parameters()}
    assert {id(p) for group in groups[:2] for p in group["params"]} == encoder


def test_two_seeds_start_from_two_decoders(tmp_path: Path) -> None:
    one, same, other = (trainer(tmp_path, tiny_recipe(seed=seed)).network.state_dict()["head.0.weight"] for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_whole_tumor_head_weighs_what_the_recipe_says(tmp_path: Path) -> None:
    losses = [trainer(tmp_path, tiny_recipe(whole_tumor_weight=weight)).train_step() for weight in (0.0, 1.0, 3.0)]
    assert losses[1] > losses[0] > 0
    assert losses[2] - losses[0] == pytest.approx(3 * (losses[1] - losses[0]), rel=1e-4)


def test_one_step_is_this_loss_of_this_batch(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    images, targets, known = run.batches(0)
    torch.manual_seed(run.recipe.seed * 7_919)
    run.network.train()
    with torch.no_grad():
        logits = run.network(images.contiguous(memory_format=torch.channels_last))
    expected = bce_dice(logits[:, :1], targets[:, :1], known[:, :1]) + 0.3 * bce_dice(logits[:, 1:], targets[:, 1:], known[:, 1:])
    assert trainer(tmp_path).train_step() == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_every_step_drops_something_else(tmp_path: Path, dropout: float) -> None:
    recipe = tiny_recipe(learning_rate=0.0, network=replace(tiny_recipe().network, dropout=dropout, drop_path=dropout))
    run = trainer(tmp_path, recipe)
    batch = run.batches(0)
    run.batches = lambda step: batch  # type: ignore[assignment]  # the same slices, and a rate of 0: the same weights
    first, second = run.train_step(), run.train_step()
    assert (first != second) is (dropout > 0)


def test_the_average_is_what_is_validated(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    run.average["head.0.weight"].zero_()
    run.average["head.0.bias"].fill_(50.0)  # everything is tumor
    scores = run.validate()
    assert scores["false_positive_rate"] == 1.0
    assert scores["tumor_iou"] == pytest.approx(float((VALIDATION.targets[:3] & 1).mean()))


def test_a_model_of_one_output_has_one_loss(tmp_path: Path) -> None:
    recipe = tiny_recipe()
    assert trainer(tmp_path, replace(recipe, network=replace(recipe.network, out_channels=1))).train_step() > 0


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    with torch.no_grad():
        run.network.head[0].bias.fill_(float("nan"))
    with pytest.raises(RuntimeError, match="the loss became nan at step 0; lower learning_rate and start again"):
        run.train_step()


def test_a_checkpoint_is_written_after_two_minutes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_CHECKPOINT_SECONDS", -1.0)
    seen: list[Any] = []

    def look(fraction: float, message: str) -> None:
        seen.append(load_tensors(tmp_path / "last.safetensors")[1]["step"] if (tmp_path / "last.safetensors").is_file() else None)

    trainer(tmp_path, tiny_recipe(phases=(Phase(2, 32),), validate_every=100)).fit(look)
    assert seen == [None, 1]


def test_progress_rises_with_every_step(tmp_path: Path) -> None:
    told: list[tuple[float, str]] = []
    trainer(tmp_path, tiny_recipe(phases=(Phase(2, 32),))).fit(lambda fraction, message: told.append((fraction, message)))
    assert [fraction for fraction, _ in told] == [0.5, 1.0]
    assert told[0][1].startswith("step 1 of 2, loss ")


def test_rows_of_steps_done_again_are_replaced(tmp_path: Path) -> None:
    for step, dice in ((400, 0.1), (800, 0.2), (1200, 0.3), (800, 0.25)):
        append_row(tmp_path / "log.csv", {"step": step, "dice": dice})
    assert log(tmp_path) == [{"step": "400", "dice": "0.1"}, {"step": "800", "dice": "0.25"}]
