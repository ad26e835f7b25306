"""The models of this machine timed in three precisions, beside what is recorded of their accuracy."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from BrainTumorSegLib.bench.limits import Rates, as_limits, count_work
from BrainTumorSegLib.bench.timing import Plan, Process, Timing, time_interleaved
from BrainTumorSegLib.bench.twins import dynamic_twin, float_twin
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference.models import ModelInfo, read_model_file
from BrainTumorSegLib.preprocess.frame import PICTURE_PIXELS

Report = Callable[[float, str], None]
PRECISIONS = ("fp32", "dynamic", "int8")


@dataclass(frozen=True)
class Setting:
    """On what is measured: CPU threads, the provider, how much, and what the chip can do at best (None: not compared with it)."""

    threads: int
    provider: str
    plan: Plan
    rates: Rates | None = None


def benchmark_models(models: list[ModelInfo], setting: Setting, originals: Path | None, data: Path | None, report: Report) -> list[dict[str, Any]]:
    """One row of times and sizes for each model; see `as_row`.

    Args:
        originals: folder with the true fp32 files, NAME-fp32.onnx; else twins are made from the int8 files.
        data: folder of the sets that the models are scored on; else Dice is what models.json records.

    Raises:
        InputError: `originals` lacks a model's file, or `data` a set. ModelError: a file is missing, altered or cannot be run.
    """
    rows = []
    with tempfile.TemporaryDirectory(prefix="braintumorseg-") as folder:
        for i, model in enumerate(models):
            files = write_precisions(model, Path(folder), originals)
            size = model.view.size if model.view else PICTURE_PIXELS

            def tell(fraction: float, message: str, name: str = model.name, done: int = i) -> None:
                report((done + fraction) / len(models), f"{name}, {message}")

            timings = time_files(files, (len(model.inputs), size, size), setting, tell)
            row = as_row(model.name, timings, {name: path.stat().st_size for name, path in files.items()})
            about = {"weights": "trained", "input": [len(model.inputs), size, size], "fp32_file": "original" if originals else "twin"}
            rows.append(row | about | recorded_dice(model) | {"limits": limits_of(files, (len(model.inputs), size, size), setting)})
            if data is not None:
                from BrainTumorSegLib.bench.scores import measured_dice

                true_files = {key: path for key, path in files.items() if originals or path == model.path}  # a twin's Dice would say nothing
                measured = measured_dice(model.name, true_files, data, setting.threads, setting.provider, tell)
                sources = rows[-1]["dice_source"] | measured.get("dice_source", {})
                rows[-1] |= measured | {"dice_source": sources}
    return rows


def write_precisions(model: ModelInfo, folder: Path, originals: Path | None) -> dict[str, Path]:
    """Precision -> file, made below `folder` where it is not there; int8 only where the model is int8.

    Raises:
        InputError: `originals` lacks NAME-fp32.onnx. ModelError: the model's file is missing, altered or no ONNX model.
    """
    content = read_model_file(model)
    files = {"fp32": folder / f"{model.name}-fp32.onnx", "dynamic": folder / f"{model.name}-dynamic.onnx"}
    if originals is None:
        files["fp32"].write_bytes(float_twin(content))
    else:
        files["fp32"] = originals / f"{model.name}-fp32.onnx"
        if not files["fp32"].is_file():
            raise InputError(f"{files['fp32']} is missing, but --fp32 names the folder of the original files; export it, or leave --fp32 out")
    files["dynamic"].write_bytes(dynamic_twin(float_twin(files["fp32"].read_bytes())))
    if model.precision == "int8":
        files["int8"] = model.path
    return files


def time_files(files: Mapping[str, Path], shape: tuple[int, int, int], setting: Setting, report: Report) -> dict[str, Timing]:
    """Precision -> times of the files, all in turns; `shape` is that of one image, [C, H, W]."""
    with contextlib.ExitStack() as stack:
        runners = {name: stack.enter_context(Process(path, shape, setting.threads, setting.provider)) for name, path in files.items()}
        return time_interleaved(runners, setting.plan, report)


def limits_of(files: Mapping[str, Path], shape: tuple[int, int, int], setting: Setting) -> dict[str, dict[str, float]]:
    """Precision -> `limits.as_limits` of its file for one image of `shape` [C, H, W]; empty without the chip's rates."""
    if setting.rates is None:
        return {}
    return {name: as_limits(count_work(path.read_bytes(), shape), setting.rates) for name, path in files.items()}


def as_row(name: str, timings: Mapping[str, Timing], size_bytes: Mapping[str, int]) -> dict[str, Any]:
    """The measured part of one row of the JSON document; None stands where a precision was not run.

    Returns:
        "name"; PRECISION_ms (median a slice, batches of 8), PRECISION_mb, PRECISION_speedup and PRECISION_size_ratio (to
        fp32), and by precision "single_image_ms" (mean of all passes), "single_image_median_ms" and "peak_mb".
    """
    row: dict[str, Any] = {"name": name}
    for precision in PRECISIONS:
        timing = timings.get(precision)
        row[f"{precision}_ms"] = round(timing.batch_ms, 3) if timing else None
        row[f"{precision}_mb"] = round(size_bytes[precision] / 1e6, 3) if timing else None
        if precision != "fp32":
            row[f"{precision}_speedup"] = round(timings["fp32"].batch_ms / timing.batch_ms, 3) if timing else None
            row[f"{precision}_size_ratio"] = round(size_bytes[precision] / size_bytes["fp32"], 4) if timing else None
    row["single_image_ms"] = {key: round(timing.single_ms, 3) for key, timing in timings.items()}
    row["single_image_median_ms"] = {key: round(timing.single_median_ms, 3) for key, timing in timings.items()}
    row["peak_mb"] = {key: round(timing.peak_mb) for key, timing in timings.items()}
    return row


def recorded_dice(model: ModelInfo) -> dict[str, Any]:
    """Dice of the shipped file and of its fp32 original as models.json has them, None where it has not; "dice_source" by precision."""
    scores, shipped = model.scores, model.precision == "int8"
    dice = {"fp32": scores.get("dice_fp32") if shipped else scores.get("dice"), "int8": scores.get("dice") if shipped else None}
    return {
        **{f"dice_{precision}": value for precision, value in dice.items()},
        "dice_source": {precision: "recorded" for precision, value in dice.items() if value is not None},
        "scored_on": scores.get("split"),
    }
