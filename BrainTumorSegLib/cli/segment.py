"""Segment brain tumors in a volume (NIfTI, NRRD, MHA), in one PNG or JPEG slice, or in a folder of slices.

The result lies on the grid of the T1ce volume (else of FLAIR, T2, T1) and has label 1 = tumor, or 1 = NCR, 2 = ED, 3 = ET.
Pictures give PNG masks of their own size. Research only, not a medical device.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from BrainTumorSegLib.cli.progress_bar import ProgressBar
from BrainTumorSegLib.cli.worker import run_cancellable
from BrainTumorSegLib.cli.written_labels import segment_labels, written_labels
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.labels import ROLES

if TYPE_CHECKING:
    from BrainTumorSegLib.api import CancelToken, Output, Segmentation, SegmentOptions, Session, Volume

NAME = "segment"
HELP = "segment brain tumors in a volume, a picture or a folder of pictures"

_ROLE_HELP = {"t1": "T1", "t1ce": "T1 after contrast", "t2": "T2", "flair": "FLAIR"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    for role in ROLES:
        parser.add_argument(f"--{role}", type=Path, metavar="F", help=f"the {_ROLE_HELP[role]} volume, picture or folder of pictures")
    parser.add_argument("--model", metavar="NAME", help="which model (default: the best for the given sequences)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help=".nii.gz, .nii, .nrrd, .mha, .seg.nrrd; .png or a folder for pictures")
    parser.add_argument("--label-scheme", choices=["brats2021"], help="write gliomas as 1, 2, 4 (default: 1, 2, 3)")
    parser.add_argument("--uncertainty", type=Path, metavar="F", help="also write the entropy of the probabilities, 0 to 1")
    parser.add_argument("--probabilities", type=Path, metavar="F", help="also write the probability of each label")
    parser.add_argument("--brain", type=Path, metavar="F", help="also write the mask of the brain, where it is cut out of a whole head")
    parser.add_argument("--planes", choices=["auto", "all", "axial", "acquisition"], default="auto", help="in which planes volumes are cut (default: auto)")
    parser.add_argument("--every-slice", action="store_true", help="run every slice (default: those far from anything found at a first look are left out)")
    quality = "thorough: run every slice, and mirrored ones too, in about three times the time (default: standard)"
    parser.add_argument("--quality", choices=["standard", "thorough"], default="standard", help=quality)
    add_provider(parser)
    parser.add_argument("--threads", type=positive, metavar="N", help="CPU threads (default: all cores)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the text")


def add_provider(parser: argparse.ArgumentParser) -> None:
    """Declare --provider; the backend checks the name and what is installed, so that starting stays fast."""
    parser.add_argument("--provider", default="cpu", metavar="NAME", help="where the network runs: cpu (default), cuda, directml, coreml or openvino")


def run(arguments: argparse.Namespace) -> int:
    """Results to files and standard output, progress and notes to standard error; returns the exit code.

    Raises:
        InputError, ModelError: what cannot be read, segmented or written; no file is left behind.
    """
    from BrainTumorSegLib.cli.picture_folder import segment_folder
    from BrainTumorSegLib.cli.segment_report import as_text

    inputs = {role: path for role in ROLES if (path := getattr(arguments, role)) is not None}
    if not inputs:
        raise InputError("no input is given, but at least one sequence is needed; give one of --t1ce, --flair, --t2, --t1")
    folders = [path for path in inputs.values() if path.is_dir()]
    if folders and len(folders) < len(inputs):
        raise InputError(f"{folders[0]} is a folder, but other inputs are files; give folders of pictures for all sequences, or files for all")
    document = segment_folder(inputs, arguments) if folders else _segment_files(inputs, arguments)
    print(json.dumps(document, indent=2, allow_nan=False) if arguments.json else as_text(document))
    return 0


def _segment_files(inputs: Mapping[str, Path], arguments: argparse.Namespace) -> dict[str, Any]:
    from BrainTumorSegLib import api
    from BrainTumorSegLib.api import write_all
    from BrainTumorSegLib.cli.segment_report import as_document

    check_outputs(inputs, arguments)
    with ProgressBar() as bar:

        def work(cancel: CancelToken) -> tuple[Segmentation, float, Session]:
            volumes, read_s = _read(inputs, arguments.output)
            session = api.open_model(arguments.model, roles=volumes, threads=arguments.threads, provider=arguments.provider)
            api.check_inputs(volumes, session.model.name)
            show_license(session)
            return api.segment(volumes, session, options=options_of(arguments), progress=bar, cancel=cancel), read_s, session

        result, read_s, session = run_cancellable(work)
    write_all(_outputs(result, arguments))
    return as_document(result, session.model, read_s, arguments.label_scheme) | {"provider": session.provider, "output": str(arguments.output)}


def _read(inputs: Mapping[str, Path], output: Path) -> tuple[dict[str, Volume], float]:
    """The volumes, and the seconds that it took."""
    from BrainTumorSegLib import api

    began = time.perf_counter()
    volumes = api.read_volumes(inputs)
    pictures = not all(volume.has_millimeters for volume in volumes.values())
    if pictures != (output.suffix.lower() == ".png"):
        kind, cure = ("a picture", "a .png file") if pictures else ("a volume", "a .nii.gz, .nrrd or .mha file")
        raise InputError(f"the input is {kind}, but {output} is not of its kind; name {cure} for the output")
    return volumes, time.perf_counter() - began


def check_outputs(inputs: Mapping[str, Path], arguments: argparse.Namespace) -> None:
    """Before any work: output files that can be written, and are neither inputs nor one another.

    Raises:
        InputError: as it says.
    """
    from BrainTumorSegLib.api import check_output

    taken = {path.resolve(): f"the input --{role}" for role, path in inputs.items()}
    for option in ("output", "uncertainty", "probabilities", "brain"):
        path = getattr(arguments, option)
        if path is None:
            continue
        if path.resolve() in taken:
            raise InputError(f"--{option} {path} is also {taken[path.resolve()]}, which would be overwritten; choose another name")
        taken[path.resolve()] = f"--{option}"
        check_output(path)
        if option != "output" and path.suffix.lower() == ".png":
            raise InputError(f"--{option} {path} is a PNG, which holds no {'volumes' if option == 'brain' else 'fractions'}; choose .nii.gz, .nrrd or .mha")


def options_of(arguments: argparse.Namespace) -> SegmentOptions:
    """The command line's options as the backend takes them."""
    from BrainTumorSegLib import api

    thorough = arguments.quality == "thorough"
    return api.SegmentOptions(
        planes=arguments.planes,
        threads=arguments.threads,
        uncertainty=arguments.uncertainty is not None,
        probabilities=arguments.probabilities is not None,
        early_exit=False if arguments.every_slice or thorough else None,
        mirrored=thorough,
    )


def show_license(session: Session) -> None:
    """What a user has to know before using a result of this model, on standard error."""
    model = session.model
    print(f"note: {model.name} is for research only and no medical device; license of its weights: {model.license}. {model.license_note}", file=sys.stderr)


def _outputs(result: Segmentation, arguments: argparse.Namespace) -> list[Output]:
    from BrainTumorSegLib.api import Output

    labels = written_labels(result.labels, result.scheme, arguments.label_scheme)
    outputs = [Output(arguments.output, labels, segment_labels(result.scheme, arguments.label_scheme))]
    if arguments.uncertainty and result.uncertainty is not None:
        outputs.append(Output(arguments.uncertainty, result.uncertainty))
    if arguments.probabilities and result.probabilities is not None:
        outputs.append(Output(arguments.probabilities, result.labels, channels=result.probabilities))
    if arguments.brain and result.brain is not None:
        outputs.append(Output(arguments.brain, result.brain))
    elif arguments.brain:
        print(f"note: no brain was cut out, so {arguments.brain} is not written", file=sys.stderr)
    return outputs


def positive(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is no whole number from 1 on")
    return int(word)
