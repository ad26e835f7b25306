"""Everything that leaves a run: files in each precision, their scores, models.json and the model card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib import __version__
from BrainTumorSegLib.data.folds import ALL_CASES
from BrainTumorSegLib.data.slice_set import SliceSet
from BrainTumorSegLib.data.sources import FOLDS, count_patients, is_scored_by_patient, load_slices, scored_set, split
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.export.card import write_card
from BrainTumorSegLib.export.descriptions import describe
from BrainTumorSegLib.export.fine_tune import tune_of
from BrainTumorSegLib.export.int8 import write_int8
from BrainTumorSegLib.export.learned_from import cross_validated, learned_from, left_out, split_of
from BrainTumorSegLib.export.quantize import quantize_dynamic_range
from BrainTumorSegLib.export.sensitivity import part_of
from BrainTumorSegLib.export.to_onnx import export_onnx
from BrainTumorSegLib.networks.attention_unet import AttentionUNet
from BrainTumorSegLib.training.checkpoint import load_tensors
from BrainTumorSegLib.training.recipe import Recipe, from_dict
from BrainTumorSegLib.training.runs import CACHE
from BrainTumorSegLib.training.validation import Predictor, predict_slices, score_slices, score_stacks

Report = Callable[[float, str], None]
CALIBRATION_SLICES = 300
PRECISIONS = ("fp32", "dynamic", "int8")


def release(
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
        data: the data trained on: calibrates int8 and scores every file on the run's fold; a run on every patient is scored
            on patients of its own training, which says what quantization costs and nothing else.
        cross_validation: cross_validation.json of a run over all folds, which is stated; of a run on every patient in the
            place of its own scores.
        cache: the prepared slices (default: those that the run has made).
        sensitivity: limit of `sensitivity.scan` for int8, see `int8.write_int8`.
        qat_steps: of fine-tuning for int8, all of which is then int8; 0: none. What it loses is still told against the run's own fp32.
        scored: False leaves the scores and the card out.

    Returns:
        The rows of models.json, the shipped precision (int8 where made) first.

    Raises:
        InputError: `run` holds no run, or the data are missing.
    """
    settings = read_run(run)
    recipe: Recipe = from_dict(settings["recipe"])
    network, steps = trained_network(run, recipe)
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"name": recipe.name, "version": __version__, "steps": steps}
    fp32 = folder / f"{recipe.name}-fp32.onnx"
    export_onnx(network, fp32, metadata, recipe.network.in_channels)
    training, validation = _slices(recipe, data, cache or cache_of(run), settings["fold"], report)
    if not scored:
        validation = None
    patients = count_patients(training) if training else {}
    tuned = {"qat_steps": qat_steps} if qat_steps else {}
    rows = []
    for i, precision in enumerate(sorted(set(precisions) | {"fp32"}, key=PRECISIONS.index)):
        report(0.1 + 0.8 * i / 3, f"{precision}: quantizing and scoring")
        path = folder / f"{recipe.name}-{precision}.onnx"
        if precision == "dynamic":
            quantize_dynamic_range(fp32, path, metadata)
        elif precision == "int8" and training is not None:
            slices, tell = calibration_slices(training, recipe.seed), part_of(report, 0.1 + 0.8 * i / 3, 0.2)
            write_int8(fp32, path, slices, metadata | tuned, tell, sensitivity, tune_of(recipe, training, qat_steps))
        scores = _scores(path, recipe, validation, settings["fold"]) if validation is not None else {}
        if scores and precision == "int8":
            scores |= tuned
        rows.append(model_row(recipe, path, precision, scores, run))
    state_losses(rows)
    stated = _stated(json.loads(cross_validation.read_text()), recipe) if cross_validation else None
    everyone = settings["fold"] == ALL_CASES
    for row in rows:
        row["training_data"] = learned_from(row["training_data"], patients, settings["fold"])
        if row["scores"] and stated:
            row["scores"] = {**(_standing_in(stated, row["scores"], recipe) if everyone else row["scores"]), "cross_validation": stated}
    rows = [row for row in reversed(rows) if row["precision"] in precisions]
    if "fp32" not in precisions:
        fp32.unlink()
    (folder / "models.json").write_text(json.dumps({"format": 1, "models": rows}, indent=1) + "\n")
    if validation is not None and "scheme" in rows[0]:  # what marks no tumor has no picture of any
        report(0.95, "drawing the model card")
        write_card(folder, rows[0], None if everyone else validation, onnx_predictor(folder / rows[0]["file"]))
    return rows


def trained_network(run: Path, recipe: Recipe) -> tuple[AttentionUNet, int]:
    """The network of a run as it is exported, and the steps it was trained for."""
    weights, progress = load_tensors(run / "weights.safetensors")
    network = AttentionUNet(recipe.network)
    network.load_state_dict(weights)
    network.keep_outputs(1)  # the whole-tumor head exists in training only
    return network, progress["step"]


def calibration_slices(training: SliceSet, seed: int) -> np.ndarray:
    """Training slices for int8 ranges, float32 [300, 1, 224, 224] at most, each source by its share."""
    numbers = np.random.default_rng(seed)
    chosen = numbers.choice(len(training), min(CALIBRATION_SLICES, len(training)), replace=False)
    return training.tissue(np.sort(chosen))[:, None]


def onnx_maps(path: Path) -> Predictor:
    """An ONNX file as a function from slices [n, C, H, W] to all of its probability maps [n, K, H, W]."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"slices": images})[0]


def onnx_predictor(path: Path) -> Predictor:
    """An ONNX file as a function from slices to tumor probabilities, its first map."""
    maps = onnx_maps(path)
    return lambda images: maps(images)[:, 0]


def read_run(run: Path) -> dict[str, Any]:
    """run.json of a run folder. Raises `InputError` where there is none."""
    try:
        return json.loads((run / "run.json").read_text())
    except OSError:
        raise InputError(f"{run} holds no run (run.json is missing); give the folder that `braintumorseg train` made") from None


def cache_of(run: Path) -> Path:
    """Where the prepared data of a run are kept: in it, or beside it for all folds of a cross-validation."""
    shared = run.parent / CACHE
    return shared if shared.is_file() and not (run / CACHE).is_file() else run / CACHE


def _slices(recipe: Recipe, data: Path | None, cache: Path, fold: int, report: Report) -> tuple[SliceSet | None, SliceSet | None]:
    if data is None:
        return None, None
    slices = load_slices(recipe.sets, data, cache, report)
    if fold == ALL_CASES:
        return split(slices, fold)[0], split(slices, _first(recipe))[1]
    return split(slices, fold)


def _first(recipe: Recipe) -> int:
    """The fold that a file which has learned from every patient is scored on, for what quantization costs."""
    return FOLDS[scored_set(recipe.sets)][0]


def _scores(path: Path, recipe: Recipe, validation: SliceSet, fold: int) -> dict[str, Any]:
    masks = predict_slices(onnx_predictor(path), validation)
    split = split_of(scored_set(recipe.sets), fold, _first(recipe)) + (", tumor-free: no_tumor fold 1" if "no_tumor" in recipe.sets else "")
    if is_scored_by_patient(recipe.sets):
        average = "mean over patients, all slices of a patient as one volume, at 224 x 224"
        return {"split": split, "average": average, **_without_patients(score_stacks(masks, validation))}
    return {"split": split, "average": "mean over slices at 224 x 224", **score_slices(masks, validation)}


def _without_patients(scores: dict[str, Any]) -> dict[str, Any]:
    """Scores as models.json states them: no patient by name."""
    return {key: value for key, value in scores.items() if key != "cases"}


def model_row(recipe: Recipe, path: Path, precision: str, scores: dict[str, Any], run: Path) -> dict[str, Any]:
    """One row of models.json for the file `path`, with what `describe` says of the model and of the sets that this run has learned from."""
    started = json.loads((run / "scores.json").read_text()).get("started_from") if (run / "scores.json").is_file() else None
    network = f"attention U-Net, EfficientNet-Lite{recipe.network.variant} encoder, started from {started}"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    described = describe(recipe.name, {name.rpartition("/")[2] for name in recipe.sets})
    return {"name": recipe.name, **described, "network": network, "file": path.name, "sha256": digest, "precision": precision, "scores": scores}


def state_losses(rows: list[dict[str, Any]]) -> None:
    """What each quantized file loses against fp32, the first row, beside its own scores."""
    for row in rows[1:]:
        if row["scores"]:
            row["scores"]["dice_fp32"] = rows[0]["scores"]["dice"]
            row["scores"]["dice_lost_to_fp32"] = round(rows[0]["scores"]["dice"] - row["scores"]["dice"], 4)


def _standing_in(stated: dict[str, Any], own: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    """Scores of a file that has learned from every patient: the cross-validation's; its own are what quantization costs, and tumor-free pictures."""
    folds = list(stated["folds"].values())
    counts = [fold["n"] for fold in folds]

    def mean(values: list[Any]) -> float:
        return round(float(np.average(values, weights=counts)), 4)

    kinds = {kind: mean([fold["dice_by_kind"][kind] for fold in folds]) for kind in folds[0]["dice_by_kind"]}
    middle: dict[str, Any] = {key: stated[key] for key in ("median", "spread") if key in stated}
    pooled = {key: mean([fold[key] for fold in folds]) for key in ("mean_iou", "mean_iou_with_tumor_free", "tumor_iou") if key in folds[0]}
    kept = {key: own[key] for key in ("n_tumor_free", "false_positive_rate")}
    missing = stated.get("left_out", ())
    begun = cross_validated(scored_set(recipe.sets), len(folds) + len(missing), "patients", own, missing)
    return {"average": f"{own['average']}, fp32", "n": sum(counts), "dice": stated["mean_dice"], **middle, "dice_by_kind": kinds, **pooled, **kept, **begun}


def _stated(result: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    """cross_validation.json without the patients one by one, and with the folds that were "left_out"."""
    folds = {fold: _without_patients(scores) for fold, scores in result["folds"].items()}
    return {**result, "folds": folds, **left_out(FOLDS[scored_set(recipe.sets)], folds)}
