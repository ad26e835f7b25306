"""Which slices make the batch of a step: drawn from (seed, step) alone, so that a resumed run draws the same."""

from __future__ import annotations

import numpy as np
import torch

from BrainTumorSegLib.data import augmentation
from BrainTumorSegLib.data.slice_set import TUMOR_BIT, WHOLE_BIT, SliceSet
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training.recipe import Recipe


class BatchMaker:
    """Makes augmented batches of one training fold.

    Args:
        slices: the training slices.
        recipe: its `batch` says how many slices of each "source/kind" pool a batch has.

    Raises:
        InputError: a pool without slices.
    """

    def __init__(self, slices: SliceSet, recipe: Recipe) -> None:
        self._slices = slices
        self._recipe = recipe
        pools = np.char.add(np.char.add(slices.source.astype(str), "/"), slices.kind.astype(str))
        self._pools = {name: np.flatnonzero(pools == name) for name in recipe.batch}
        empty = [name for name, pool in self._pools.items() if not len(pool)]
        if empty:
            raise InputError(f"no training slice belongs to {', '.join(empty)}, which recipe {recipe.name} draws from; check the data folder or set batch")

    def __call__(self, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Images [n, 1, size, size], targets [n, 2, size, size] and known pixels [n, 2, size, size] of one step."""
        numbers = np.random.default_rng((self._recipe.seed, step))
        chosen = np.concatenate([numbers.choice(self._pools[name], n) for name, n in self._recipe.batch.items()])
        generator = torch.Generator().manual_seed(self._recipe.seed * 1_000_003 + step)
        bits = self._slices.targets[chosen]
        targets = torch.from_numpy(np.stack([bits & TUMOR_BIT, bits & WHOLE_BIT], 1) > 0).float()
        images = torch.from_numpy(self._slices.tissue(chosen))[:, None]
        phase = self._recipe.phase_at(step)
        drawn = augmentation.draw(self._recipe.augmentation.weaker(phase.augmentation), len(chosen), phase.size, generator, phase.field)
        images, targets = augmentation.apply(drawn, images, targets)
        return images, targets, known_pixels(self._slices.source[chosen], targets)


def known_pixels(source: np.ndarray, targets: torch.Tensor) -> torch.Tensor:
    """1 where the truth of a pixel is known, [n, 2, H, W].

    `t1ce_slices` give the whole tumor only: outside it there is no tumor proper, inside it anything. `cheng` gives the
    tumor proper only: its edema is not drawn, so the whole-tumor head learns nothing from slices with a tumor.
    """
    known = torch.ones_like(targets)
    known[:, 0][torch.from_numpy(source == "t1ce_slices")] -= targets[:, 1][torch.from_numpy(source == "t1ce_slices")]
    known[:, 1][torch.from_numpy(source == "cheng")] = 0
    return known
