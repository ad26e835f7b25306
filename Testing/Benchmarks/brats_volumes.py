"""The whole cases of `brats` as a user would load them, one fold at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from BrainTumorSegLib import api
from BrainTumorSegLib.data.public_sets import read_packed
from BrainTumorSegLib.labels import ROLES


def brats_volumes(data: Path, fold: int) -> Iterator[tuple[str, dict[str, api.Volume], api.Volume]]:
    """(name, sequences by role, labels 1 to 3, or 4 for enhancing tumor) of each case of a fold in DIR/brats."""
    with (data / "brats" / "folds.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["fold"]) == fold]
    for row in rows:
        folder = data / "brats" / row["folder"] / row["case"]
        if row["folder"] == "packed":
            meta = json.loads((folder / "meta.json").read_text())
            place = tuple(meta["spacing_xyz"]), tuple(meta["origin_xyz"]), tuple(meta["direction"])
            volumes = {role: api.Volume(read_packed(folder, role), *place, name=role) for role in ROLES}
            labels = api.Volume(read_packed(folder, "seg"), *place, name="reference")
        else:
            volumes = {role: api.read_volume(folder / f"{role}.nii.gz") for role in ROLES}
            labels = api.read_label_volume(folder / "seg.nii.gz")
        yield row["case"], volumes, labels
