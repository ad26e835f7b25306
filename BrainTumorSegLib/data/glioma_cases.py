"""Readers of the sets that `glioma-regions` learns from: whole cases of BraTS, cubes about other patients' tumors, and FLAIR of yet others.

- brats: 39 whole cases, skull-stripped, four sequences with labels (BraTS 2018-2021), folds 1-5 by patient.
- brats/cubes: 32 x 32 x 32 voxels about the tumors of 357 patients (BraTS 2020), folds as brats.
- lgg: axial FLAIR slices of lower-grade gliomas (TCGA-LGG), whole tumors; patients that are in brats, too, are left out,
  so that they are learned from whatever fold of it is kept out. Never validated on.
- ms_heads: FLAIR of heads with multiple sclerosis, whose plaques are no tumor (Lesjak et al. 2018, doi:10.1007/s12021-017-9348-7);
  the first is kept out with fold 1, and so on. Never validated on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from BrainTumorSegLib.data.case_set import REGION_KEYS, Case, CaseSet, stored
from BrainTumorSegLib.data.public_sets import read_lgg_flair, read_packed, table_rows
from BrainTumorSegLib.data.slice_set import WHOLE_BIT
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.images import read_label_volume, read_volume
from BrainTumorSegLib.labels import BRATS_ET, ED, ET, ROLES
from BrainTumorSegLib.preprocess.frame import PIXEL_MM
from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from BrainTumorSegLib.preprocess.orientation import orientation_of
from BrainTumorSegLib.preprocess.resample import resample_labels_to
from BrainTumorSegLib.preprocess.tissue_box import AIR, tissue_box

FOLDS = (1, 2, 3, 4, 5)
"""Folds of `brats`, by patient."""
_SPREAD_OF_BRAIN = {"t1": 0.25, "t1ce": 0.25, "t2": 0.33, "flair": 0.3}
"""Standard deviation over mean of the brain's voxels, median over the whole cases: the cubes are stored as z-scores."""

_NO_FOLD = -1  # kept out by none
IN_BRATS = ("TCGA_CS_", "TCGA_DU_7298_", "TCGA_DU_A5TW_", "TCGA_HT_7690_")
"""How the names of those patients of `lgg` begin that are, or may be, in `brats` under another name: see `python -m Testing.Benchmarks.same_patients`.

It finds seven pairs, four of them of the 13 patients TCGA_CS. The numbers of BraTS2021_01476 to 01485 follow the names of these,
so that the others may be there, too, and none is learned from.
"""
_HEAD = 0.2
"""Tissue units from which a pixel is head."""
_SCALP_PIXELS = (11, 8)
"""Of 1.07 mm: depth below which there is no scalp and skull, usually, and where a tumor reaches so far out that much of it would be lost."""
_LEAST_KEPT = 0.7
_LEAST_TUMOR, _LEAST_BRAIN = 60, 3000
"""Pixels that a slice shows at least."""
_STACK_MM = (5.0, PIXEL_MM, PIXEL_MM)
"""The spacing of `lgg` is unknown; in plane a picture is taken for 240 mm, and the distance of its slices is not used."""


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
    """(training, validation): the other folds of all sets, and the whole cases of `fold`; parts of its patients, and stacks, are in neither."""
    kept_out = (case for case in cases if case.fold == fold and case.whole and not case.axial_only)
    return CaseSet(case for case in cases if case.fold != fold), CaseSet(kept_out)


def read_brats_cases(folder: Path, fold: int | None = None) -> list[Case]:
    """The whole cases, of one fold or of all, cut to the box that holds the brain."""
    cases = []
    for row in table_rows(folder / "folds.csv"):
        if fold is not None and int(row["fold"]) != fold:
            continue
        path = folder / row["folder"] / row["case"]
        read = read_packed if row["folder"] == "packed" else _read_nifti
        volumes = (read(path, role) for role in ROLES)
        tissue = np.stack([fit_tissue_scale(volume).apply(volume) for volume in volumes])
        labels = read(path, "seg").astype(np.uint8)
        labels[labels == BRATS_ET] = ET.value
        cases.append(Case(row["case"], "brats", int(row["fold"]), *_cut(tissue, labels), (1.0, 1.0, 1.0), True))
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


def read_lgg_slices(folder: Path) -> list[Case]:
    """The FLAIR slices of each patient, cut roughly to the brain, for whole cases have no skull; without those that show little tumor."""
    slices = read_lgg_flair(folder)
    cases = []
    for name in dict.fromkeys(slices.case.tolist()):
        if name.startswith(IN_BRATS):
            continue
        found = []
        for i in np.flatnonzero(slices.case == name):
            tumor = (slices.targets[i] & WHOLE_BIT) > 0
            image = slices.tissue(np.array([i]))[0]
            deep = inside_skull(image, tumor)
            if (not tumor.any() or np.count_nonzero(tumor) >= _LEAST_TUMOR) and np.count_nonzero(deep) >= _LEAST_BRAIN:
                brain = image * deep
                found.append((brain / brain[brain > AIR].mean(), tumor & deep))
        if found:
            labels = np.stack([tumor for _, tumor in found]) * np.uint8(ED.value)
            cases.append(_flair_stack(name, "lgg", _NO_FOLD, np.stack([image for image, _ in found]), labels, _STACK_MM, told=1))
    return cases


def read_ms_brains(folder: Path) -> list[Case]:
    """FLAIR of the heads that have a mask of the brain, without all else."""
    cases = []
    for i, path in enumerate(sorted(folder.glob("*/flair_brainmask.nii.gz"))):
        volume = read_volume(path.with_name("flair.nii.gz"))
        orientation = orientation_of(volume)
        mask = resample_labels_to(read_label_volume(path), volume).array > 0
        brain = orientation.canonical(np.where(mask, volume.array, 0))
        tissue = fit_tissue_scale(brain).apply(brain)
        spacing = orientation.canonical_spacing(volume)
        cases.append(_flair_stack(path.parent.name, "ms_heads", FOLDS[i % len(FOLDS)], tissue, np.zeros(brain.shape, np.uint8), spacing))
    if not cases:
        raise InputError(f"{folder} holds no CASE/flair_brainmask.nii.gz, but this recipe trains on it; give the folder that holds it with --data")
    return cases


def _flair_stack(
    name: str, source: str, fold: int, flair: np.ndarray, labels: np.ndarray, spacing: tuple[float, float, float], told: int = len(REGION_KEYS)
) -> Case:
    """Axial slices of FLAIR [Z, Y, X] in tissue units, cut to the box that holds tissue; there is no other sequence."""
    tissue = np.zeros((len(ROLES), *flair.shape), np.float32)
    tissue[ROLES.index("flair")] = flair
    return Case(name, source, fold, *_cut(tissue, labels), spacing, True, told, axial_only=True)


def _cut(tissue: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tissue [C, Z, Y, X], as a case stores it, and labels [Z, Y, X] in the box that holds tissue."""
    box = tissue_box(tissue)
    inside = (slice(None), *box)
    return stored(tissue[inside]), labels[box].copy()


def inside_skull(image: np.ndarray, tumor: np.ndarray) -> np.ndarray:
    """What lies so deep in a head that it is brain, or a tumor that reaches the skull, bool [n, n].

    Args:
        image: axial slice of a head [n, n], in tissue units. tumor: its mask.
    """
    from scipy import ndimage

    parts, count = ndimage.label(ndimage.binary_fill_holes(ndimage.binary_opening(image > _HEAD)))
    if not count:
        return np.zeros(image.shape, bool)
    depth = ndimage.distance_transform_edt(parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:])))
    brain = depth > _SCALP_PIXELS[0]
    return brain if np.count_nonzero(tumor & brain) >= _LEAST_KEPT * np.count_nonzero(tumor) else depth > _SCALP_PIXELS[1]


def _read_nifti(case: Path, name: str) -> np.ndarray:
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(sitk.ReadImage(str(case / f"{name}.nii.gz")))


def _source(name: str) -> str:
    return name.rpartition("/")[2]


READERS: dict[str, Callable[[Path], list[Case]]] = {
    "brats": read_brats_cases,
    "brats/cubes": read_cubes,
    "lgg": read_lgg_slices,
    "ms_heads": read_ms_brains,
}
