"""Scores of whole volumes: Dice of each nested region per case, for all sequences or for each subset of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from BrainTumorSegLib.data.case_set import CHANNELS, CONTRAST_CHANNEL, ENHANCING, REGION_KEYS, Case, as_volume
from BrainTumorSegLib.metrics.overlap import dice

RegionPredictor = Callable[[np.ndarray], np.ndarray]
"""float32 [n, 4, H, W] in tissue units, 0 where a sequence is missing -> probabilities of the regions [n, 3, H, W]."""
QUICK_PLANES = ("axial",)
"""Planes of a validation on the way and of the 15 subsets, which would take three times as long with all."""
_BATCH = 16


def subsets() -> list[tuple[int, ...]]:
    """Channels of the 15 subsets of four sequences, the largest first."""
    return [chosen for n in range(len(CHANNELS), 0, -1) for chosen in combinations(range(len(CHANNELS)), n)]


def subset_name(channels: Iterable[int]) -> str:
    """For instance "t1ce+flair"."""
    return "+".join(CHANNELS[i] for i in channels)


def predict_case(predict: RegionPredictor, case: Case, planes: Sequence[str], given: Sequence[int], threshold: float = 0.5) -> np.ndarray:
    """The nested regions of a case, bool [3, Z, Y, X]: an inner one is seen only inside of the outer.

    Args:
        planes: whose probabilities are averaged. given: channels that are not missing.
    """
    return np.logical_and.accumulate(case_maps(predict, case, planes, given) >= threshold)


def case_maps(predict: RegionPredictor, case: Case, planes: Sequence[str], given: Sequence[int]) -> np.ndarray:
    """Probabilities of the regions of a case, float32 [3, Z, Y, X], averaged over `planes`; see `predict_case`."""
    return np.asarray(sum(_predict_plane(predict, case, plane, given) for plane in planes) / len(planes))


def _predict_plane(predict: RegionPredictor, case: Case, plane: str, given: Sequence[int]) -> np.ndarray:
    frame = case.frame(plane)
    slices = case.tissue_slices(plane)
    present = np.isin(np.arange(slices.shape[1]) % len(CHANNELS), given).astype(np.float32)[:, None, None]  # neighbors of a slice repeat the sequences
    parts = []
    for start in range(0, len(slices), _BATCH):
        chunk = slices[start : start + _BATCH]
        n, channels = chunk.shape[:2]
        canvas = frame.to_canvas(chunk.reshape(n * channels, *frame.shape)).reshape(n, channels, *frame.canvas)
        maps = predict(canvas * present)
        parts.append(frame.from_canvas(maps.reshape(-1, *frame.canvas)).reshape(n, -1, *frame.shape))
    return as_volume(np.concatenate(parts), plane)


def score_case(regions: np.ndarray, case: Case) -> dict[str, float | None]:
    """Dice of each region, None for one that the case does not have, and "false_et_ml" where it has no enhancing tumor."""
    truth = case.regions()
    scores: dict[str, float | None] = {}
    for key, found, real in zip(REGION_KEYS, regions, truth):
        scores[key] = round(dice(found, real), 4) if real.any() else None
    scores["false_et_ml"] = None if truth[ENHANCING].any() else round(int(regions[ENHANCING].sum()) * float(np.prod(case.spacing_mm)) / 1000, 3)
    return scores


def score_cases(
    predict: RegionPredictor, cases: Iterable[Case], planes: Sequence[str], given: Sequence[int] | None = None, threshold: float = 0.5
) -> dict[str, dict[str, Any]]:
    """`score_case` of every case by its name; without T1 after contrast nothing is said of enhancing tumor."""
    chosen = range(len(CHANNELS)) if given is None else given
    result = {}
    for case in cases:
        scores = score_case(predict_case(predict, case, planes, chosen, threshold), case)
        result[case.name] = scores if CONTRAST_CHANNEL in chosen else {key: value for key, value in scores.items() if key in ("WT", "TC")}
    return result


def summary(by_case: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Means over cases.

    Returns:
        "n", "dice" (mean of the regions' means, None without a case), "dice_by_kind" (mean over the cases that have the
        region), "n_et" and "false_et_ml" (mean over the cases without enhancing tumor).
    """
    by_region = {key: _mean([scores.get(key) for scores in by_case.values()]) for key in REGION_KEYS}
    seen = {key: value for key, value in by_region.items() if value is not None}
    return {
        "n": len(by_case),
        "dice": _mean(list(seen.values())),
        "dice_by_kind": seen,
        "n_et": sum(scores.get("ET") is not None for scores in by_case.values()),
        "false_et_ml": _mean([scores.get("false_et_ml") for scores in by_case.values()]),
    }


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.mean(known)), 4) if known else None
