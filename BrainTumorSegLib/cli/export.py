"""Make the files of a model from a training run: ONNX in fp32, dynamic-range and int8 form, scored and described.

DIR receives MODEL-PRECISION.onnx files, models.json and, with --data, the scores of every file on the run's validation
fold and a model card with pictures. Needs the extra: pip install 'braintumorseg[train]'.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from BrainTumorSegLib.cli.progress_bar import ProgressBar
from BrainTumorSegLib.errors import InputError

NAME = "export"
HELP = "make the files of a model (ONNX, int8) from a training run"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("run", type=Path, metavar="RUN", help="folder that `braintumorseg train` made")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write to")
    parser.add_argument("--precision", nargs="+", choices=["fp32", "dynamic", "int8"], default=["int8"], help="files to make (default: int8)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="the data trained on: int8 is calibrated and every file is scored on it")
    parser.add_argument("--cache", type=Path, metavar="FILE", help="the prepared slices, where `train` had --cache")
    parser.add_argument("--cross-validation", type=Path, metavar="F", help="cross_validation.json, to be stated in models.json")
    losses = parser.add_mutually_exclusive_group()
    losses.add_argument(
        "--sensitivity",
        type=_limit,
        metavar="LIMIT",
        help="int8: measure which blocks suffer most, and leave the fewest in float that keep the mean change of a probability under LIMIT "
        "(0.0003, for instance; takes minutes; default: our networks' first stages in float, of the published ones none)",
    )
    losses.add_argument(
        "--qat-steps",
        type=_steps,
        default=0,
        metavar="N",
        help="int8: fine-tune the weights for N steps with the roundings of int8 (quantization-aware), and leave no block in float "
        "(300, for instance; a step is slower than one of training; on the CPU; not for the published systems; default: 0)",
    )
    parser.add_argument("--no-scores", action="store_true", help="leave scores and card out, which take most of the time (not for the published systems)")
    parser.add_argument("--json", action="store_true", help="print the rows of models.json as one JSON document")


def run(arguments: argparse.Namespace) -> int:
    """Progress to standard error, a line per file to standard output; returns the exit code.

    Raises:
        InputError: no finished run, no data for int8, fine-tuning of what cannot be, or a folder that cannot be written.
    """
    from BrainTumorSegLib.export.paper_release import is_paper_run, release_paper
    from BrainTumorSegLib.export.region_release import is_region_run, release_regions
    from BrainTumorSegLib.export.release import release

    if arguments.data is None and "int8" in arguments.precision:
        raise InputError("int8 is calibrated on real slices, but no data are given; add --data DIR or choose --precision fp32")
    if arguments.qat_steps and "int8" not in arguments.precision:
        raise InputError("--qat-steps fine-tunes for int8, but --precision has no int8; add it, or leave --qat-steps out")
    if arguments.no_scores and is_paper_run(arguments.run):
        raise InputError("--no-scores is for our own recipes, but this is a run of a published system; leave it out")
    if arguments.qat_steps and is_paper_run(arguments.run):
        raise InputError("--qat-steps is for our own recipes, but this is a run of a published system; leave it out, or try --sensitivity")
    with ProgressBar() as bar:
        run_folder, folder, precisions, data = arguments.run, arguments.output, tuple(arguments.precision), arguments.data
        limit, steps, cross_validation = arguments.sensitivity, arguments.qat_steps, arguments.cross_validation
        scored = not arguments.no_scores
        if is_paper_run(run_folder):
            rows = release_paper(run_folder, folder, precisions, data, bar, arguments.cache, sensitivity=limit)
        elif is_region_run(run_folder):
            rows = release_regions(run_folder, folder, precisions, data, bar, cross_validation, arguments.cache, limit, steps, scored=scored)
        else:
            rows = release(run_folder, folder, precisions, data, bar, cross_validation, arguments.cache, limit, steps, scored=scored)
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        size_mb = (arguments.output / row["file"]).stat().st_size / 1e6
        dice = f", Dice {row['scores']['dice']:.4f} on {row['scores']['split']} (n = {row['scores']['n']})" if row["scores"] else ""
        print(f"{arguments.output / row['file']}: {row['precision']}, {size_mb:.2f} MB{dice}")
    return 0


def _limit(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 0 and 1")
    return value


def _steps(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of steps, such as 300")
    return int(text)
