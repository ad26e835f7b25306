"""Builders for tests of the published systems: small example sets, recipes, and folders of cases of one's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib.data.example_set import ExampleSet, ExampleSetBuilder
from BrainTumorSegLib.preprocess.views import View
from BrainTumorSegLib.training.paper_recipe import PaperRecipe
from BrainTumorSegLib.training.recipes import PAPERS

SIZE = 32


def example_set(cases: int = 8, slices: int = 2, channels: int = 1, classes: int = 2, folds: int = 4, size: int = SIZE, tumor_free: int = 0) -> ExampleSet:
    """Cases of noise with a bright square: channel c is bright where the label is c + 1 or 1; then tumor-free cases.

    Of the values 1 to classes - 1, each is a strip of the square. Case i is in fold i % folds + 1; kinds alternate between
    glioma and meningioma. Spacing is 2 x 1 x 1 mm.
    """
    numbers = np.random.default_rng(0)
    builder = ExampleSetBuilder(as_bytes=classes == 2)
    for i in range(cases + tumor_free):
        images = numbers.uniform(0.1, 0.3, (slices, channels, size, size)).astype(np.float32)
        labels = np.zeros((slices, size, size), np.uint8)
        if i < cases:
            top, left = numbers.integers(2, size // 2, 2)
            for value in range(1, classes):
                labels[:, top : top + 9, left + 3 * value : left + 3 * value + 3] = value
            images[:, :] += 0.6 * (labels > 0)[:, None]
        kind = ("glioma", "meningioma")[i % 2] if i < cases else "none"
        source = "phantom" if i < cases else "free"
        place: dict[str, Any] = {"case": f"case {i}", "patient": f"patient {i}", "fold": i % folds + 1}
        builder.add(images, labels, **place, kind=kind, source=source, spacing_mm=(2.0, 1.0, 1.0))
    return builder.build()


def tiny_paper_recipe(name: str = "paper-a", **changes: Any) -> PaperRecipe:
    """The paper's recipe on 32 x 32 slices, an eighth of the width, two epochs of two batches of four."""
    recipe = PAPERS[name].recipe
    width = replace(recipe.network, width=0.125)
    small = {"network": width, "view": View(recipe.view.kind, SIZE), "batch": 4, "epochs": 2, "slices_per_epoch": 8, "mixed_precision": False}
    return replace(recipe, **{**small, **changes})


def tiny_paper_examples(name: str) -> ExampleSet:
    """What `tiny_paper_recipe(name)` trains on: four cases in two folds."""
    if name == "paper-c":
        return example_set(4, slices=2, channels=4, classes=4, folds=2)
    return example_set(4, slices=1, channels=3 if name == "paper-d" else 1, folds=2, tumor_free=2)


def write_case(folder: Path, images: dict[str, np.ndarray], mask: np.ndarray | None, spacing_xyz: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> None:
    """A case of one's own: a NIfTI file for each role, and seg.nii.gz; arrays are [z, y, x]."""
    import SimpleITK as sitk

    folder.mkdir(parents=True, exist_ok=True)
    files = {**images, **({} if mask is None else {"seg": mask})}
    for name, array in files.items():
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(spacing_xyz)
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))


def phantom(shape: tuple[int, int, int] = (6, 20, 24), tumor: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """(image, mask): tissue of 100 in air, a bright box of 300 in its middle slices, labeled `tumor`."""
    image, mask = np.zeros(shape, np.int16), np.zeros(shape, np.uint8)
    image[:, 2:-2, 2:-2] = 100 + np.arange(shape[0])[:, None, None]
    box = (slice(2, 4), slice(6, 10), slice(8, 16))
    image[box], mask[box] = 300, tumor
    return image, mask
