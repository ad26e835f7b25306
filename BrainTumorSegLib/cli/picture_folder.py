"""`segment` for a folder of PNG or JPEG slices: a folder of PNG masks with the same stems and sizes."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from BrainTumorSegLib.cli.progress_bar import ProgressBar
from BrainTumorSegLib.cli.worker import run_cancellable
from BrainTumorSegLib.errors import InputError

if TYPE_CHECKING:
    from BrainTumorSegLib.api import CancelToken, Session, Volume

Cases = dict[str, dict[str, Path]]  # stem -> role -> picture


def segment_folder(inputs: Mapping[str, Path], arguments: argparse.Namespace) -> dict[str, Any]:
    """Segment every picture as a case of its own, and write all masks or none.

    Raises:
        InputError, ModelError: the first picture that cannot be segmented ends the work, and nothing is written.
    """
    from BrainTumorSegLib.api import writing_folder

    cases = _cases(inputs)
    _check_outputs(inputs, arguments)
    with writing_folder(arguments.output) as hidden:
        document = run_cancellable(lambda cancel: _segment_all(cases, hidden, arguments, cancel))
    return document | {"output": str(arguments.output)}


def _segment_all(cases: Cases, folder: Path, arguments: argparse.Namespace, cancel: CancelToken) -> dict[str, Any]:
    from BrainTumorSegLib import api
    from BrainTumorSegLib.cli.segment import options_of, show_license
    from BrainTumorSegLib.cli.segment_report import as_document, joined
    from BrainTumorSegLib.cli.written_labels import written_labels

    began = time.perf_counter()
    session = api.open_model(arguments.model, roles=next(iter(cases.values())), threads=arguments.threads, provider=arguments.provider)
    load_s = time.perf_counter() - began
    blank = _check(cases, session, cancel)
    documents: list[tuple[str, dict[str, Any] | None]] = []
    show_license(session)
    with ProgressBar() as bar:
        for done, (stem, paths) in enumerate(cases.items()):
            bar(done / len(cases), f"picture {done + 1} of {len(cases)}")
            began = time.perf_counter()
            volumes = _read(paths)
            read_s = time.perf_counter() - began
            name = next(iter(paths.values())).name
            if stem in blank:
                first = next(iter(volumes.values()))
                api.write_volume(first.like(np.zeros(first.array.shape, np.uint8)), folder / f"{stem}.png")
                documents.append((name, None))
                continue
            result = api.segment(volumes, session, options=options_of(arguments), cancel=cancel)
            api.write_volume(written_labels(result.labels, result.scheme, arguments.label_scheme), folder / f"{stem}.png")
            documents.append((name, as_document(result, session.model, read_s, arguments.label_scheme)))
    return joined(documents, load_s) | {"provider": session.provider}


def _check(cases: Cases, session: Session, cancel: CancelToken) -> set[str]:
    """Read all pictures before the work: it is quick, and a bad one at the end would cost the work before it.

    Returns:
        Stems of blank pictures, as stacks have them above and below the head; their masks are empty.

    Raises:
        InputError: a picture that cannot be used, or nothing but blank ones.
    """
    from BrainTumorSegLib import api

    blank = set()
    for stem, paths in cases.items():
        cancel.raise_if_cancelled()
        volumes = _read(paths)
        if all(volume.array.min() == volume.array.max() for volume in volumes.values()):
            blank.add(stem)
        else:
            api.check_inputs(volumes, session.model.name)
    if len(blank) == len(cases):
        raise InputError(f"all {len(cases)} pictures are constant, so there is nothing to segment; check that the right folder was chosen")
    return blank


def _read(paths: Mapping[str, Path]) -> dict[str, Volume]:
    from BrainTumorSegLib import api

    return {role: api.read_volume(path) for role, path in paths.items()}


def _cases(inputs: Mapping[str, Path]) -> Cases:
    """The pictures of all sequences, matched by stem."""
    from BrainTumorSegLib.api import list_pictures

    listed = {role: {path.stem: path for path in list_pictures(folder)} for role, folder in inputs.items()}
    first = next(iter(listed))
    for role, paths in listed.items():
        alone = sorted(paths.keys() ^ listed[first].keys())
        if alone:
            raise InputError(f"--{first} and --{role} hold different pictures (for instance {alone[0]}), but files are matched by stem; complete both folders")
    return {stem: {role: paths[stem] for role, paths in listed.items()} for stem in listed[first]}


def _check_outputs(inputs: Mapping[str, Path], arguments: argparse.Namespace) -> None:
    from BrainTumorSegLib.api import check_folder_writable

    for option in ("uncertainty", "probabilities", "brain"):
        if getattr(arguments, option) is not None:
            raise InputError(f"--{option} is for volumes, but the input is a folder of pictures; leave it out")
    if arguments.output.suffix.lower() in (".png", ".nii", ".gz", ".nrrd", ".mha"):
        raise InputError(f"--output {arguments.output} names a file, but a folder of pictures gives a folder of masks; name a folder")
    for role, folder in inputs.items():
        if folder.resolve() == arguments.output.resolve():
            raise InputError(f"--output {arguments.output} is also the input --{role}, whose pictures would be overwritten; choose another folder")
    check_folder_writable(arguments.output)
