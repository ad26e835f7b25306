"""Dice and mean IoU of a model's files on patients that it was not trained on, measured again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib.data.case_set import CHANNELS, Case
from BrainTumorSegLib.data.glioma_cases import read_brats_cases
from BrainTumorSegLib.data.slice_set import SliceSet, concatenate
from BrainTumorSegLib.data.sources import READERS, is_scored_by_patient, split
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference.session import open_network
from BrainTumorSegLib.training.region_scores import QUICK_PLANES, RegionPredictor, predict_case, score_case, summary
from BrainTumorSegLib.training.validation import pooled_iou, predict_slices, score_slices, score_stacks

SETS = {"t1ce-tumor": (("cheng", "no_tumor"), 4), "glioma-regions": (("brats",), 5), "flair-tumor": (("lgg",), 5)}
"""Model -> (sets that it is scored on, fold)."""
_LEARNED = frozenset({"glioma-regions", "flair-tumor"})
"""Models whose shipped file has learned from every case there is."""
_REGIONS = "brats"
"""The set that is scored by case and region, on axial slices alone; the others are slices with one mask."""

Score = Callable[[RegionPredictor], dict[str, float]]


def measured_dice(name: str, files: Mapping[str, Path], data: Path, threads: int, provider: str, report: Callable[[float, str], None]) -> dict[str, Any]:
    """Scores of every one of `files` (precision -> ONNX file), or the reason why there are none.

    Args:
        data: folder that holds the sets, as for `braintumorseg train`.

    Returns:
        dice_PRECISION, mean_iou_PRECISION and "dice_source" by precision, and "scored_on" where the file has learned from
        these patients; or only "dice_note".

    Raises:
        InputError: a set is missing.
    """
    if name not in SETS:
        return {"dice_note": f"no patients are defined to score {name} on; the recorded Dice stands"}
    sets, fold = SETS[name]
    for each in sets:
        if not (data / each).is_dir():
            raise InputError(f"{data / each} is missing, but the model is scored on it; give the folder that holds {', '.join(sets)} with --data")
    report(0.0, f"{name}, reading patients")
    score = _score_of_regions(data, fold) if sets == (_REGIONS,) else _score_of_slices(sets, data, fold)
    found: dict[str, Any] = {"dice_source": dict.fromkeys(files, "measured")}
    if name in _LEARNED:
        found["scored_on"] = f"{sets[0]} fold {fold}, which the shipped file has learned from: what a precision costs, and nothing else"
    for i, (precision, path) in enumerate(files.items()):
        report((i + 1) / (len(files) + 1), f"{name}, scoring {precision}")
        scores = score(partial(_probabilities, open_network(path.read_bytes(), threads, provider)))
        found |= {f"{key}_{precision}": round(value, 4) for key, value in scores.items()}
    return found


def _probabilities(session: Any, images: np.ndarray) -> np.ndarray:
    return np.asarray(session.run(None, {"slices": images})[0])


def _score_of_slices(sets: tuple[str, ...], data: Path, fold: int) -> Score:
    slices: SliceSet = split(concatenate([READERS[name](data / name) for name in sets]), fold)[1]

    def score(predict: RegionPredictor) -> dict[str, float]:
        masks = predict_slices(lambda images: predict(images)[:, 0], slices)
        by_slice = score_slices(masks, slices)
        return {"dice": (score_stacks(masks, slices) if is_scored_by_patient(sets) else by_slice)["dice"], "mean_iou": by_slice["mean_iou"]}

    return score


def _score_of_regions(data: Path, fold: int) -> Score:
    cases: list[Case] = read_brats_cases(data / _REGIONS, fold)

    def score(predict: RegionPredictor) -> dict[str, float]:
        found = [predict_case(predict, case, QUICK_PLANES, range(len(CHANNELS))) for case in cases]
        dice = summary({case.name: score_case(masks, case) for case, masks in zip(cases, found)})["dice"]
        pairs = [np.stack([masks.reshape(len(masks), -1), case.regions().reshape(len(masks), -1)]) for case, masks in zip(cases, found)]
        ours, true = np.concatenate(pairs, axis=2)  # [regions, voxels] of all cases
        return {"dice": dice, "mean_iou": float(np.mean([pooled_iou(*pair)[0] for pair in zip(ours, true)]))}

    return score
