"""Which cases each model's robustness is measured on, and what of its result is compared with what of the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from BrainTumorSegLib import api
from BrainTumorSegLib.labels import BRATS_ET, ROLES
from Testing.Benchmarks.brats_volumes import brats_folders, brats_volume
from Testing.Benchmarks.score_stacks import APART_MM, WIDTH_MM, patient_names, read_patient


@dataclass(frozen=True)
class Case:
    """One patient: sequences by role on one grid, and the reference as a bool mask [z, y, x] for each region."""

    name: str
    volumes: dict[str, api.Volume]
    truth: dict[str, np.ndarray]


@dataclass(frozen=True)
class Subject:
    """A model under test.

    Attributes:
        names: (folder of the public sets, fold that was kept out of training) -> its cases.
        read: (folder of the public sets, name) -> the case. Volumes whose spacing is unknown say so by `has_millimeters`;
            corruptions stated in mm are then left out.
        found: region -> the values of the result's label map that are compared with that region.
        about: the set and what is compared, for the page.
    """

    names: Callable[[Path, int], list[str]]
    read: Callable[[Path, str], Case]
    found: dict[str, tuple[int, ...]]
    about: str


def brats_names(data: Path, fold: int) -> list[str]:
    return [name for name, (_, its_fold) in brats_folders(data).items() if its_fold == fold]


def brats_core(data: Path, name: str) -> Case:
    """T1ce alone, with the core that it shows (labels 1 and 3, as `score_volumes` has it)."""
    return _brats_case(data, name, ("t1ce",), {"TC": (1, 3, BRATS_ET)})


def brats_regions(data: Path, name: str) -> Case:
    """All four sequences, with the nested regions."""
    return _brats_case(data, name, ROLES, {"WT": (1, 2, 3, BRATS_ET), "TC": (1, 3, BRATS_ET), "ET": (3, BRATS_ET)})


def _brats_case(data: Path, name: str, roles: tuple[str, ...], regions: dict[str, tuple[int, ...]]) -> Case:
    folder, _ = brats_folders(data)[name]
    labels = brats_volume(folder, "seg").array
    return Case(name, {role: brats_volume(folder, role) for role in roles}, {region: np.isin(labels, values) for region, values in regions.items()})


def lgg_whole_tumor(data: Path, name: str) -> Case:
    """FLAIR of the whole head on the grid that `score_stacks` takes for it."""
    image, mask = read_patient(data, name)
    return Case(name, {"flair": image}, {"WT": mask.array > 0})


SUBJECTS = {
    "t1ce-tumor": Subject(brats_names, brats_core, {"TC": (1,)}, "brats, T1ce alone, tumor core (TC)"),
    "glioma-regions": Subject(brats_names, brats_regions, {"WT": (1, 2, 3), "TC": (1, 3), "ET": (3,)}, "brats, all four sequences"),
    "flair-tumor": Subject(
        patient_names, lgg_whole_tumor, {"WT": (1,)}, f"lgg, FLAIR alone, slices taken as {WIDTH_MM:.0f} mm wide and {APART_MM:.0f} mm apart"
    ),
}
