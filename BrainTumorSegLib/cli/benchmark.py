"""Time every model in fp32, dynamic-range and int8 form, side by side, with sizes, peak memory and what is known of Dice.

Without MODEL: all models on this machine and system A's four published networks (resunet, resunet-ag, resunet-se,
resunet-cbam; random weights; needs the extra: pip install 'braintumorseg[train]'). The fp32 and dynamic forms of a
shipped int8 file are made from it by removing its Q/DQ pairs. -o writes benchmarks.md, benchmark.json and benchmark.svg.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from BrainTumorSegLib.cli.progress_bar import ProgressBar
from BrainTumorSegLib.cli.segment import add_provider, positive

NAME = "benchmark"
HELP = "time the models in fp32 and int8 on this machine"

_PASSES, _ROUNDS = 500, 25  # the paper's passes; enough rounds for a median


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("models", nargs="*", metavar="MODEL", help="which models (default: all, and system A's four networks)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="public data sets: Dice is measured on the slices that the models are scored on")
    parser.add_argument("--fp32", type=Path, metavar="DIR", help="folder with the original files, MODEL-fp32.onnx, in place of twins")
    parser.add_argument("--volumes", action="store_true", help="also time whole volumes, beside other networks where MONAI is installed")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="folder for the page, its plot and the JSON document")
    parser.add_argument("--passes", type=positive, default=_PASSES, metavar="N", help="single-image passes of each network (default: %(default)s)")
    add_provider(parser)
    parser.add_argument("--threads", type=positive, metavar="N", help="CPU threads (default: all cores)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the tables")


def run(arguments: argparse.Namespace) -> int:
    """Tables or JSON to standard output, progress to standard error; returns the exit code.

    Raises:
        InputError, ModelError: an unknown model or provider, a missing folder or file, or one that cannot be run.
    """
    from BrainTumorSegLib.api import check_folder_writable
    from BrainTumorSegLib.bench.run import benchmark
    from BrainTumorSegLib.bench.timing import Plan

    if arguments.output is not None:
        check_folder_writable(arguments.output)
    with ProgressBar() as bar:
        document = benchmark(
            arguments.models,
            bar,
            threads=arguments.threads,
            provider=arguments.provider,
            plan=Plan(min(_ROUNDS, arguments.passes), arguments.passes),
            originals=arguments.fp32,
            data=arguments.data,
            volumes=arguments.volumes,
            command=_command(arguments),
        )
    if arguments.output is not None:
        _write(arguments.output, document)
    print(json.dumps(document, indent=2, allow_nan=False) if arguments.json else _as_text(document))
    return 0


def _write(folder: Path, document: dict[str, Any]) -> None:
    from BrainTumorSegLib.api import writing_folder
    from BrainTumorSegLib.bench.run import page_files

    files = page_files(document) | {"benchmark.json": json.dumps(document, indent=1, allow_nan=False) + "\n"}
    with writing_folder(folder) as hidden:
        for name, text in files.items():
            (hidden / name).write_text(text, encoding="utf-8")


def _as_text(document: dict[str, Any]) -> str:
    from BrainTumorSegLib.bench.page import as_markdown

    return as_markdown(document).rstrip()


def _command(arguments: argparse.Namespace) -> str:
    """The command as it can be typed again; folders, which lie elsewhere on another machine, by their option only."""
    words = ["braintumorseg benchmark", *arguments.models]
    words += [f"--{name} DIR" for name in ("data", "fp32") if getattr(arguments, name) is not None]
    words += ["--volumes"] if arguments.volumes else []
    words += [f"--passes {arguments.passes}"] if arguments.passes != _PASSES else []
    words += [f"--provider {arguments.provider}"] if arguments.provider != "cpu" else []
    return " ".join(words + ([f"--threads {arguments.threads}"] if arguments.threads else []))
