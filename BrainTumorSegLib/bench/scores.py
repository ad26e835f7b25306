"""Dice and mean IoU of a model's files on the slices that models.json scores it on, measured again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib.data.slice_set import SliceSet, concatenate
from BrainTumorSegLib.data.sources import READERS, split
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference.session import open_network
from BrainTumorSegLib.training.validation import predict_slices, score_slices

SETS = {"t1ce-tumor": (("cheng", "no_tumor"), 4)}
"""Model -> (sets of its validation slices, fold), as in its row of models.json."""


def measured_dice(name: str, files: Mapping[str, Path], data: Path, threads: int, provider: str, report: Callable[[float, str], None]) -> dict[str, Any]:
    """Scores of every one of `files` (precision -> ONNX file), or the reason why there are none.

    Args:
        data: folder that holds the sets, as for `braintumorseg train`.

    Returns:
        dice_PRECISION, mean_iou_PRECISION and "dice_source" by precision; or only "dice_note".

    Raises:
        InputError: a set is missing.
    """
    if name not in SETS:
        return {"dice_note": f"no slices are defined to score {name} on; the recorded Dice stands"}
    report(0.0, f"{name}, reading slices")
    slices = _validation(*SETS[name], data)
    found: dict[str, Any] = {"dice_source": dict.fromkeys(files, "measured")}
    for i, (precision, path) in enumerate(files.items()):
        report((i + 1) / (len(files) + 1), f"{name}, scoring {precision}")
        session = open_network(path.read_bytes(), threads, provider)
        scores = score_slices(predict_slices(partial(_probabilities, session), slices), slices)
        found |= {f"dice_{precision}": scores["dice"], f"mean_iou_{precision}": round(scores["mean_iou"], 4)}
    return found


def _probabilities(session: Any, images: np.ndarray) -> np.ndarray:
    return session.run(None, {"slices": images})[0][:, 0]


def _validation(sets: tuple[str, ...], fold: int, data: Path) -> SliceSet:
    for name in sets:
        if not (data / name).is_dir():
            raise InputError(f"{data / name} is missing, but the model is scored on it; give the folder that holds {', '.join(sets)} with --data")
    return split(concatenate([READERS[name](data / name) for name in sets]), fold)[1]
