"""Phantoms of gliomas in four sequences: nested boxes in a brain that is a box, each sequence showing another part."""

from __future__ import annotations

from typing import Any

import numpy as np

from BrainTumorSegLib.data.case_set import Case, CaseSet, stored
from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig
from BrainTumorSegLib.training.recipe import Phase
from BrainTumorSegLib.training.region_recipe import RegionRecipe

SHAPE = (40, 48, 44)


def labels(shape: tuple[int, int, int] = SHAPE, enhancing: bool = True) -> np.ndarray:
    """Edema of 20 voxels a side from (8, 10, 12), in it a core of 12, in that 8 that enhance (or not)."""
    array = np.zeros(shape, np.uint8)
    array[8:28, 10:30, 12:32] = 2
    array[12:24, 14:26, 16:28] = 1
    if enhancing:
        array[14:22, 16:24, 18:26] = 3
    return array


def tissue(of: np.ndarray) -> np.ndarray:
    """Brain 1 with 4 voxels of air about it; all tumor is 2 in FLAIR, the core 2 in T2 and 0.5 in T1, what enhances 3 in T1ce."""
    brain = np.zeros(of.shape, np.float32)
    brain[4:-4, 4:-4, 4:-4] = 1
    t1, t1ce, t2, flair = (brain.copy() for _ in range(4))
    t1[np.isin(of, (1, 3))] = 0.5
    t1ce[of == 3] = 3
    t2[np.isin(of, (1, 3))] = 2
    flair[of > 0] = 2
    return np.stack([t1, t1ce, t2, flair])


def case(name: str, fold: int, enhancing: bool = True) -> Case:
    """A whole phantom at 240/224 mm, the network's own pixel size, so that no voxel is interpolated."""
    truth = labels(enhancing=enhancing)
    return Case(name, "brats", fold, stored(tissue(truth)), truth, (240 / 224,) * 3, True)


def cube(name: str, fold: int) -> Case:
    """The middle of a phantom: nothing is known around it."""
    truth = labels()[4:36, 6:38, 6:38]
    return Case(name, "cubes", fold, stored(tissue(labels())[:, 4:36, 6:38, 6:38]), truth, (240 / 224,) * 3, False)


def case_set() -> CaseSet:
    """Two whole cases a fold, one of them without enhancement, and a cube of another patient."""
    return CaseSet(
        part for fold in range(1, 6) for part in (case(f"with{fold}", fold), case(f"without{fold}", fold, enhancing=False), cube(f"cube{fold}", fold))
    )


def region_recipe(**changes: Any) -> RegionRecipe:
    """A recipe of a few steps on small slices."""
    settings: dict[str, Any] = {
        "name": "glioma-regions",
        "sets": ("brats", "brats/cubes"),
        "network": AttentionUNetConfig(in_channels=4, out_channels=3, decoder_channels=(8, 8, 8, 8)),
        "phases": (Phase(2, 64, peak=1.0),),
        "batch": {"brats/glioma": 3, "brats/none": 1},
        "canvas": 64,
        "patches": 4,
        "patch_size": 32,
        "warm_up": 1,
        "validate_every": 1,
    }
    return RegionRecipe(**{**settings, **changes})
