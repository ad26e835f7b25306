"""How well `brain-mask` finds the brain, and what that is worth to `glioma-regions` in whole heads.

    python -m Testing.Benchmarks.measure_brain --data DIR [--resources FOLDER] [--fold 5] [--json F]

- `lgg`, the patients of the fold: 3-D Dice with HD-BET's masks (DIR/brain_masks, see `make_brain_masks`), by sequence, and how much of the
  reference's tumor lies inside.
- `ms_heads`: 3-D Dice with the masks of the set, by sequence; none was learned from.
- `brats`: how much of brains that have no skull any more is kept.
- `lgg`, the same patients, heads with skull through the whole pipeline: Dice of the whole tumor by `glioma-regions`, which has learned from FLAIR of
  most of them (cut roughly to the brain), by what it is given. Slices are taken as thick as HD-BET was told.
- healthy heads and `ms_heads` with skull through the whole pipeline: mL that `glioma-regions` marks, by what it is given.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from BrainTumorSegLib import api
from BrainTumorSegLib.data.brain_heads import MASKS
from BrainTumorSegLib.data.public_sets import read_packed, table_rows
from BrainTumorSegLib.inference.brain import brain_model, find_brain
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.labels import BRAIN_MASK, ROLES
from BrainTumorSegLib.metrics.overlap import dice
from BrainTumorSegLib.pictures.overlay import save_montage, single_view
from BrainTumorSegLib.preprocess.orientation import orientation_of
from BrainTumorSegLib.preprocess.planes import PLANES
from BrainTumorSegLib.resources import ENVIRONMENT_VARIABLE
from Testing.Benchmarks.brats_volumes import brats_volumes
from Testing.Benchmarks.make_brain_masks import spacing_of

_SHOWN = (
    "ms_heads/patient04/t1.nii.gz",
    "ms_heads/patient04/t2.nii.gz",
    "ms_heads/patient12/flair.nii.gz",
    "raw_head/TCGA-FG-6692_raw/t1ce.nii.gz",
    "raw_head/TCGA-FG-6692_raw/t2.nii.gz",
    "healthy/niivue_chris_t1.nii.gz",
)
_TILE = 250

Spacing = tuple[float, float, float]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="how well brain-mask finds the brain")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that holds lgg, brain_masks, ms_heads, healthy and brats")
    parser.add_argument("--resources", type=Path, metavar="FOLDER", help="resources to take all models from (default: the shipped ones)")
    parser.add_argument("--fold", type=int, default=5, help="of lgg and brats, which the network has not learned from")
    parser.add_argument("--json", type=Path, metavar="F", help="where all figures are written")
    parser.add_argument(
        "--picture", type=Path, metavar="F", help="heads that none has learned from are drawn with the outlines of their brains, and nothing is measured"
    )
    arguments = parser.parse_args()
    if arguments.resources:
        os.environ[ENVIRONMENT_VARIABLE] = str(arguments.resources)
    session = Session(brain_model())
    if arguments.picture:
        save_montage(draw(arguments.data, session), arguments.picture)
        return
    found = {
        "lgg": list(lgg(arguments.data, arguments.fold, session)),
        "ms_heads": list(ms_heads(arguments.data, session)),
        "brats": list(stripped(arguments.data, arguments.fold, session)),
        "tumor": list(tumors(arguments.data, arguments.fold)),
        "tumor_free": list(tumor_free(arguments.data)),
    }
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")
    for name, key in (("lgg", "dice"), ("lgg", "tumor_kept"), ("ms_heads", "dice"), ("brats", "kept")):
        for role in ROLES:
            values = [row[key] for row in found[name] if row["role"] == role]
            if values:
                print(f"{name}, {role}, {key}: mean {np.mean(values):.4f}, least {min(values):.4f} (n = {len(values)})")
    for given in dict.fromkeys(row["given"] for row in found["tumor"]):
        values = [row["dice"] for row in found["tumor"] if row["given"] == given]
        print(f"lgg, whole tumor by glioma-regions, {given}: mean {np.mean(values):.4f}, median {np.median(values):.4f} (n = {len(values)})")
    for row in found["tumor_free"]:
        print(f"{row['case']}, {row['given']}: {row['ml']:.2f} mL")


def brain_of(head: np.ndarray, spacing_mm: Spacing, session: Session) -> np.ndarray:
    """The brain, bool [Z, Y, X]; nothing where none is found."""
    brain = find_brain(head, spacing_mm, session, lambda fraction, message: None)
    return np.zeros(head.shape, bool) if brain is None else brain


def brain_in(volume: api.Volume, session: Session) -> np.ndarray:
    """The brain on the axes of the volume itself, bool [z, y, x]."""
    orientation = orientation_of(volume)
    return orientation.restore(brain_of(orientation.canonical(volume.array), orientation.canonical_spacing(volume), session))


def lgg(data: Path, fold: int, session: Session) -> Iterator[dict[str, Any]]:
    """Every sequence of each patient of the fold that HD-BET has masked."""
    for row in rows_of(data, fold):
        path, case = data / MASKS / f"{row['case']}.npz", data / "lgg" / row["case"]
        if not path.is_file():
            continue
        with np.load(path) as arrays:
            reference = arrays["mask"]
        tumor = read_packed(case, "seg") > 0
        for role in ("t1", "t1ce", "flair"):
            if role not in row["repeats_flair"].split():
                head = read_packed(case, role)
                brain = brain_of(head, spacing_of(head.shape), session)
                yield {
                    "case": row["case"],
                    "role": role,
                    "dice": dice(brain, reference),
                    "tumor_kept": float(brain[tumor].mean()),
                    "tumor_kept_by_hd_bet": float(reference[tumor].mean()),
                }


def tumors(data: Path, fold: int) -> Iterator[dict[str, Any]]:
    """Whole tumors that `glioma-regions` finds in whole heads: FLAIR alone, and with what else the patient has."""
    regions = api.open_model("glioma-regions")
    for row in rows_of(data, fold):
        case, missing = data / "lgg" / row["case"], row["repeats_flair"].split()
        stacks = {role: read_packed(case, role) for role in ("flair", "t1", "t1ce") if role not in missing}
        volumes = {role: api.Volume(stack, spacing_of(stack.shape)[::-1], name=role) for role, stack in stacks.items()}
        tumor = read_packed(case, "seg") > 0
        for given in dict.fromkeys((("flair",), tuple(volumes))):
            result = api.segment({role: volumes[role] for role in given}, regions)
            yield {"case": row["case"], "given": "FLAIR alone" if given == ("flair",) else "all", "dice": dice(result.labels.array > 0, tumor)}


def rows_of(data: Path, fold: int) -> list[dict[str, str]]:
    """The patients of a fold of `lgg`."""
    return [row for row in table_rows(data / "lgg" / "folds.csv") if int(row["fold"]) == fold]


def ms_heads(data: Path, session: Session) -> Iterator[dict[str, Any]]:
    """Every sequence that the set has a mask for."""
    for path in sorted((data / "ms_heads").glob("*/*_brainmask.nii.gz")):
        role = path.name.removesuffix("_brainmask.nii.gz")
        volume = api.read_volume(path.with_name(f"{role}.nii.gz"))
        reference = api.resample_labels_to(api.read_label_volume(path), volume).array > 0
        brain = brain_in(volume, session)
        yield {"case": path.parent.name, "role": role, "dice": dice(brain, reference), "kept": float(brain[reference].mean())}


def stripped(data: Path, fold: int, session: Session) -> Iterator[dict[str, Any]]:
    """Brains that have no skull any more: how much of each is kept, and of its tumor."""
    for name, volumes, labels in brats_volumes(data, fold):
        for role, volume in volumes.items():
            brain = brain_in(volume, session)
            yield {"case": name, "role": role, "kept": float(brain[volume.array > 0].mean()), "tumor_kept": float(brain[labels.array > 0].mean())}


def tumor_free(data: Path) -> Iterator[dict[str, Any]]:
    """What `glioma-regions` marks in whole heads without tumor: all of it is false."""
    regions = api.open_model("glioma-regions")
    heads = [(path.name, {"t1": path}) for path in sorted((data / "healthy").glob("*.nii.gz"))]
    for folder in sorted(path for path in (data / "ms_heads").iterdir() if path.is_dir()):
        heads.append((folder.name, {role: folder / f"{role}.nii.gz" for role in ("flair", "t1", "t2") if (folder / f"{role}.nii.gz").is_file()}))
    for name, paths in heads:
        volumes = {role: api.read_volume(path) for role, path in paths.items()}
        for given in dict.fromkeys((tuple(volumes), *((role,) for role in volumes))):
            result = api.segment({role: volumes[role] for role in given}, regions)
            yield {"case": name, "given": "+".join(given), "ml": sum((result.volumes_ml or {}).values()), "warnings": list(result.warnings)}


def draw(data: Path, session: Session) -> Image.Image:
    """One column a head: axial, coronal and sagittal slices where most of the brain is."""
    page = Image.new("RGB", (_TILE * len(_SHOWN), _TILE * len(PLANES)))
    for column, file in enumerate(_SHOWN):
        volume = api.read_volume(data / file)
        mask = volume.like(np.ascontiguousarray(brain_in(volume, session).astype(np.uint8)))
        for row, plane in enumerate(PLANES):
            page.paste(single_view(volume, mask, [BRAIN_MASK], plane=plane, size=(_TILE, _TILE)), (_TILE * column, _TILE * row))
    return page


if __name__ == "__main__":
    main()
