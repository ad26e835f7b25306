"""Reader of what `brain-mask` learns from: slices of whole heads, and where the brain is in them.

- lgg_brain: axial T1, T1ce and FLAIR of TCGA-LGG (Buda et al. 2019, CC BY-NC-SA 4.0), folds 1-5 by patient. The set has no masks of
  brains: those of HD-BET (Isensee et al. 2019, doi:10.1002/hbm.24750) lie beside it, in the folder `brain_masks`, where
  `python -m Testing.Benchmarks.make_brain_masks` puts them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from BrainTumorSegLib.data.public_sets import LEAST_TISSUE, read_packed, table_rows
from BrainTumorSegLib.data.slice_set import TUMOR_BIT, WHOLE_BIT, SliceSet, SliceSetBuilder
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.preprocess.frame import frame_for_picture
from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from BrainTumorSegLib.preprocess.tissue_box import AIR

MASKS = "brain_masks"
"""Folder beside `lgg`: CASE.npz with "mask", bool [z, y, x], as many slices as the case has."""
_FEW_SLICES = 40  # of a stack with more every second is taken: neighbors look alike
_INVERSION = 2.2
"""Tissue units that T1 is taken from to look like T2: white matter (1.2) comes out darker than gray matter (0.9), and fluid bright."""
_GRAY_OF_TISSUE = 100.0
_FAINT = (0.0, 0.3)
"""Shares of their brightness that scalp and skull keep."""


def read_lgg_brain(folder: Path) -> SliceSet:
    """All sequences of each patient that has a mask (kind "brain"), T1 a second time as if it were T2, of which the set has none ("inverted").

    A third time ("faint") scalp and skull are darker, as where fat is suppressed, or black, as where somebody has removed them already.

    Raises:
        InputError: no patient has a mask.
    """
    builder = SliceSetBuilder()
    masks = {path.stem: path for path in (folder.parent / MASKS).glob("*.npz")}
    if not masks:
        raise InputError(f"{folder.parent / MASKS} holds no CASE.npz, but this recipe trains on it; run python -m Testing.Benchmarks.make_brain_masks")
    for i, row in enumerate(row for row in table_rows(folder / "folds.csv") if row["case"] in masks):
        with np.load(masks[row["case"]]) as arrays:
            brain = arrays["mask"]
        for j, role in enumerate(("t1", "t1ce", "flair")):
            if role not in row["repeats_flair"].split():
                stack = read_packed(folder / row["case"], role)
                _add(builder, stack, brain, row, "brain")
                if role == "t1":
                    stack = like_t2(stack)
                    _add(builder, stack, brain, row, "inverted")
                _add(builder, np.where(brain, stack, stack * _FAINT[(i + j) % len(_FAINT)]), brain, row, "faint")
    return builder.build()


def like_t2(t1: np.ndarray) -> np.ndarray:
    """T1 [z, y, x], gray levels from 0 to 255, as if it were T2: white matter darker than gray matter, fluid bright; air and bone stay dark."""
    scale = fit_tissue_scale(t1)
    tissue = scale.apply(t1)
    inverted = np.where(tissue > AIR, np.maximum(_INVERSION - tissue, AIR), tissue)
    return np.clip(inverted * _GRAY_OF_TISSUE, 0, 255)


def _add(builder: SliceSetBuilder, stack: np.ndarray, brain: np.ndarray, row: dict[str, str], kind: str) -> None:
    """The slices of a stack [z, y, x] that show a head; without brain their kind is "none"."""
    scale, frame = fit_tissue_scale(stack), frame_for_picture((stack.shape[1], stack.shape[2]))
    step = 1 if len(stack) <= _FEW_SLICES else 2
    for image, mask in zip(frame.to_canvas(stack[::step]), frame.to_canvas(brain[::step]) >= 0.5):
        if (image > 0).mean() >= LEAST_TISSUE:
            bits = mask * np.uint8(TUMOR_BIT | WHOLE_BIT)
            builder.add(image, bits, scale, source="lgg_brain", kind=kind if mask.any() else "none", fold=int(row["fold"]), case=row["case"])
