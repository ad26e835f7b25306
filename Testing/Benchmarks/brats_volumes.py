"""The whole cases of `brats` as a user would load them, one fold at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from BrainTumorSegLib import api
from BrainTumorSegLib.data.public_sets import read_packed
from BrainTumorSegLib.labels import ROLES


def brats_folders(data: Path) -> dict[str, tuple[Path, int]]:
    """Name -> (folder, fold) of every whole case in DIR/brats."""
    with (data / "brats" / "folds.csv").open(newline="") as file:
        return {row["case"]: (data / "brats" / row["folder"] / row["case"], int(row["fold"])) for row in csv.DictReader(file)}


def brats_volume(folder: Path, role: str) -> api.Volume:
    """One sequence of a case, or "seg": labels 1 to 3, or 4 for enhancing tumor."""
    if not (folder / "meta.json").is_file():
        return (api.read_label_volume if role == "seg" else api.read_volume)(folder / f"{role}.nii.gz")
    meta = json.loads((folder / "meta.json").read_text())
    return api.Volume(read_packed(folder, role), tuple(meta["spacing_xyz"]), tuple(meta["origin_xyz"]), tuple(meta["direction"]), name=role)


def brats_volumes(data: Path, fold: int) -> Iterator[tuple[str, dict[str, api.Volume], api.Volume]]:
    """(name, sequences by role, labels as of `brats_volume`) of each case of a fold."""
    for name, (folder, its_fold) in brats_folders(data).items():
        if its_fold == fold:
            yield name, {role: brats_volume(folder, role) for role in ROLES}, brats_volume(folder, "seg")
