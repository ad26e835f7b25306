"""Readers of the public sets that the published systems are trained on, each giving an `ExampleSet` through a `View`.

- cheng: T1-contrast slices with masks (systems A and B), folds 1-4 by patient on the word of the set's author, who does
  not say which slices share a patient.
- no_tumor: tumor-free slices (A and B), those marked `excluded` left out; near-duplicates count as one patient.
- brats: FLAIR, T1, T1ce and T2 of gliomas (C), labels 1 NCR, 2 ED, 3 ET.
- lgg: T1, FLAIR and T1ce of lower-grade gliomas (D), in the order of the channels as they were published, with the mask of
  the whole tumor. Where a sequence was missing its source repeats FLAIR: it counts as missing here, and is 0.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from BrainTumorSegLib.data.example_set import ExampleSet, ExampleSetBuilder, check_labels
from BrainTumorSegLib.data.public_sets import read_gray, read_packed
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.images import read_label_volume, read_volume
from BrainTumorSegLib.labels import BRATS_ET
from BrainTumorSegLib.preprocess.views import GRAY, View, see

BRATS_ORDER = ("flair", "t1", "t1ce", "t2")
LGG_ORDER = ("t1", "flair", "t1ce")

Report = Callable[[float, str], None]
Reader = Callable[[Path, View, Report], ExampleSet]


def read_cheng(folder: Path, view: View, report: Report) -> ExampleSet:
    """Kinds glioma, meningioma and pituitary, one slice a case."""
    builder = ExampleSetBuilder(as_bytes=view.kind == GRAY)
    for row in _told(read_table(folder / "slices.csv"), report, "cheng"):
        image, mask = _existing(folder / "images" / f"{row['id']}.jpg"), _existing(folder / "masks" / f"{row['id']}.png") > 0
        if image.shape != mask.shape:
            raise InputError(
                f"the mask of cheng's {row['id']} has {mask.shape} pixels and its image {image.shape}, but both lie on one grid; download the set again"
            )
        seen = see([image[None]], None, view)
        kind = row["tumor"].removesuffix("_tumor")
        builder.add(seen.slices, seen.labels(mask[None]), case=row["id"], patient="", fold=int(row["fold"]), kind=kind, source="cheng")
    return builder.build()


def read_no_tumor(folder: Path, view: View, report: Report) -> ExampleSet:
    """Empty masks; a group of near-duplicates is a patient."""
    builder = ExampleSetBuilder(as_bytes=view.kind == GRAY)
    rows = [row for row in read_table(folder / "splits.csv") if not row["excluded"]]
    for row in _told(rows, report, "no_tumor"):
        seen = see([_existing(folder / row["file"])[None]], None, view)
        labels = np.zeros((1, view.size, view.size), np.uint8)
        builder.add(seen.slices, labels, case=row["file"], patient=f"group {row['group']}", fold=int(row["fold"]), kind="none", source="no_tumor")
    return builder.build()


def read_brats(folder: Path, view: View, report: Report) -> ExampleSet:
    """All axial slices in the box of the brain."""
    builder = ExampleSetBuilder(as_bytes=view.kind == GRAY)
    for row in _told(read_table(folder / "folds.csv"), report, "brats"):
        case = folder / row["folder"] / row["case"]
        arrays = {name: _brats_array(case, name) for name in (*BRATS_ORDER, "seg")}
        labels = np.where(arrays["seg"] == BRATS_ET, 3, arrays["seg"])
        check_labels(labels, "glioma", f"the mask of {row['case']}")
        seen = see([arrays[role] for role in BRATS_ORDER], (1.0, 1.0, 1.0), view)  # BraTS resampled every case to 1 mm
        labels = seen.labels(labels)
        builder.add(
            seen.slices, labels, case=row["case"], patient=row["case"], fold=int(row["fold"]), kind="glioma", source="brats", spacing_mm=seen.spacing_mm
        )
    return builder.build()


def read_lgg(folder: Path, view: View, report: Report) -> ExampleSet:
    """All axial slices; their spacing is unknown."""
    builder = ExampleSetBuilder(as_bytes=view.kind == GRAY)
    for row in _told(read_table(folder / "folds.csv"), report, "lgg"):
        case, missing = folder / row["case"], row["repeats_flair"].split()
        channels = [None if role in missing else read_packed(case, role) for role in LGG_ORDER]
        seen = see(channels, None, view)
        labels = seen.labels((read_packed(case, "seg") > 0).astype(np.uint8))
        builder.add(seen.slices, labels, case=row["case"], patient=row["case"], fold=int(row["fold"]), kind="glioma", source="lgg")
    return builder.build()


READERS: dict[str, Reader] = {"cheng": read_cheng, "no_tumor": read_no_tumor, "brats": read_brats, "lgg": read_lgg}


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file.

    Raises:
        InputError: it is missing.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing, but this recipe trains on it; give the folder that holds it with --data")
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def _existing(path: Path) -> np.ndarray:
    if not path.is_file():
        raise InputError(f"{path} is missing, but the table of its set lists it; download the set again")
    return read_gray(path)


def _brats_array(case: Path, name: str) -> np.ndarray:
    if (case / "meta.json").is_file():
        return read_packed(case, name)
    path = case / f"{name}.nii.gz"
    return (read_label_volume(path) if name == "seg" else read_volume(path)).array


def _told(rows: list[dict[str, str]], report: Report, name: str) -> Iterator[dict[str, str]]:
    for i, row in enumerate(rows):
        report(i / len(rows), f"reading {name}, {i + 1} of {len(rows)}")
        yield row
