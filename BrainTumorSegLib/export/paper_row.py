"""What models.json says of an exported published system."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib.networks.table import NETWORKS
from BrainTumorSegLib.training.paper_recipe import PaperRecipe
from BrainTumorSegLib.training.recipes import PAPERS

_ALL = ["axial", "coronal", "sagittal"]
_PLANES = {"paper-a": _ALL, "paper-b": _ALL, "paper-c": ["axial"], "paper-d": ["axial"]}
_FINDS = {"tumor": "a brain tumor", "glioma": "necrotic core, edema and enhancing tumor of a glioma"}
_WITHOUT_SKULL = {"brats"}
"""Sets whose images show the brain alone."""


def paper_row(name: str, path: Path, precision: str, recipe: PaperRecipe, scores: dict[str, Any], run: Path) -> dict[str, Any]:
    """One row of models.json for the file `path` of a finished `run`."""
    about = json.loads((run / "scores.json").read_text())
    row = NETWORKS[PAPERS[recipe.name].networks[recipe.variant]]
    return {
        "name": name,
        "title": f"{row.row} (system {row.system}, as published)",
        "task": f"Marks {_FINDS[recipe.scheme]}, as the published system that it re-trains.",
        "inputs": list(recipe.inputs),
        "scheme": recipe.scheme,
        "outputs": "tumor" if recipe.scheme == "tumor" else "classes",
        "planes": _PLANES[recipe.name],
        "threshold": 0.5,
        "postprocess": {"min_island_mm3": 0.0, "max_hole_mm3": 0.0},
        "license": "research only, on the terms of the training data",
        "license_note": "A re-trained published network for comparison: for research, not for patient care.",
        "training_data": [{"name": source, "what": "see the recipe", "license": "see the data's own terms"} for source in about["sources"]],
        "network": f"{row.row}, width {recipe.network.width:g}, started from {about['started_from']}",
        "view": {"kind": recipe.view.kind, "size": recipe.view.size, "clahe": recipe.view.clahe},
        "crop": set(about["sources"]) <= _WITHOUT_SKULL,
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "precision": precision,
        "scores": scores,
    }


def dice_of(recipe: str, scores: dict[str, Any]) -> dict[str, Any]:
    """ "average" and "dice", which every row of models.json has, of what `paper_scores` counted; of classes also "dice_by_kind" and "dice_by_region".

    A class or region that no scored case has is left out here; how many cases have it stands beside its own scores.
    """
    if recipe == "paper-c":
        by_class, by_region = ({key: row["dice"] for key, row in scores[part].items() if row["n"]} for part in ("classes", "regions"))
        dice = round(float(np.mean(list(by_class.values()))), 4)
        return {"average": scores["averaged"], "dice": dice, "dice_by_kind": by_class, "dice_by_region": by_region}
    if "dice" in scores:  # the paper's own
        return {"average": scores["averaged"], "dice": scores["dice"]}
    return {"average": "mean over tumor slices", "dice": scores["per_slice" if recipe == "paper-b" else "tumor_slices"]["dice"]}
