"""A run folder belongs to one run: it is started, resumed and finished, never mixed with another."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.export.int8 import write_int8
from BrainTumorSegLib.export.to_onnx import export_onnx
from BrainTumorSegLib.networks.attention_unet import AttentionUNet
from BrainTumorSegLib.training.checkpoint import load_tensors
from BrainTumorSegLib.training.hardware import Hardware
from BrainTumorSegLib.training.recipe import Phase, Recipe, from_dict
from BrainTumorSegLib.training.run_folder import check_start
from BrainTumorSegLib.training.runs import CACHE, over_patients, train_all_folds, train_fold
from Testing.Python.tiny import TRAINING_POOLS, model_row, slice_set, tiny_recipe, write_models

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = Hardware(torch.device("cpu"), bf16=False)
RECIPE = tiny_recipe(phases=(Phase(1, 32),))


def silent(fraction: float, message: str) -> None:
    pass


def start(run: Path, recipe: Recipe = RECIPE, fold: int = 4, resume: bool = False, data: Path = Path("nowhere")) -> dict:
    return train_fold(recipe, data, run, fold, CPU, resume, silent)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with prepared slices, in which a run can start without the public sets."""
    folder = tmp_path / "run"
    folder.mkdir()
    slice_set(TRAINING_POOLS, size=32).save(folder / CACHE)
    return folder


def test_a_run_starts_is_refused_twice_and_is_resumed(run: Path) -> None:
    scores = start(run)
    assert sorted(path.name for path in run.iterdir()) == [
        "curves.png",
        "last.safetensors",
        "log.csv",
        "run.json",
        "scores.json",
        "slices.npz",
        "weights.safetensors",
    ]
    # fold 4 of cheng: gliomas 3 and 7, pituitary tumor 3; fold 1 of no_tumor: 0 and 4
    assert (scores["n"], scores["n_tumor_free"]) == (3, 2)
    settings = json.loads((run / "run.json").read_text())
    assert settings["fold"] == 4
    assert from_dict(settings["recipe"]) == RECIPE
    assert min(Image.open(run / "curves.png").size) > 300

    with pytest.raises(InputError, match="already holds a run; add --resume to go on with it, or give another folder with -o"):
        start(run)
    other = re.escape("was started with another recipe, fold or --set; resume with the same ones, or give another folder with -o")
    with pytest.raises(InputError, match=other):
        start(run, tiny_recipe(phases=(Phase(1, 32),), seed=2), resume=True)
    with pytest.raises(InputError, match=other):
        start(run, fold=3, resume=True)
    assert json.loads((run / "run.json").read_text()) == settings

    written = load_tensors(run / "weights.safetensors")[0]
    assert start(run, resume=True)["dice"] == scores["dice"]  # finished: nothing is done again
    assert all(torch.equal(tensor, written[name]) for name, tensor in load_tensors(run / "weights.safetensors")[0].items())


def test_a_run_goes_on_from_another_of_its_fold_only(run: Path, tmp_path: Path) -> None:
    start(run)
    other = tmp_path / "fine"
    other.mkdir()
    (run / CACHE).rename(other / CACHE)

    def tuned(recipe: Recipe = RECIPE, fold: int = 4, begin: Path = run, resume: bool = False) -> dict:
        return train_fold(recipe, Path("nowhere"), other, fold, CPU, resume, silent, start=[begin])

    with pytest.raises(InputError, match="has learned from the patients of fold 3; start from a run that was validated on fold 3"):
        tuned(fold=3)
    wider = tiny_recipe(phases=(Phase(1, 32),), network=replace(RECIPE.network, attention_gates=not RECIPE.network.attention_gates))
    with pytest.raises(InputError, match="has another network than recipe t1ce-tumor; start from a run of the same network"):
        tuned(wider)
    with pytest.raises(InputError, match="holds no run .run.json is missing., so nothing can start from it; give a folder that train made"):
        tuned(begin=tmp_path)
    assert not (other / "run.json").exists()
    assert tuned()["n"] == 3
    assert json.loads((other / "run.json").read_text())["start"] == [str(run)]
    assert json.loads((other / "scores.json").read_text())["started_from"].startswith("1 steps of another run (")
    with pytest.raises(InputError, match="was started with another recipe, fold or --set"):
        start(other, resume=True)
    written = load_tensors(other / "weights.safetensors")[0]
    tuned(resume=True)  # finished: where it started from is no step back
    assert all(torch.equal(tensor, written[name]) for name, tensor in load_tensors(other / "weights.safetensors")[0].items())


def test_without_steps_the_result_is_the_mean_of_the_runs_it_starts_from(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (run / CACHE).rename(tmp_path / "slices.npz")
    for folder, recipe in ((run, RECIPE), (other, replace(RECIPE, seed=2))):
        train_fold(recipe, Path("nowhere"), folder, 4, CPU, False, silent, cache=tmp_path / "slices.npz")
    none = replace(RECIPE, phases=(Phase(0, 32),))
    mixed = tmp_path / "mixed"
    scores = train_fold(none, Path("nowhere"), mixed, 4, CPU, False, silent, cache=tmp_path / "slices.npz", start=[run, run, run, other])
    (first, _), (second, _), (mean, progress) = (load_tensors(folder / "weights.safetensors") for folder in (run, other, mixed))
    assert torch.allclose(mean["head.0.weight"], 0.75 * first["head.0.weight"] + 0.25 * second["head.0.weight"])
    assert progress["step"] == 0
    assert scores["n"] == 3
    assert json.loads((mixed / "scores.json").read_text())["started_from"].startswith("3 x 1 and 1 steps of other runs, averaged (")


@pytest.mark.parametrize(
    ("learned", "split", "folds"),
    [
        ("cheng", "cheng fold 4, tumor-free: no_tumor fold 1", {0, 4}),
        ("cheng", "cheng fold 4", {0, 4}),
        ("cheng", "cheng fold 4, which was trained on", {0}),
        ("cheng", "cheng, 4-fold cross-validation by patient; this file has learned from all patients", {0}),
        ("lgg", "lgg fold 4", {0, 1, 2, 3, 4}),  # none of its patients is scored
    ],
)
def test_a_run_goes_on_from_a_file_that_has_not_learned_from_its_fold(tmp_path: Path, learned: str, split: str, folds: set[int]) -> None:
    file = tmp_path / "tiny.onnx"
    file.touch()
    write_models(tmp_path, model_row(file, training_data=[{"name": learned}, {"name": "no_tumor"}], scores={"split": split}))
    for fold in range(5):
        if fold in folds:
            check_start(file, RECIPE, fold)
        else:
            with pytest.raises(InputError, match=f"has learned from the patients of fold {fold}; train on all patients with --fold 0, or start from another"):
                check_start(file, RECIPE, fold)


def test_of_a_file_alone_nobody_knows_what_it_has_learned_from(tmp_path: Path) -> None:
    file = tmp_path / "tiny.onnx"
    with pytest.raises(InputError, match="tiny.onnx does not exist, so nothing can start from it; give a file that export made, or a folder that train made"):
        check_start(file, RECIPE, 0)
    file.touch()
    check_start(file, RECIPE, 0)
    with pytest.raises(InputError, match="no models.json beside .*tiny.onnx says what the file has learned from; train on all patients with --fold 0"):
        check_start(file, RECIPE, 4)


def test_a_run_starts_from_an_exported_file(run: Path, tmp_path: Path) -> None:
    torch.manual_seed(3)
    network = AttentionUNet(RECIPE.network)
    file, training = tmp_path / "tiny.onnx", slice_set(TRAINING_POOLS, size=32)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # statistics of what it has seen, which keep values in range
    with torch.no_grad():
        network(torch.from_numpy(training.tissue(np.arange(8))[:, None]))
    export_onnx(network.eval(), tmp_path / "fp32.onnx", {})
    write_int8(tmp_path / "fp32.onnx", file, training.tissue(np.arange(8))[:, None], {}, silent)
    write_models(tmp_path, model_row(file, training_data=[{"name": "cheng"}], scores={"split": "cheng fold 4"}))
    wider = replace(RECIPE, network=replace(RECIPE.network, decoder_channels=(24, 16, 8, 8)))
    with pytest.raises(InputError, match="tiny.onnx is no int8 file of this recipe's network; give one"):
        train_fold(wider, Path("nowhere"), run, 4, CPU, False, silent, start=[file])
    assert [path.name for path in run.iterdir()] == [CACHE]  # what could not begin is no run
    train_fold(replace(RECIPE, phases=(Phase(0, 32),)), Path("nowhere"), run, 4, CPU, False, silent, start=[file])
    head = load_tensors(run / "weights.safetensors")[0]["head.0.weight"]
    steps = network.head[0].weight.detach().flatten(1).abs().amax(1) / 127
    assert ((head - network.head[0].weight).flatten(1).abs().amax(1) < 0.51 * steps).all()
    assert json.loads((run / "scores.json").read_text())["started_from"] == "the file tiny.onnx"
    train_fold(replace(RECIPE, phases=(Phase(0, 32),)), Path("nowhere"), tmp_path / "mean", 4, CPU, False, silent, run / CACHE, [file, run])
    mean = load_tensors(tmp_path / "mean" / "weights.safetensors")[0]["head.0.weight"]
    assert torch.allclose(mean, head)
    assert (
        json.loads((tmp_path / "mean" / "scores.json").read_text())["started_from"]
        == "0 steps of other runs and the file tiny.onnx, averaged (the file tiny.onnx)"
    )
    train_fold(RECIPE, Path("nowhere"), tmp_path / "on", 4, CPU, False, silent, run / CACHE, [run])  # of what had no steps, what that began with is told
    assert json.loads((tmp_path / "on" / "scores.json").read_text())["started_from"] == "the file tiny.onnx"


def test_without_steps_and_without_a_start_nothing_is_trained(run: Path) -> None:
    with pytest.raises(InputError, match="no steps, which leaves a network untrained; give phases with steps, or --start RUN"):
        start(run, replace(RECIPE, phases=(Phase(0, 32),)))
    assert not (run / "run.json").exists()


def test_resume_in_an_empty_folder_is_a_start(run: Path) -> None:
    assert start(run, resume=True)["n"] == 3


@pytest.mark.parametrize("fold", [5, -1])
def test_an_unknown_fold_is_refused(run: Path, fold: int) -> None:
    with pytest.raises(InputError, match=f"fold is {fold}, but the folds are 1, 2, 3, 4; choose one of them, all, or 0 to keep no patient out"):
        start(run, fold=fold)
    assert not (run / "run.json").exists()


def test_fold_0_trains_on_every_patient_and_scores_tumor_free_pictures_alone(tmp_path: Path, run: Path) -> None:
    scores = start(run, fold=0)
    assert (scores["n"], scores["dice"], scores["n_tumor_free"]) == (0, None, 2)
    stacks = tmp_path / "stacks"
    stacks.mkdir()
    slice_set({"lgg/glioma": 8, "no_tumor/none": 8}, size=32).save(stacks / CACHE)
    recipe = replace(RECIPE, name="flair-tumor", sets=("lgg", "no_tumor"), batch={"lgg/glioma": 2, "no_tumor/none": 1})
    scores = start(stacks, recipe, fold=0)
    assert (scores["n"], scores["dice"], scores["median"], scores["cases"], scores["n_tumor_free"]) == (0, None, None, {}, 2)
    assert start(stacks, recipe, fold=0, resume=True) == json.loads((stacks / "scores.json").read_text())


def test_missing_data_are_named_and_the_folder_stays_free(tmp_path: Path) -> None:
    (tmp_path / "data" / "cheng").mkdir(parents=True)
    run = tmp_path / "run"
    for _ in range(2):  # the second time too: what could not begin is no run
        with pytest.raises(InputError, match=re.escape(f"{tmp_path / 'data' / 'no_tumor'} is missing, but this recipe trains on it")):
            start(run, data=tmp_path / "data")
    assert list(run.iterdir()) == []


def test_a_recipe_whose_pools_are_empty_leaves_the_folder_free(run: Path) -> None:
    with pytest.raises(InputError, match="no training slice belongs to cheng/meningioma"):
        start(run, tiny_recipe(batch={"cheng/meningioma": 2}))
    assert [path.name for path in run.iterdir()] == [CACHE]


def test_slices_prepared_for_other_sets_are_not_taken(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(f"{tmp_path / 'cheng'} is missing")):
        start(run, tiny_recipe(sets=("cheng", "no_tumor")), data=tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="the run folder .*file/run cannot be written .*; give another one with -o"):
        start(tmp_path / "file" / "run")


def test_all_folds_are_trained_each_in_its_folder_and_their_mean_is_stated(run: Path) -> None:
    told: list[tuple[float, str]] = []
    result = train_all_folds(RECIPE, Path("nowhere"), run, CPU, False, lambda fraction, message: told.append((fraction, message)))
    assert list(result["folds"]) == ["1", "2", "3", "4"]
    assert result["mean_dice"] == pytest.approx(sum(scores["dice"] for scores in result["folds"].values()) / 4)
    assert json.loads((run / "cross_validation.json").read_text()) == result
    for fold in (1, 2, 3, 4):
        assert json.loads((run / f"fold{fold}" / "run.json").read_text())["fold"] == fold
        assert not (run / f"fold{fold}" / CACHE).exists()  # all share one
    assert [fraction for fraction, _ in told] == [0.25, 0.5, 0.75, 1.0]
    assert told[2][1].startswith("fold 3: step 1 of 1, loss ")


def test_stacks_are_scored_by_patient_over_all_folds(run: Path) -> None:
    data = slice_set({"lgg/glioma": 8, "lgg/none": 4, "no_tumor/none": 8}, size=32)
    data.fold[:8] = (1, 2, 4, 5, 1, 2, 3, 5)
    data.case[8:12], data.fold[8:12] = data.case[:4], data.fold[:4]  # tumor-free slices of the first four patients
    data.save(run / CACHE)
    recipe = tiny_recipe(sets=("lgg", "no_tumor"), batch={"lgg/glioma": 2, "no_tumor/none": 1}, phases=(Phase(1, 32),))
    result = train_all_folds(recipe, Path("nowhere"), run, CPU, False, silent)
    assert {fold: sorted(scores["cases"]) for fold, scores in result["folds"].items()} == {
        "1": ["lgg/glioma/0", "lgg/glioma/4"],
        "2": ["lgg/glioma/1", "lgg/glioma/5"],
        "3": ["lgg/glioma/6"],
        "4": ["lgg/glioma/2"],
        "5": ["lgg/glioma/3", "lgg/glioma/7"],
    }
    values = [value for scores in result["folds"].values() for value in scores["cases"].values()]
    assert (result["n"], result["mean_dice"]) == (8, pytest.approx(sum(values) / 8, abs=1e-4))  # not the mean of the folds' means


def test_patients_of_all_folds_count_alike() -> None:
    folds = [{"cases": {"A": 0.2, "B": 0.4}}, {"cases": {"C": 0.9}}]
    assert over_patients(folds) == {"n": 3, "mean_dice": 0.5, "median": 0.4, "spread": pytest.approx(((0.09 + 0.01 + 0.16) / 2) ** 0.5, abs=1e-4)}
