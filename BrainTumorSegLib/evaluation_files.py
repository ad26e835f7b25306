"""Scoring files: two of them, or two folders whose files are matched by their stems."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.evaluation import Evaluation, evaluate, label_scheme
from BrainTumorSegLib.progress import ProgressCallback

SUFFIXES = (".nii.gz", ".seg.nrrd", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd", ".png", ".jpg", ".jpeg")
"""Which files of a folder are masks, the longer suffixes first; others beside them (tables, notes) are left alone."""

_NAMES_SHOWN = 10


@dataclass(frozen=True)
class Pair:
    """One case: the file to be judged and the file it is judged by."""

    case: str
    prediction: Path
    reference: Path


def evaluate_files(prediction: str | Path, reference: str | Path, progress: ProgressCallback | None = None) -> list[Evaluation]:
    """Score a file against a file, or each file of a folder against its namesake in another (each picture is a case).

    All references together decide whether the cases are scored as "tumor" or as "glioma". One case is in memory at a time.

    Raises:
        InputError: paths that do not exist or do not fit together, files without a partner, and what `evaluate` refuses.
    """
    from BrainTumorSegLib.io.images import read_label_volume

    pairs = pair_files(Path(prediction), Path(reference))
    scheme = label_scheme(read_label_volume(pair.reference) for pair in pairs)
    evaluations = []
    for done, pair in enumerate(pairs):
        if progress:
            progress(done / len(pairs), f"evaluating {pair.case}")
        evaluations.append(evaluate(read_label_volume(pair.prediction), read_label_volume(pair.reference), pair.case, scheme))
    if progress:
        progress(1.0, "evaluated")
    return evaluations


def pair_files(prediction: Path, reference: Path) -> list[Pair]:
    """The cases, sorted by name; two files are one case, named after the reference, whatever their stems are.

    Raises:
        InputError: a path that does not exist, a file against a folder, a folder without masks, a stem without a partner.
    """
    for option, path in (("prediction", prediction), ("reference", reference)):
        if not path.exists():
            raise InputError(f"the {option} {path} does not exist, so nothing can be compared; correct the path")
    if prediction.is_dir() != reference.is_dir():
        raise InputError(f"one of {prediction} and {reference} is a folder and the other a file, but both must be of one kind; give two files or two folders")
    if not prediction.is_dir():
        return [Pair(stem_of(reference), prediction, reference)]
    predictions, references = _files_by_stem(prediction), _files_by_stem(reference)
    _refuse_single_stems(predictions, references)
    return [Pair(stem, predictions[stem], references[stem]) for stem in sorted(references)]


def stem_of(path: Path) -> str:
    """The name of a file without the suffix of an image (`a.nii.gz` and `a.png` give `a`)."""
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.stem


def _files_by_stem(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith(".") or not path.name.lower().endswith(SUFFIXES):
            continue
        stem = stem_of(path)
        if stem in files:
            raise InputError(f"{folder} holds both {files[stem].name} and {path.name}, but a stem may name only one case; remove or rename one of them")
        files[stem] = path
    if not files:
        raise InputError(f"{folder} holds no mask, but files with one of these endings are needed: {', '.join(SUFFIXES)}; give the folder that has them")
    return files


def _refuse_single_stems(predictions: dict[str, Path], references: dict[str, Path]) -> None:
    complaints = []
    if references.keys() - predictions.keys():
        complaints.append(f"no prediction for {_listed(references.keys() - predictions.keys())}")
    if predictions.keys() - references.keys():
        complaints.append(f"no reference for {_listed(predictions.keys() - references.keys())}")
    if complaints:
        raise InputError(
            f"there is {' and '.join(complaints)}, but files are matched by their stems and each needs a partner; add, rename or remove these files"
        )


def _listed(names: Iterable[str]) -> str:
    names = sorted(names)
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
