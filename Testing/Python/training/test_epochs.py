"""The trainer: exact resume, the published callbacks, and batches that follow from seed and epoch alone."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from BrainTumorSegLib.training import epochs
from BrainTumorSegLib.training.checkpoint import load_tensors
from BrainTumorSegLib.training.epochs import EpochTrainer, augmented, make_optimizer, predict
from BrainTumorSegLib.training.hardware import Hardware
from BrainTumorSegLib.training.paper_recipe import PaperRecipe
from BrainTumorSegLib.training.schedule import Schedule
from Testing.Python.examples import example_set, tiny_paper_recipe

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = Hardware(torch.device("cpu"), bf16=False)
EXAMPLES = example_set(8)
TRAINING, CHOOSING = np.flatnonzero(EXAMPLES.fold > 2), np.flatnonzero(EXAMPLES.fold == 2)


def silent(fraction: float, message: str) -> None:
    pass


def network(out_channels: int = 1) -> torch.nn.Module:
    """Something with dropout and BN, so that an inexact resume shows."""
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1),
        torch.nn.BatchNorm2d(8),
        torch.nn.ReLU(),
        torch.nn.Dropout2d(0.2),
        torch.nn.Conv2d(8, out_channels, 1),
    )


def trainer(run: Path, **changes: Any) -> EpochTrainer:
    recipe = tiny_paper_recipe(**{"learning_rate": 0.01, "patience": 0, "schedule": Schedule(), **changes})
    run.mkdir(exist_ok=True)
    return EpochTrainer(recipe, network(), EXAMPLES, TRAINING, CHOOSING, 2, run, CPU)


def log(run: Path) -> list[dict[str, str]]:
    with (run / "log.csv").open() as file:
        return list(csv.DictReader(file))


def same(first: Path, second: Path, name: str) -> bool:
    tensors, others = load_tensors(first / name)[0], load_tensors(second / name)[0]
    return set(tensors) == set(others) and all(torch.equal(tensors[key], others[key]) for key in tensors)


def without_time(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{key: value for key, value in row.items() if key != "minutes"} for row in rows]


def test_a_run_that_is_resumed_ends_as_one_that_was_not(tmp_path: Path) -> None:
    changes = {"epochs": 4, "augmentation": replace(tiny_paper_recipe("paper-b").augmentation, noise=0.05)}
    trainer(tmp_path / "whole", **changes).fit(silent)

    def stop(fraction: float, message: str) -> None:
        if message.startswith("epoch 3 of 4, batch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path / "cut", **changes).fit(stop)
    assert len(log(tmp_path / "cut")) == 2
    again = trainer(tmp_path / "cut", **changes)
    again.resume()
    assert again.epoch == 2
    again.fit(silent)
    for name in ("last.safetensors", "weights.safetensors"):
        assert same(tmp_path / "whole", tmp_path / "cut", name), name
    assert without_time(log(tmp_path / "cut")) == without_time(log(tmp_path / "whole"))
    assert len(log(tmp_path / "whole")) == 4


def test_an_epoch_that_is_done_again_replaces_its_row(tmp_path: Path) -> None:
    first = trainer(tmp_path)
    first.fit(silent)
    second = trainer(tmp_path)
    second.fit(silent)
    assert [row["epoch"] for row in log(tmp_path)] == ["1", "2"]


def test_batches_follow_from_seed_and_epoch_and_cover_the_training_slices_once(tmp_path: Path) -> None:
    one = trainer(tmp_path, slices_per_epoch=0, batch=3)
    batches = one.batches()
    assert [len(batch) for batch in batches] == [3, 3]  # of 8, the last two are left out
    assert len(set(np.concatenate(batches))) == 6
    assert set(np.concatenate(batches)) <= set(TRAINING)
    assert np.array_equal(np.concatenate(one.batches()), np.concatenate(batches))
    one.epoch = 1
    assert not np.array_equal(np.concatenate(one.batches()), np.concatenate(batches))
    assert [len(batch) for batch in trainer(tmp_path, slices_per_epoch=4, batch=4).batches()] == [4]
    assert [len(batch) for batch in trainer(tmp_path, slices_per_epoch=0, batch=99).batches()] == [8]


def test_the_rate_follows_the_schedule(tmp_path: Path) -> None:
    trainer(tmp_path, epochs=4, schedule=Schedule("warm-up", warm_up=2, decay=0.5)).fit(silent)
    assert [float(row["learning_rate"]) for row in log(tmp_path)] == pytest.approx([0.005, 0.01, 0.005, 0.0025])


def test_the_run_stops_early_and_keeps_the_best_epoch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([0.5, 0.7, 0.6, 0.7, 0.1, 0.9])
    keys = ("loss", "dice", "iou", "mean_iou")
    monkeypatch.setattr(epochs, "validate", lambda *arguments: {f"validation_{key}": value for value in [next(values)] for key in keys})
    run = trainer(tmp_path, epochs=6, patience=3)
    states = []
    monkeypatch.setattr(EpochTrainer, "save", lambda self: states.append({k: v.clone() for k, v in self.network.state_dict().items()}))
    run.fit(silent)
    assert (run.epoch, run.kept_epoch, run.is_done) == (5, 2, True)
    weights, about = load_tensors(tmp_path / "weights.safetensors")
    assert about == {"epoch": 2}
    assert all(torch.equal(weights[name], states[1][name]) for name in weights)


def test_a_loss_is_better_when_it_is_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([0.5, 0.2, 0.4])
    keys = ("loss", "dice", "iou", "mean_iou")
    monkeypatch.setattr(epochs, "validate", lambda *arguments: {f"validation_{key}": value for value in [next(values)] for key in keys})
    run = trainer(tmp_path, epochs=3, monitor="loss")
    run.fit(silent)
    assert run.kept_epoch == 2


def test_without_a_choice_the_last_epoch_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epochs, "best_epoch", lambda monitored: 0)
    run = trainer(tmp_path, epochs=3, restore_best=False)
    run.fit(silent)
    assert load_tensors(tmp_path / "weights.safetensors")[1] == {"epoch": 3}
    weights = load_tensors(tmp_path / "weights.safetensors")[0]
    assert all(torch.equal(weights[name], value) for name, value in run.network.state_dict().items())


def test_looks_are_taken_every_so_many_epochs_and_at_the_end(tmp_path: Path) -> None:
    run = trainer(tmp_path, epochs=5, validate_every=2)
    run.fit(silent)
    assert [row["validation_dice"] != "" for row in log(tmp_path)] == [False, True, False, True, True]
    assert run.validated == [2, 4, 5]
    assert all(row["training_dice"] != "" for row in log(tmp_path))


def test_it_learns_what_is_bright(tmp_path: Path) -> None:
    run = trainer(tmp_path, epochs=15, learning_rate=0.05)
    run.fit(silent)
    rows = log(tmp_path)
    assert float(rows[-1]["training_loss"]) < 0.3 * float(rows[0]["training_loss"])
    masks, loss = predict(run.network, EXAMPLES, CHOOSING, run.recipe, CPU)
    assert masks.shape == EXAMPLES.labels[CHOOSING].shape
    assert float(rows[-1]["validation_dice"]) > 0.8
    assert loss == pytest.approx(float(rows[-1]["validation_loss"]), abs=1e-4)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    with torch.no_grad():
        run.network[4].bias.fill_(float("nan"))
    with pytest.raises(RuntimeError, match="the loss became nan in epoch 1; lower learning_rate and start again"):
        run.fit(silent)


def test_gray_slices_are_repeated_after_they_were_changed() -> None:
    recipe = tiny_paper_recipe("paper-b")
    images, labels = augmented(EXAMPLES, TRAINING[:4], recipe, 7)
    assert images.shape == (4, 3, 32, 32)
    assert torch.equal(images[:, 0], images[:, 2])
    assert labels.shape == (4, 32, 32)
    again, other = augmented(EXAMPLES, TRAINING[:4], recipe, 7)[0], augmented(EXAMPLES, TRAINING[:4], recipe, 8)[0]
    assert torch.equal(images, again)
    assert not torch.equal(images, other)


def test_the_optimizer_is_the_recipes() -> None:
    recipe: PaperRecipe = tiny_paper_recipe("paper-c")
    optimizer = make_optimizer(network(), recipe)
    assert isinstance(optimizer, torch.optim.AdamW)
    group = optimizer.param_groups[0]
    assert (group["lr"], group["weight_decay"], group["eps"], group["betas"]) == (1e-4, 0.01, 1e-5, (0.9, 0.999))
    plain = make_optimizer(network(), tiny_paper_recipe("paper-a"))
    assert type(plain) is torch.optim.Adam
    assert plain.param_groups[0]["eps"] == 1e-7
