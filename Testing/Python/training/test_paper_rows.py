"""Every row of every paper's table trains on a few slices and is scored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from BrainTumorSegLib.networks.table import configure
from BrainTumorSegLib.training.hardware import Hardware
from BrainTumorSegLib.training.paper_runs import train_fold
from BrainTumorSegLib.training.recipes import PAPERS
from Testing.Python.examples import tiny_paper_examples, tiny_paper_recipe

pytestmark = pytest.mark.usefixtures("one_thread")


def silent(fraction: float, message: str) -> None:
    pass


ROWS = [(name, variant) for name, paper in PAPERS.items() for variant in paper.networks]


@pytest.mark.parametrize(("name", "variant"), ROWS)
def test_every_row_of_every_table_trains_and_is_scored(name: str, variant: str, tmp_path: Path) -> None:
    network = configure(PAPERS[name].networks[variant], width=0.05)
    recipe = tiny_paper_recipe(name, variant=variant, network=network, epochs=1, batch=2, slices_per_epoch=2, choose_on="scored fold")
    result = train_fold(PAPERS[name], recipe, tiny_paper_examples(name), tmp_path, 1, Hardware(torch.device("cpu"), bf16=False), False, silent)
    assert (result["recipe"], result["variant"], result["fold"], result["width"]) == (name, variant, 1, 0.05)
    assert result["started_from"].startswith("random weights (")
    assert result["epochs_run"] == 1
    assert result["trained_on"].startswith("CPU, 1 threads, float32")
    headline = result["scores"]["classes"]["ED"]["dice"] if name == "paper-c" else result["scores"].get("dice", result["scores"].get("mean_iou", 0.5))
    assert 0 <= headline <= 1
    assert json.loads((tmp_path / "scores.json").read_text()) == result
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"curves.png", "last.safetensors", "log.csv", "run.json", "scores.json", "shown.npz", "weights.safetensors"}
