"""Readers of the sets that `glioma-regions` learns from: whole cases of BraTS and cubes about other patients' tumors.

- brats: 39 whole cases, skull-stripped, four sequences with labels (BraTS 2018-2021), folds 1-5 by patient.
- brats/cubes: 32 x 32 x 32 voxels about the tumors of 357 patients (BraTS 2020), folds as brats.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from BrainTumorSegLib.data.case_set import Case, CaseSet, stored
from BrainTumorSegLib.data.public_sets import read_packed
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.labels import BRATS_ET, ET, ROLES
from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from BrainTumorSegLib.preprocess.tissue_box import tissue_box

FOLDS = (1, 2, 3, 4, 5)
"""Folds of `brats`, by patient."""
_SPREAD_OF_BRAIN = {"t1": 0.25, "t1ce": 0.25, "t2": 0.33, "flair": 0.3}
"""Standard deviation over mean of the brain's voxels, median over the whole cases: the cubes are stored as z-scores."""


def load_cases(sets: tuple[str, ...], data: Path, cache: Path, report: Callable[[float, str], None]) -> CaseSet:
    """The cases of `sets` below the folder `data`; `cache` (.npz) is read where it exists and written where not.

    Raises:
        InputError: a set has no reader, or its folder is missing; named before anything is read.
    """
    for name in sets:
        if name not in READERS:
            raise InputError(f"the recipe asks for the set {name!r}, but readers exist for {', '.join(READERS)}; correct the recipe's sets")
    if cache.is_file():
        cases = CaseSet.load(cache)
        if {case.source for case in cases} == {_source(name) for name in sets}:  # else it was made for other sets
            return cases
    for name in sets:
        if not (data / name).is_dir():
            raise InputError(f"{data / name} is missing, but this recipe trains on it; give the folder that holds {', '.join(sets)} with --data")
    cache.parent.mkdir(parents=True, exist_ok=True)  # before what takes long
    found: list[Case] = []
    for i, name in enumerate(sets):
        report(i / len(sets), f"reading {name}")
        found += READERS[name](data / name)
    temporary = cache.with_name(f".{cache.name}.part")
    CaseSet(found).save(temporary)
    temporary.replace(cache)
    return CaseSet(found)


def split(cases: CaseSet, fold: int) -> tuple[CaseSet, CaseSet]:
    """(training, validation): the other folds of all sets, and the whole cases of `fold`; parts of its patients are in neither."""
    return CaseSet(case for case in cases if case.fold != fold), CaseSet(case for case in cases if case.fold == fold and case.whole)


def read_brats_cases(folder: Path, fold: int | None = None) -> list[Case]:
    """The whole cases, of one fold or of all, cut to the box that holds the brain."""
    cases = []
    for row in _rows(folder / "folds.csv"):
        if fold is not None and int(row["fold"]) != fold:
            continue
        path = folder / row["folder"] / row["case"]
        read = read_packed if row["folder"] == "packed" else _read_nifti
        volumes = (read(path, role) for role in ROLES)
        tissue = np.stack([fit_tissue_scale(volume).apply(volume) for volume in volumes])
        labels = read(path, "seg").astype(np.uint8)
        labels[labels == BRATS_ET] = ET.value
        box = tissue_box(tissue)
        inside = (slice(None), *box)
        cases.append(Case(row["case"], "brats", int(row["fold"]), stored(tissue[inside]), labels[box].copy(), (1.0, 1.0, 1.0), True))
    return cases


def read_cubes(folder: Path) -> list[Case]:
    """The cubes, cut to the part of them that is known; z-scores become tissue units by the spread of an average brain."""
    if not (folder / "cubes.npz").is_file():
        raise InputError(f"{folder / 'cubes.npz'} is missing, but this recipe trains on it; give the folder that holds it with --data")
    spread = np.array([_SPREAD_OF_BRAIN[role] for role in ROLES])[:, None, None, None]
    cases = []
    with np.load(folder / "cubes.npz", allow_pickle=False) as arrays:
        x, y, z = arrays["spacing"].tolist()
        for levels, labels, name, fold, valid in zip(*(arrays[key] for key in ("image", "seg", "case", "fold", "valid"))):
            known = tuple(slice(int(a), int(b)) for a, b in valid.reshape(3, 2))
            inside = (slice(None), *known)
            levels = levels[inside].transpose(0, 3, 2, 1)  # [channel, x, y, z] -> [channel, z, y, x]
            tissue = np.where(levels > 0, 1 + spread * ((levels.astype(np.float32) - 1) / 16 - 4), 0)
            cases.append(Case(str(name), "cubes", int(fold), stored(tissue), labels[known].transpose(2, 1, 0).copy(), (z, y, x), False))
    return cases


def _read_nifti(case: Path, name: str) -> np.ndarray:
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(sitk.ReadImage(str(case / f"{name}.nii.gz")))


def _source(name: str) -> str:
    return name.rpartition("/")[2]


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise InputError(f"{path} is missing, but this recipe trains on it; give the folder that holds it with --data")
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


READERS: dict[str, Callable[[Path], list[Case]]] = {"brats": read_brats_cases, "brats/cubes": read_cubes}
