"""Training a published system from the command line, on one's own cases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from BrainTumorSegLib.cli.main import main
from BrainTumorSegLib.training.recipe import Phase
from BrainTumorSegLib.training.recipes import RECIPES
from BrainTumorSegLib.training.runs import CACHE
from Testing.Python.examples import phantom, write_case
from Testing.Python.tiny import TRAINING_POOLS, slice_set, tiny_recipe

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = [f"--set={setting}" for setting in ("width=0.05", "size=32", "epochs=1", "batch=2", "slices_per_epoch=2", "variant=ag", "choose_on=scored fold")]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three patients with a T1ce and a mask."""
    image, mask = phantom()
    for i in range(3):
        write_case(tmp_path / "data" / f"p{i}", {"t1ce": image}, mask)
    return tmp_path / "data"


def test_one_fold_is_trained_and_its_scores_printed(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["train", "paper-a", "--data", str(data), "-o", str(tmp_path / "run"), "--cache", str(tmp_path / "cache.npz"), "--fold", "2", *SMALL]
    assert main(command) == 0
    text = capsys.readouterr().out
    assert text.startswith("fold 2: mean_iou 0.")
    assert "pooled over all pixels of all slices; epoch 1 of 1" in text
    assert (tmp_path / "cache.npz").is_file()
    assert not (tmp_path / "run" / "examples.npz").exists()
    assert main([*command, "--resume", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["variant"], result["width"], result["size"]) == ("ag", 0.05, 32)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--set", "variant=gate"], "variant is 'gate', but paper-a has none, ag, se, cbam; choose one of them"),
        (["--fold", "9"], "fold is 9, but the folds are 1, 2, 3; choose one of them or all"),
        (["--start", "elsewhere"], "--start is for our own recipes, but paper-a starts as its paper does; leave it out"),
        (["--fold", "first"], "--fold is 'first', but it must be the number of a fold or all; correct it"),
    ],
)
def test_what_cannot_be_trained_is_one_line_and_leaves_no_run(
    data: Path, tmp_path: Path, extra: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "paper-a", "--data", str(data), "-o", str(tmp_path / "run"), *SMALL, *extra]) == 2
    error = capsys.readouterr().err
    assert f"braintumorseg: error: {message}" in error
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_bad_case_is_named_before_training(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "p1" / "seg.nii.gz").unlink()
    assert main(["train", "paper-a", "--data", str(data), "-o", str(tmp_path / "run"), *SMALL]) == 2
    assert "the case p1 has no mask" in capsys.readouterr().err


def test_unknown_recipes_are_answered_with_all_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "paper-e", "--data", str(tmp_path), "-o", str(tmp_path / "run")]) == 2
    assert (
        "there is no recipe 'paper-e'; choose one of t1ce-tumor, glioma-regions, flair-tumor, brain-mask, paper-a, paper-b, paper-c, paper-d"
        in capsys.readouterr().err
    )


def test_slices_of_our_own_recipes_are_shared_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(RECIPES, "t1ce-tumor", tiny_recipe(phases=(Phase(1, 32),)))
    slice_set(TRAINING_POOLS, size=32).save(tmp_path / "slices.npz")
    assert main(["train", "t1ce-tumor", "--data", "nowhere", "-o", str(tmp_path / "run"), "--cache", str(tmp_path / "slices.npz")]) == 0
    assert "mean Dice on fold 4: 0." in capsys.readouterr().out
    assert not (tmp_path / "run" / CACHE).exists()


def test_a_start_belongs_to_one_fold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "t1ce-tumor", "--data", str(tmp_path), "-o", str(tmp_path / "run"), "--fold", "all", "--start", str(tmp_path)]) == 2
    assert "--start begins with the weights of a run of one fold, but --fold is all; give the fold of that run" in capsys.readouterr().err
    assert main(["train", "t1ce-tumor", "--data", str(tmp_path), "-o", str(tmp_path / "run"), "--start", str(tmp_path)]) == 2
    assert "holds no run (run.json is missing), so nothing can start from it" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
