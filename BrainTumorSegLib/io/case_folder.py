"""A folder of one's own cases with corrected masks: written by the Slicer module's case queue, read by training.

    FOLDER/
      cases.csv               one row for each case, with the columns case,patient,fold,state,seconds
      CASE/
        t1ce.nii.gz           one image for each sequence there is, named by its role (`labels.ROLES`): t1, t1ce, t2, flair
        seg.nii.gz            the mask as last corrected, uint8, on the grid of one of the images: the values of the scheme in case.json
        ai.nii.gz             the mask as the model made it, on the grid of seg.nii.gz; absent where no model made one
        uncertainty.nii.gz    entropy in [0, 1] on the same grid; absent where it was not asked for
        case.json             "scheme" (a key of `labels.SCHEMES`), and what the case queue wants to find again

The columns of cases.csv:

    case      name of the subfolder
    patient   cases of one patient carry one name here and therefore one fold; correct it by hand where the guess of `patient_of` is wrong
    fold      1 to 5 for cross-validation by patient; empty until the case is reviewed or doubtful for the first time
    state     "to do" (no mask yet), "AI done" (the model's mask, perhaps half corrected), "reviewed", "doubtful"
    seconds   time that somebody worked on it

Training takes the rows whose state is "reviewed" and no others: a mask that nobody has approved teaches the model its own mistakes.
A case of cases.csv need not have a subfolder (to do); a subfolder without a row is not a case.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.atomic import writing

TO_DO, AI_DONE, REVIEWED, DOUBTFUL = STATES = ("to do", "AI done", "reviewed", "doubtful")
CASES_FILE = "cases.csv"
COLUMNS = ("case", "patient", "fold", "state", "seconds")
FOLDS = (1, 2, 3, 4, 5)
SEGMENTATION, AI_RESULT, UNCERTAINTY, DETAILS = "seg.nii.gz", "ai.nii.gz", "uncertainty.nii.gz", "case.json"

_TIME_POINTS = (r"(BraTS-[A-Za-z]+-\d+)-\d+", r"(sub-[A-Za-z0-9]+)_ses-.+")
"""Names of public sets that hold patient and time point: BraTS 2023 and later, and BIDS."""


@dataclass(frozen=True)
class CaseRow:
    """One row of cases.csv; fold None is an empty cell."""

    case: str
    patient: str
    fold: int | None = None
    state: str = TO_DO
    seconds: int = 0


def image_file(role: str) -> str:
    """The name of a case's file with the sequence `role`."""
    return f"{role}.nii.gz"


def patient_of(case: str) -> str:
    """The patient in the name of a case where BraTS or BIDS names tell it, else the case's own name."""
    matches = (re.fullmatch(pattern, case) for pattern in _TIME_POINTS)
    return next((match.group(1) for match in matches if match), case)


def read_cases(folder: str | Path) -> list[CaseRow]:
    """The rows of a folder's cases.csv in its order, none where there is no such file.

    A spreadsheet's byte order mark and semicolons are accepted.

    Raises:
        InputError: a column is missing, or a cell, named with its line, holds what no cell of its column can hold; a case twice; a
            patient in two folds.
    """
    path = Path(folder) / CASES_FILE
    if not path.is_file():
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}); correct its permissions, or save it as UTF-8 text") from error
    lines = text.splitlines()
    reader = csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(f"{path} lacks the column {', '.join(missing)}, but a list of cases has {', '.join(COLUMNS)}; correct its first line")
    rows = [_row(cells, f"line {reader.line_num} of {path}") for cells in reader]
    _check(rows, path)
    return rows


def write_cases(folder: str | Path, rows: Iterable[CaseRow]) -> None:
    """Write cases.csv, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    with writing(Path(folder) / CASES_FILE) as beside, beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow([row.case, row.patient, "" if row.fold is None else row.fold, row.state, row.seconds])


def with_fold(row: CaseRow, others: Sequence[CaseRow]) -> CaseRow:
    """The row with a fold: its own, its patient's, else the fold that has the fewest patients so far (the lowest of equals)."""
    if row.fold is not None:
        return row
    of_patient = {other.patient: other.fold for other in others if other.fold is not None}
    sizes = Counter(of_patient.values())
    return replace(row, fold=of_patient.get(row.patient) or min(FOLDS, key=lambda fold: sizes[fold]))


def _row(cells: dict[str, str], where: str) -> CaseRow:
    case, patient, fold, state, seconds = ((cells[name] or "").strip() for name in COLUMNS)
    if not case or Path(case).name != case or case in {".", ".."}:
        raise InputError(f"{where} has the case {case!r}, but a case is the name of a subfolder; correct it")
    if state not in STATES:
        raise InputError(f"{where} has the state {state!r}, but a state is one of {', '.join(STATES)}; correct it")
    if fold and fold not in map(str, FOLDS):
        raise InputError(f"{where} has the fold {fold!r}, but a fold is empty or 1 to {FOLDS[-1]}; correct it")
    if not (seconds or "0").isdecimal():
        raise InputError(f"{where} has {seconds!r} seconds, but they are a whole number; correct it")
    return CaseRow(case, patient or patient_of(case), int(fold) if fold else None, state, int(seconds or 0))


def _check(rows: Sequence[CaseRow], path: Path) -> None:
    twice = [case for case, count in Counter(row.case for row in rows).items() if count > 1]
    if twice:
        raise InputError(f"{path} lists the case {twice[0]} twice, but each has one row; remove one of them")
    folds: dict[str, int] = {}
    for row in rows:
        if row.fold is not None and folds.setdefault(row.patient, row.fold) != row.fold:
            raise InputError(
                f"{path} has the patient {row.patient} in the folds {folds[row.patient]} and {row.fold}, but scores of patients that were trained on "
                "are worth nothing; give all cases of a patient one fold"
            )
