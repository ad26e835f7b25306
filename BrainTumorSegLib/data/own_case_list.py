"""Which cases of one's own there are: a folder of cases or a CSV file, with patients and folds, all checked before one is read.

    FOLDER/CASE/t1ce.nii.gz ...     one image for each sequence, named by its role: t1, t1ce, t2, flair
    FOLDER/CASE/seg.nii.gz          the mask
    FOLDER/cases.csv                optional; the same table may be given alone, paths in it are relative to it

Columns of the table: case (the subfolder); patient (default: from the case's name, see `io.case_folder.patient_of`); fold (a
whole number from 1 on; default: given out by patient, always the same for the same patients); kind (tumor type, for
scores by type); a path for each role and for the mask (seg, or reference as a cohort's table has it), where it is not the
one above. Where there is a column state, only the rows that are "reviewed" are taken. Files may be NIfTI, NRRD, MetaImage or
PNG.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.case_folder import CASES_FILE, REVIEWED, CaseRow, patient_of, with_fold
from BrainTumorSegLib.io.images import READABLE
from BrainTumorSegLib.io.pictures import SUFFIXES
from BrainTumorSegLib.labels import ROLES

_ENDINGS = (*READABLE, *SUFFIXES)
_MASK_COLUMNS = ("seg", "reference")


@dataclass(frozen=True)
class OwnCase:
    """One case: `images` are the files of the sequences it has, by role."""

    case: str
    patient: str
    fold: int
    kind: str
    images: dict[str, Path]
    mask: Path


def is_own(data: Path, sets: Sequence[str]) -> bool:
    """Whether `data` holds cases of one's own rather than the public `sets`."""
    if data.is_file() or (data / CASES_FILE).is_file():
        return True
    return not any((data / name).is_dir() for name in sets) and any(_case_folders(data))


def list_own_cases(data: Path, required: Sequence[str]) -> list[OwnCase]:
    """All cases of a folder or a table.

    Args:
        data: folder of cases, or CSV file.
        required: roles that every case must have.

    Raises:
        InputError: no case, a case twice, an image or a mask that is missing, a fold that is none, a patient in two folds.
    """
    table = data if data.is_file() else data / CASES_FILE
    root = table.parent
    rows = _read(table) if table.is_file() else [{"case": folder.name} for folder in _case_folders(data)]
    if not rows:
        raise InputError(f"{data} holds no case to train on; give a folder with a subfolder for each case (t1ce.nii.gz, ..., seg.nii.gz), or a table of them")
    placed = _with_folds([_case_row(row, table) for row in rows], table)
    return [_own_case(row, place, root, required) for row, place in zip(rows, placed)]


def _case_folders(data: Path) -> Iterator[Path]:
    for folder in sorted(path for path in data.iterdir() if path.is_dir()) if data.is_dir() else []:
        if any(_find(folder, role) for role in ROLES):
            yield folder


def _find(folder: Path, name: str) -> Path | None:
    return next((path for ending in _ENDINGS if (path := folder / f"{name}{ending}").is_file()), None)


def _read(table: Path) -> list[dict[str, str]]:
    try:
        lines = table.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{table} cannot be read as a table ({error}); save it as CSV in UTF-8") from None
    reader = csv.DictReader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    if "case" not in (reader.fieldnames or ()):
        raise InputError(f"{table} has no column case, but every row names its case there; add it to the first line")
    rows = [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]
    if "state" not in (reader.fieldnames or ()):
        return rows
    reviewed = [row for row in rows if row["state"] == REVIEWED]
    if rows and not reviewed:
        raise InputError(f"{table} has no case whose state is {REVIEWED}, and a mask that nobody approved teaches its own mistakes; review some cases first")
    return reviewed


def _case_row(row: dict[str, str], table: Path) -> CaseRow:
    case, fold = row["case"], row.get("fold", "")
    if not case:
        raise InputError(f"{table} has a row without a case; name it, or remove the row")
    if fold and not (fold.isdecimal() and int(fold) >= 1):
        raise InputError(f"{table} gives {case} the fold {fold!r}, but a fold is a whole number from 1 on, or empty; correct it")
    return CaseRow(case, row.get("patient") or patient_of(case), int(fold) if fold else None)


def _with_folds(rows: list[CaseRow], table: Path) -> list[CaseRow]:
    """Every case with a fold; patients without one are given it in the order of their names, whatever the order of rows."""
    placed = {row.case: row for row in rows if row.fold is not None}
    if len({row.case for row in rows}) < len(rows):
        names = [row.case for row in rows]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{table} lists the case {twice} twice, but each has one row; remove one of them")
    folds: dict[str, int] = {}
    for row in placed.values():
        if row.fold is not None and folds.setdefault(row.patient, row.fold) != row.fold:
            raise InputError(
                f"{table} has the patient {row.patient} in the folds {folds[row.patient]} and {row.fold}, but scores of patients that were trained on "
                "are worth nothing; give all cases of a patient one fold"
            )
    for row in sorted(rows, key=lambda row: (row.patient, row.case)):
        if row.case not in placed:
            placed[row.case] = with_fold(row, list(placed.values()))
    return [placed[row.case] for row in rows]


def _own_case(row: dict[str, str], place: CaseRow, root: Path, required: Sequence[str]) -> OwnCase:
    images = {role: path for role in ROLES if (path := _file(row, (role,), root))}
    missing = [role for role in required if role not in images]
    if missing:
        raise InputError(f"the case {place.case} has no image {', '.join(missing)}, which this recipe reads; add {missing[0]}.nii.gz to {root / place.case}")
    mask = _file(row, _MASK_COLUMNS, root)
    if mask is None:
        raise InputError(f"the case {place.case} has no mask, but training needs one; add seg.nii.gz to {root / place.case}, or leave the case out")
    if place.fold is None:
        raise ValueError(f"{place.case} has no fold; give it one by `with_fold` first")
    return OwnCase(place.case, place.patient, place.fold, row.get("kind") or "tumor", images, mask)


def _file(row: dict[str, str], columns: Sequence[str], root: Path) -> Path | None:
    """The file that the table names, else the one in the case's folder."""
    for column in columns:
        if row.get(column):
            path = root / row[column]
            if not path.is_file():
                raise InputError(f"the case {row['case']} has {path} as its {column}, but there is no such file; correct the table")
            return path
    return _find(root / row["case"], columns[0])
