"""Fine-tuning for int8 against quantization after training: one table of what each file of one run loses, and of its time.

    python Testing/Benchmarks/quantization_aware.py RUN --data DIR -o OUT [--steps 300] [--rates 5e-5]

RUN is a run of `t1ce-tumor`. OUT receives the ONNX files (fp32; int8 after training with the first stages in float, as it is
shipped, and with all of it in int8; all of it in int8 fine-tuned, one for each rate), losses.csv with the loss of every step,
quantization_aware.json, and the table in quantization_aware.md, which is also printed. Dice are means over the tumor slices
of the run's fold, n of them; what is lost is lost to fp32 on the same slices, with the standard error of the mean.

--slices N takes N slices of the fold and of those that calibrate, to try the command. --rounds N times the files, in turns,
each in a process of its own, for which the machine should have nothing else to do.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib.bench.shipped import Setting, time_files
from BrainTumorSegLib.bench.timing import Plan
from BrainTumorSegLib.cli.progress_bar import ProgressBar
from BrainTumorSegLib.data.slice_set import TUMOR_BIT, SliceSet
from BrainTumorSegLib.data.sources import load_slices, split
from BrainTumorSegLib.export.fine_tune import RATE, fine_tune
from BrainTumorSegLib.export.graph_network import GraphNetwork
from BrainTumorSegLib.export.int8 import KEPT_FLOAT, write_int8
from BrainTumorSegLib.export.quantize import quantize_int8
from BrainTumorSegLib.export.release import cache_of, calibration_slices, onnx_predictor, read_run, trained_network
from BrainTumorSegLib.export.to_onnx import export_onnx
from BrainTumorSegLib.metrics.overlap import dice
from BrainTumorSegLib.training.recipe import Recipe, from_dict
from BrainTumorSegLib.training.validation import predict_slices, score_slices

FP32, FLOAT_STAGES, ALL_INT8 = "fp32", "int8, first stages in float", "int8, all of it"
COLUMNS = ("file", "Dice", "lost", "glioma", "meningioma", "pituitary", "mean IoU", "falsely marked", "n", "n tumor-free", "MB", "ms a slice", "speed")


def write_files(run: Path, training: SliceSet, slices: np.ndarray, folder: Path, steps: int, rates: list[float], bar: ProgressBar) -> dict[str, Path]:
    """Name in the table -> file, in the table's order; and losses.csv."""
    recipe: Recipe = from_dict(read_run(run)["recipe"])
    files = {FP32: folder / "fp32.onnx", FLOAT_STAGES: folder / "int8-float-stages.onnx", ALL_INT8: folder / "int8-all.onnx"}
    export_onnx(trained_network(run, recipe)[0], files[FP32], {}, recipe.network.in_channels)
    quantize_int8(files[FP32], files[FLOAT_STAGES], slices, {}, KEPT_FLOAT)
    quantize_int8(files[FP32], files[ALL_INT8], slices, {})
    losses: dict[str, list[float]] = {}
    for rate in rates:
        name = f"int8, all of it, {steps} steps at {rate:g}"
        files[name] = folder / f"int8-tuned-{rate:g}.onnx"

        def tune(network: GraphNetwork, report: Any, name: str = name, rate: float = rate) -> None:
            losses[name] = fine_tune(network, recipe, training, steps, report, rate)

        write_int8(files[FP32], files[name], slices, {}, bar, tune=tune)
    with (folder / "losses.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["step", *losses], *([i + 1, *row] for i, row in enumerate(zip(*losses.values())))])
    return files


def score(files: dict[str, Path], validation: SliceSet, bar: ProgressBar) -> dict[str, dict[str, Any]]:
    """Name -> scores of the file, with "mb", and "dice_lost" to fp32 on the same slices with the standard error of that mean."""
    truth = (validation.targets & TUMOR_BIT) > 0
    tumors = np.flatnonzero(truth.any((1, 2)))
    scores: dict[str, dict[str, Any]] = {}
    by_slice: dict[str, np.ndarray] = {}
    for i, (name, path) in enumerate(files.items()):
        bar(i / len(files), f"scoring {name}")
        masks = predict_slices(onnx_predictor(path), validation)
        by_slice[name] = np.array([dice(masks[k], truth[k]) for k in tumors])
        lost = by_slice[FP32] - by_slice[name]
        error = float(lost.std(ddof=1)) / math.sqrt(len(lost))
        about = {"dice_lost": round(float(lost.mean()), 5), "dice_lost_error": round(error, 5), "mb": round(path.stat().st_size / 1e6, 2)}
        scores[name] = score_slices(masks, validation) | about
    return scores


def add_times(scores: dict[str, dict[str, Any]], files: dict[str, Path], rounds: int, threads: int, bar: ProgressBar) -> None:
    """ "ms" a slice, the median over batches of 8, and "speed" as a multiple of fp32's."""
    timings = time_files(files, (1, 224, 224), Setting(threads, "cpu", Plan(rounds, rounds)), bar)
    for name, timing in timings.items():
        scores[name] |= {"ms": round(timing.batch_ms, 2), "speed": round(timings[FP32].batch_ms / timing.batch_ms, 2)}


def table(scores: dict[str, dict[str, Any]]) -> str:
    """Markdown; what was not measured is a dash."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for name, row in scores.items():
        lost = f"{row['dice_lost']:.4f} ± {row['dice_lost_error']:.4f}" if name != FP32 else "-"
        kinds = [_text(row["dice_by_kind"].get(kind), ".3f") for kind in ("glioma", "meningioma", "pituitary")]
        overlaps = [_text(row["mean_iou"], ".4f"), _text(row["false_positive_rate"], ".4f")]
        sizes = [_text(row["mb"], ".2f"), _text(row.get("ms"), ".2f"), _text(row.get("speed"), ".2f")]
        cells = [name, _text(row["dice"], ".4f"), lost, *kinds, *overlaps, str(row["n"]), str(row["n_tumor_free"]), *sizes]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _text(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--rates", type=float, nargs="+", default=[RATE])
    parser.add_argument("--slices", type=int)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    settings = read_run(arguments.run)
    recipe = from_dict(settings["recipe"])
    with ProgressBar() as bar:
        training, validation = split(load_slices(recipe.sets, arguments.data, cache_of(arguments.run), bar), settings["fold"])
        slices = calibration_slices(training, recipe.seed)
        if arguments.slices:
            slices = slices[: arguments.slices]
            validation = validation.select(np.linspace(0, len(validation) - 1, arguments.slices).astype(int))
        files = write_files(arguments.run, training, slices, arguments.output, arguments.steps, arguments.rates, bar)
        scores = score(files, validation, bar)
        if arguments.rounds:
            add_times(scores, files, arguments.rounds, arguments.threads, bar)
    (arguments.output / "quantization_aware.json").write_text(json.dumps(scores, indent=1) + "\n")
    (arguments.output / "quantization_aware.md").write_text(table(scores))
    print(table(scores), end="")


if __name__ == "__main__":
    main()
