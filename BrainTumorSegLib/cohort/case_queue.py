"""The cases of a folder and how far each of them has come."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.atomic import check_folder_writable
from BrainTumorSegLib.io.case_folder import DOUBTFUL, REVIEWED, STATES, CaseRow, patient_of, read_cases, with_fold, write_cases
from BrainTumorSegLib.io.images import READABLE

_NO_IMAGE = r"^ai$|(^|[ _.-])(seg|segmentation|mask|labels?|uncertainty|probabilities)([ _.-]|$)"
"""Names of masks and results, which lie beside the images in many folders."""


@dataclass(frozen=True)
class Case:
    """One case: its name and the files of its images, in the order of their names."""

    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True)
class QueueCount:
    """How many cases there are in each of `STATES`, and the seconds spent on all."""

    states: dict[str, int]
    seconds: int


def find_cases(folder: str | Path) -> list[Case]:
    """The cases of a folder: each subfolder that has images, and each image that lies in the folder itself, by name.

    Images are NIfTI, NRRD and MetaImage files; hidden files and masks (a word such as seg, mask or label in the name) are no images.

    Raises:
        InputError: the folder is missing or has no case.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder, but the cases are looked for in one; choose the folder that holds them")
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        found = [Case(path.name, tuple(_images(path))) for path in entries if path.is_dir()]
        found += [Case(_stem(path), (path,)) for path in entries if _is_image(path)]
    except OSError as error:
        raise InputError(f"{folder} cannot be read ({error.strerror}); correct its permissions") from error
    cases = sorted((case for case in found if case.files), key=lambda case: case.name)
    if not cases:
        raise InputError(f"{folder} has no case, but a case is a subfolder with images or a single image ({', '.join(READABLE)}); choose another folder")
    twice = [name for name, count in Counter(case.name for case in cases).items() if count > 1]
    if twice:
        raise InputError(f"{folder} has two cases with the name {twice[0]}, but each is kept under its name; rename one of them")
    return cases


class CaseQueue:
    """The cases of a folder in order, and their states in the corrected folder's cases.csv.

    The file is read again before each change, and only the changed row is replaced: two people may work on one folder, on different cases.
    """

    def __init__(self, folder: str | Path, corrected: str | Path | None = None) -> None:
        """Find the cases; nothing is written yet.

        Args:
            folder: see `find_cases`; it is never written to.
            corrected: where masks and states are kept, see `io.case_folder`; by default beside `folder`, with "_corrected" added.

        Raises:
            InputError: no cases, an unreadable cases.csv, or a corrected folder that lies in `folder` or cannot be written.
        """
        self.folder = Path(folder).absolute()
        self.corrected = Path(corrected).absolute() if corrected else self.folder.with_name(f"{self.folder.name}_corrected")
        if self.corrected == self.folder or self.folder in self.corrected.parents:
            raise InputError(f"{self.corrected} lies in the folder of the cases, but that is never written to; choose another folder for the corrected masks")
        self.cases = find_cases(self.folder)
        check_folder_writable(self.corrected)
        self.row(self.cases[0].name)  # an unreadable list is told now

    def case(self, name: str) -> Case:
        """The case of this name.

        Raises:
            InputError: there is none.
        """
        found = next((case for case in self.cases if case.name == name), None)
        if found is None:
            raise InputError(f"{name} is no case of {self.folder}, but only its cases can be opened; choose one from the list")
        return found

    def row(self, name: str) -> CaseRow:
        """How far a case has come."""
        return self.rows()[name]

    def rows(self) -> dict[str, CaseRow]:
        """The row of every case in order; a case that nobody has touched is to do."""
        stored = {row.case: row for row in read_cases(self.corrected)}
        return {case.name: stored.get(case.name) or CaseRow(case.name, patient_of(case.name)) for case in self.cases}

    def neighbor(self, name: str | None, step: int) -> str | None:
        """The case `step` places after this one (before it where negative), None beyond the ends; without a name, the first that is not finished."""
        names = [case.name for case in self.cases]
        if name is None:
            return next((row.case for row in self.rows().values() if row.state not in (REVIEWED, DOUBTFUL)), names[0])
        place = names.index(name) + step
        return names[place] if 0 <= place < len(names) else None

    def change(self, name: str, *, state: str | None = None, seconds: int = 0) -> CaseRow:
        """Store a new state, or further seconds of work, of one case; a finished case gets its fold.

        Raises:
            InputError: no such case, or cases.csv cannot be written.
        """
        if state is not None and state not in STATES:
            raise ValueError(f"state is {state!r}, but it is one of {', '.join(STATES)}")
        self.case(name)
        stored = read_cases(self.corrected)
        before = next((row for row in stored if row.case == name), CaseRow(name, patient_of(name)))
        row = replace(before, state=state or before.state, seconds=before.seconds + seconds)
        if row.state in (REVIEWED, DOUBTFUL):
            row = with_fold(row, stored)
        self.corrected.mkdir(exist_ok=True)
        write_cases(self.corrected, [row if other.case == name else other for other in stored] if before in stored else [*stored, row])
        return row

    def count(self) -> QueueCount:
        """How much is done."""
        rows = self.rows().values()
        states = Counter(row.state for row in rows)
        return QueueCount({state: states[state] for state in STATES}, sum(row.seconds for row in rows))


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and _is_image(path))


def _is_image(path: Path) -> bool:
    return path.name.lower().endswith(tuple(READABLE)) and path.is_file() and not re.search(_NO_IMAGE, _stem(path), re.IGNORECASE)


def _stem(path: Path) -> str:
    suffix = next(suffix for suffix in sorted(READABLE, key=len, reverse=True) if path.name.lower().endswith(suffix))
    return path.name[: -len(suffix)]
