"""Everything that leaves a run of nested regions: files in each precision, their scores by case and subset, models.json and the card."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib import __version__
from BrainTumorSegLib.data import glioma_cases
from BrainTumorSegLib.data.case_set import CaseSet
from BrainTumorSegLib.data.folds import ALL_CASES
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.export.descriptions import DESCRIPTIONS
from BrainTumorSegLib.export.fine_tune import tune_of
from BrainTumorSegLib.export.int8 import write_int8
from BrainTumorSegLib.export.learned_from import cross_validated, learned_from, left_out, split_of
from BrainTumorSegLib.export.quantize import quantize_dynamic_range
from BrainTumorSegLib.export.region_card import card_text
from BrainTumorSegLib.export.release import CALIBRATION_SLICES, PRECISIONS, cache_of, model_row, onnx_maps, read_run, state_losses
from BrainTumorSegLib.export.sensitivity import part_of
from BrainTumorSegLib.export.to_onnx import export_onnx
from BrainTumorSegLib.networks.attention_unet import AttentionUNet
from BrainTumorSegLib.training.checkpoint import load_tensors
from BrainTumorSegLib.training.recipe import from_dict
from BrainTumorSegLib.training.recipes import RECIPES
from BrainTumorSegLib.training.region_batches import RegionBatches
from BrainTumorSegLib.training.region_recipe import RegionRecipe
from BrainTumorSegLib.training.region_scores import QUICK_PLANES, score_cases, subset_name, subsets, summary

Report = Callable[[float, str], None]
_STATED = ("n", "dice", "dice_by_kind", "n_et", "false_et_ml")


def is_region_run(run: Path) -> bool:
    """Whether a run folder is one of a `RegionRecipe`."""
    try:
        return isinstance(RECIPES.get(json.loads((run / "run.json").read_text())["recipe"]["name"]), RegionRecipe)
    except OSError:
        return False


def release_regions(
    run: Path,
    folder: Path,
    precisions: tuple[str, ...],
    data: Path | None,
    report: Report,
    cross_validation: Path | None = None,
    cache: Path | None = None,
    sensitivity: float | None = None,
    qat_steps: int = 0,
    scored: bool = True,
) -> list[dict[str, Any]]:
    """Write the model of `run` to `folder` in each of `precisions`, with models.json and, given data, scores and a card.

    Args:
        data: the data trained on: calibrates int8 and scores every file on the run's fold; a run on all cases is scored
            on cases of its own training, which says what quantization costs and nothing else.
        cross_validation: cross_validation.json of a run over all folds, whose means are stated; of a run on all cases in
            the place of its own scores.
        cache: prepared cases of `train --cache` (default: in the run, or beside it).
        sensitivity, qat_steps: what is done about the blocks that int8 costs most, as in `release.release`.
        scored: False leaves the scores and the card out, which take most of the time.

    Returns:
        The rows of models.json, the shipped precision (int8 where made) first.

    Raises:
        InputError: `run` holds no run, int8 without data, or the data are missing.
    """
    settings = read_run(run)
    recipe = from_dict(settings["recipe"], RegionRecipe)
    assert isinstance(recipe, RegionRecipe)
    if data is None and "int8" in precisions:
        raise InputError("int8 is calibrated on real slices, but no data are given; add --data DIR or choose --precision fp32")
    weights, progress = load_tensors(run / "weights.safetensors")
    network = AttentionUNet(recipe.network)
    network.load_state_dict(weights)
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"name": recipe.name, "version": __version__, "steps": progress["step"]}
    files = {precision: folder / f"{recipe.name}-{precision}.onnx" for precision in PRECISIONS}
    export_onnx(network, files["fp32"], metadata, recipe.network.in_channels)
    cases = glioma_cases.load_cases(recipe.sets, data, cache or cache_of(run), report) if data else None
    tuned = {"qat_steps": qat_steps} if qat_steps else {}
    rows = []
    for i, precision in enumerate(sorted(set(precisions) | {"fp32"}, key=PRECISIONS.index)):
        report(0.1 + 0.8 * i / 3, f"{precision}: quantizing and scoring")
        if precision == "dynamic":
            quantize_dynamic_range(files["fp32"], files["dynamic"], metadata)
        elif precision == "int8" and cases is not None:
            training, _ = glioma_cases.split(cases, settings["fold"])
            share = part_of(report, 0.1 + 0.8 * i / 3, 0.2)
            slices = calibration_slices(training, recipe)
            write_int8(files["fp32"], files["int8"], slices, metadata | tuned, share, sensitivity, tune_of(recipe, training, qat_steps))
        scores = _scores(files[precision], cases, recipe, settings["fold"]) if cases is not None and scored else {}
        if scores and precision == "int8":
            scores |= tuned
        rows.append(model_row(recipe, files[precision], precision, scores, run))
    state_losses(rows)
    rows = [row for row in reversed(rows) if row["precision"] in precisions]
    if "fp32" not in precisions:
        files["fp32"].unlink()
    if cases is not None:
        training, _ = glioma_cases.split(cases, settings["fold"])
        patients = {name: len({case.name for case in training if case.source == name}) for name in {case.source for case in training}}
        for row in rows:
            row["training_data"] = learned_from(row["training_data"], patients, settings["fold"])
    stands_in = settings["fold"] == ALL_CASES and cross_validation is not None
    if cases is not None and scored and not stands_in:
        report(0.9, "scoring every subset of sequences")
        rows[0]["scores"]["subsets"] = _subset_scores(folder / rows[0]["file"], cases, settings["fold"], rows[0]["threshold"])
    if cross_validation is not None:
        stated = _stated(json.loads(cross_validation.read_text()))
        for row in rows:
            row["scores"] = _standing_in(stated, row["scores"]) if stands_in else {**row["scores"], "cross_validation": stated}
    (folder / "models.json").write_text(json.dumps({"format": 1, "models": rows}, indent=1) + "\n")
    if cases is not None and scored:
        (folder / f"{recipe.name}-card.md").write_text(card_text(rows[0]))
    return rows


def calibration_slices(training: CaseSet, recipe: RegionRecipe) -> np.ndarray:
    """Slices of whole cases for int8 ranges, float32 [300, 4, canvas, canvas], with sequences dropped as in training."""
    batches = RegionBatches(training, recipe)
    numbers = np.random.default_rng(recipe.seed)
    pools = [name for name, n in recipe.batch.items() for _ in range(n)]
    return np.concatenate([batches.plain(pools[i % len(pools)], numbers) for i in range(CALIBRATION_SLICES)])


def _scored_cases(cases: CaseSet, fold: int) -> CaseSet:
    return glioma_cases.split(cases, fold if fold != ALL_CASES else glioma_cases.FOLDS[0])[1]


def _scores(path: Path, cases: CaseSet, recipe: RegionRecipe, fold: int) -> dict[str, Any]:
    by_case = score_cases(onnx_maps(path), _scored_cases(cases, fold), tuple(recipe.planes), threshold=DESCRIPTIONS[recipe.name]["threshold"])
    split = split_of("brats", fold, glioma_cases.FOLDS[0])
    return {"split": split, "average": f"mean over cases in 3-D, {', '.join(recipe.planes)} fused, no post-processing", **summary(by_case)}


def _subset_scores(path: Path, cases: CaseSet, fold: int, threshold: float) -> dict[str, dict[str, float]]:
    predict, scored = onnx_maps(path), _scored_cases(cases, fold)
    return {subset_name(given): summary(score_cases(predict, scored, QUICK_PLANES, given, threshold))["dice_by_kind"] for given in subsets()}


def _standing_in(stated: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Scores of a file that has learned from all cases: the cross-validation's; its own say only what quantization costs."""
    kept = {key: stated[key] for key in (*_STATED, "subsets")}
    begun = cross_validated("brats", stated["folds"], "cases", own, stated.get("left_out", ()))
    return {"average": f"mean over cases in 3-D, {stated['through']}", **kept, **begun}


def _stated(result: dict[str, Any]) -> dict[str, Any]:
    by_subset = {name: scores["dice_by_kind"] for name, scores in result["subsets"].items()}
    through = result.get("through", "fp32, no post-processing")
    stated = {key: result[key] for key in _STATED} | {"through": through, "subsets": by_subset, "folds": len(glioma_cases.FOLDS)}
    return stated | left_out(glioma_cases.FOLDS, result["folds"])
