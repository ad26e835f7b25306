"""What models.json says of each shipped model beside what is measured: inputs, planes, data, licenses."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from BrainTumorSegLib.labels import ROLES

_CHENG = {"name": "cheng", "what": "T1-contrast slices of 3 planes, figshare 1512427 (J. Cheng)", "license": "CC BY 4.0"}
_NO_TUMOR = {"name": "no_tumor", "what": "tumor-free head MRI slices, 'Brain Tumor MRI Dataset'/Br35H, folds 2-5", "license": "not verified"}
_BRATS = {
    "name": "brats",
    "what": "T1ce volumes of gliomas, BraTS 2018-2021",
    "license": "BraTS challenge terms (research); BraTS 2021: CC BY 4.0",
}
_LGG_TUMOR_FREE = {
    "name": "lgg_tumor_free",
    "what": "tumor-free axial slices of T1 with and without contrast agent, vertex to skull base (TCGA-LGG, masks of Buda et al. 2019)",
    "license": "CC BY-NC-SA 4.0",
}

_WHOLE_CASES = {
    "name": "brats",
    "what": "whole cases of gliomas, T1, T1ce, T2 and FLAIR, BraTS 2018-2021",
    "license": "BraTS challenge terms (research); BraTS 2021: CC BY 4.0",
}
_CUBES = {"name": "cubes", "what": "cubes about the tumors of other patients, the same sequences, BraTS 2020", "license": "BraTS challenge terms (research)"}
_LGG = {
    "name": "lgg",
    "what": "axial FLAIR stacks of lower-grade gliomas with skull (TCGA-LGG, masks of Buda et al. 2019)",
    "license": "CC BY-NC-SA 4.0",
}
_MS_HEADS = {
    "name": "ms_heads",
    "what": "FLAIR of whole heads with multiple sclerosis and no tumor (Lesjak et al. 2018)",
    "license": "CC BY",
}
_LGG_BRAIN = {
    "name": "lgg_brain",
    "what": "axial T1, T1ce and FLAIR of lower-grade gliomas with skull (TCGA-LGG, Buda et al. 2019), brains found by HD-BET (Isensee et al. 2019, Apache-2.0)",
    "license": "CC BY-NC-SA 4.0",
}

DESCRIPTIONS: dict[str, dict[str, Any]] = {
    "t1ce-tumor": {
        "title": "Tumor on contrast-enhanced T1",
        "task": "Marks glioma, meningioma and pituitary tumor (enhancing and necrotic parts, no edema) on T1 after contrast agent.",
        "inputs": ["t1ce"],
        "scheme": "tumor",
        "planes": ["axial", "coronal", "sagittal"],
        "threshold": 0.5,
        "postprocess": {"min_island_mm3": 100.0, "max_hole_mm3": 1000.0, "min_island_slices": 2},
        "license": "non-commercial research, share alike (BraTS challenge terms; CC BY-NC-SA 4.0; one training set, no_tumor, has no verified license)",
        "license_note": (
            "The weights were trained on BraTS data (research use), on data under CC BY-NC-SA 4.0 and on a tumor-free set whose license could not "
            "be verified: they are for non-commercial research and education only, not for patient care, and what is derived from them is shared alike."
        ),
        "training_data": [_CHENG, _NO_TUMOR, _BRATS, _LGG_TUMOR_FREE],
    },
    "glioma-regions": {
        "title": "Glioma regions on any of T1, T1ce, T2 and FLAIR",
        "task": (
            "Marks edema, necrotic core and enhancing tumor of gliomas; enhancing tumor only where T1ce is given. Of a whole head the brain is cut out first."
        ),
        "inputs": list(ROLES),
        "any_inputs": True,
        "outputs": "regions",
        "crop": True,
        "step_mm": 3.0,
        "scheme": "glioma",
        "planes": ["axial", "coronal", "sagittal"],
        "threshold": 0.4,  # chosen on 87 cubes of 71 unseen patients: docs/models/glioma-regions-trials.md
        "lowest_threshold": 0.2,
        "postprocess": {"min_island_mm3": 50.0, "max_hole_mm3": 500.0, "min_satellite_mm3": 1000.0, "min_lone_mm3": 2000.0, "min_innermost_mm3": 50.0},
        "license": "non-commercial research, share alike (BraTS challenge terms; CC BY-NC-SA 4.0)",
        "license_note": (
            "The weights were trained on BraTS data (research use) and on data under CC BY-NC-SA 4.0: they are for non-commercial research and "
            "education only, not for patient care, and what is derived from them is shared alike."
        ),
        "training_data": [_WHOLE_CASES, _CUBES, _LGG, _MS_HEADS],
    },
    "flair-tumor": {
        "title": "Whole tumor on FLAIR of the full head",
        "task": "Marks the whole tumor of gliomas, edema included, on axial FLAIR slices of a head with skull.",
        "inputs": ["flair"],
        "scheme": "tumor",
        "planes": ["axial"],
        "threshold": 0.5,
        "postprocess": {"min_island_mm3": 100.0, "max_hole_mm3": 1000.0, "min_island_slices": 2},
        "temperature": 1.67,
        "license": "non-commercial, share alike (CC BY-NC-SA 4.0; one training set, no_tumor, has no verified license)",
        "license_note": (
            "The weights were trained on data under CC BY-NC-SA 4.0 and on a tumor-free set whose license could not be verified: "
            "they are for non-commercial research and education only, not for patient care, and what is derived from them is shared alike."
        ),
        "training_data": [_LGG, _NO_TUMOR, _MS_HEADS],
    },
    "brain-mask": {
        "title": "Brain of a whole head",
        "task": "Finds the brain on any MRI sequence of a whole head, so that models that were trained without skull can be used on it.",
        "inputs": ["any"],
        "planes": ["axial"],
        "threshold": 0.5,
        "license": "non-commercial, share alike (CC BY-NC-SA 4.0)",
        "license_note": (
            "The weights were trained on data under CC BY-NC-SA 4.0: they are for non-commercial research and education only, not for patient care, "
            "and what is derived from them is shared alike."
        ),
        "training_data": [_LGG_BRAIN],
    },
}

_BRATS_ALONE = {
    "license": "research only (BraTS challenge terms)",
    "license_note": "The weights were trained on BraTS data (research use): use them for research and education, not for patient care and not commercially.",
}


def describe(name: str, sets: Collection[str]) -> dict[str, Any]:
    """What models.json says of the model `name` when a run of it has learned from these sets (names as in "training_data"), and the license that follows."""
    row = DESCRIPTIONS[name]
    learned = [entry for entry in row["training_data"] if entry["name"] in sets]
    brats_alone = bool(learned) and all(entry in (_WHOLE_CASES, _CUBES) for entry in learned)
    return {**row, **(_BRATS_ALONE if brats_alone else {}), "training_data": learned}
