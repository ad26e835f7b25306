"""Which patients of `brats` are in `lgg` under another name: FLAIR slices of one are looked for in the other.

    python -m Testing.Benchmarks.same_patients --data DIR [--fold N]

The slice of a `brats` case (of one fold, or of all: an hour on one core) with most tumor, its brain 56 pixels high, is laid on every slice with tumor of
every `lgg` case, at five sizes and all positions; what counts is the largest normalized cross-correlation of the logarithms
inside of the brain. Prints the pairs from the most alike down. Looked at, pairs of 0.85 and more were one patient each, and
those below 0.82 were not.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from torch.nn.functional import conv2d, interpolate

from BrainTumorSegLib.data.public_sets import read_packed
from Testing.Benchmarks.brats_volumes import brats_folders, brats_volume

HEIGHT = 56
"""Of the brain in pixels."""
HEAD_OVER_BRAIN = (1.1, 1.18, 1.26, 1.34, 1.42)
"""How much higher a head is than its brain, in axial slices."""
_MARGIN = 6


def brain_slice(flair: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The axial slice [y, x] with most tumor, cut to the brain; everything else is 0."""
    shown = flair[int(np.count_nonzero(labels, axis=(1, 2)).argmax())]
    rows, columns = np.nonzero(shown)
    return shown[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def head_slices(flair: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """The slices with tumor and their neighbors, cut to the head."""
    in_plane = ndimage.generate_binary_structure(2, 1)[None]
    head = ndimage.binary_opening(flair > 0.3 * flair[flair > 0].mean(), in_plane, iterations=2).any(axis=0)
    rows, columns = np.nonzero(head)
    box = tuple(slice(max(0, where.min() - _MARGIN), where.max() + 1 + _MARGIN) for where in (rows, columns))
    shown = np.flatnonzero(ndimage.binary_dilation((labels > 0).any(axis=(1, 2))))
    return [flair[k][box] for k in shown]


def likeness(brain: np.ndarray, heads: list[np.ndarray]) -> float:
    """Largest masked normalized cross-correlation of `brain` [h, w] (0 outside of it) with any of `heads`, -1 to 1."""
    width = round(brain.shape[1] * HEIGHT / brain.shape[0])
    inside = (_resized(brain > 0, HEIGHT, width) > 0.5).float()
    template = torch.log1p(_resized(brain, HEIGHT, width)) * inside
    count = inside.sum()
    template = (template - template.sum() / count) * inside
    template = template / template.norm()
    best = -1.0
    for head in heads:
        for ratio in HEAD_OVER_BRAIN:
            height = int(HEIGHT * ratio)
            across = round(head.shape[1] * height / head.shape[0])
            if across < width:
                continue
            levels = torch.log1p(_resized(head, height, across))[None, None]
            total, squares = (conv2d(power, inside[None, None]) for power in (levels, levels**2))
            spread = (squares - total**2 / count).clamp_min(1e-6).sqrt()
            best = max(best, float((conv2d(levels, template[None, None]) / spread).max()))
    return best


def _resized(image: np.ndarray, height: int, width: int) -> torch.Tensor:
    return interpolate(torch.from_numpy(image.astype(np.float32))[None, None], size=(height, width), mode="bilinear", align_corners=False, antialias=True)[0, 0]


def _lgg(data: Path) -> Iterator[tuple[str, list[np.ndarray]]]:
    with (data / "lgg" / "folds.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            case = data / "lgg" / row["case"]
            yield f"{row['case']} (fold {row['fold']})", head_slices(read_packed(case, "flair"), read_packed(case, "seg"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fold", type=int)
    arguments = parser.parse_args()
    heads = dict(_lgg(arguments.data))
    pairs = []
    for name, (folder, fold) in brats_folders(arguments.data).items():
        if arguments.fold in (None, fold):
            brain = brain_slice(brats_volume(folder, "flair").array, brats_volume(folder, "seg").array)
            pairs += [(likeness(brain, slices), f"{name} (fold {fold})", other) for other, slices in heads.items()]
    for value, name, other in sorted(pairs, reverse=True)[:20]:
        print(f"{value:.3f}  {name}  {other}")


if __name__ == "__main__":
    main()
