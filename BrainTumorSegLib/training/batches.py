"""Which slices make the batch of a step: drawn from (seed, step) alone, so that a resumed run draws the same."""

from __future__ import annotations

import numpy as np
import torch

from BrainTumorSegLib.data import augmentation
from BrainTumorSegLib.data.slice_set import TUMOR_BIT, WHOLE_BIT, SliceSet
from BrainTumorSegLib.data.tumor_paste import find_place, paste_tumor
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training.recipe import Recipe

_PASTING = 7  # its random numbers are its own, so that a recipe without it draws what it always drew
_TRIES = 5  # a draw that does not fit is drawn again


class BatchMaker:
    """Makes augmented batches of one training fold.

    Args:
        slices: the training slices.
        recipe: its `batch` says how many slices of each "source/kind" pool a batch has, its `paste` how often they receive a tumor.

    Raises:
        InputError: a pool without slices, or a tumor for slices of no pool.
    """

    def __init__(self, slices: SliceSet, recipe: Recipe) -> None:
        self._slices = slices
        self._recipe = recipe
        pools = np.char.add(np.char.add(slices.source.astype(str), "/"), slices.kind.astype(str))
        self._pools = {name: np.flatnonzero(pools == name) for name in recipe.batch}
        empty = [name for name, pool in self._pools.items() if not len(pool)]
        if empty:
            raise InputError(f"no training slice belongs to {', '.join(empty)}, which recipe {recipe.name} draws from; check the data folder or set batch")
        strange = [name for name in recipe.paste if name not in recipe.batch]
        if strange:
            raise InputError(f"paste names {', '.join(strange)}, but the batch is drawn from {', '.join(recipe.batch)}; correct paste or batch")
        self._donors = np.concatenate([np.empty(0, int), *(pool for name, pool in self._pools.items() if not name.endswith("/none"))])
        if recipe.paste and not len(self._donors):
            raise InputError("paste needs slices with a tumor to take it from, but batch draws none; add such a pool to batch, or leave paste out")

    def __call__(self, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Images [n, 1, size, size], targets [n, 2, size, size] and known pixels [n, 2, size, size] of one step."""
        numbers = np.random.default_rng((self._recipe.seed, step))
        chosen = np.concatenate([numbers.choice(self._pools[name], n) for name, n in self._recipe.batch.items()])
        generator = torch.Generator().manual_seed(self._recipe.seed * 1_000_003 + step)
        tissue, masks = self._slices.tissue(chosen), self._masks(chosen)
        if self._recipe.paste:
            self._paste(tissue, masks, np.random.default_rng((self._recipe.seed, step, _PASTING)))
        images, targets = torch.from_numpy(tissue)[:, None], torch.from_numpy(masks).float()
        phase = self._recipe.phase_at(step)
        drawn = augmentation.draw(self._recipe.augmentation.weaker(phase.augmentation), len(chosen), phase.size, generator, phase.field)
        images, targets = augmentation.apply(drawn, images, targets)
        return images, targets, known_pixels(self._slices.source[chosen], targets)

    def _masks(self, chosen: np.ndarray) -> np.ndarray:
        """Tumor and whole tumor of slices, bool [n, 2, H, W]."""
        bits = self._slices.targets[chosen]
        return np.stack([bits & TUMOR_BIT, bits & WHOLE_BIT], 1) > 0

    def _paste(self, tissue: np.ndarray, masks: np.ndarray, numbers: np.random.Generator) -> None:
        """Put tumors of other slices into some of the batch, in place; where none of a few draws finds room, the slice stays as it is."""
        rates = [self._recipe.paste.get(name, 0.0) for name, n in self._recipe.batch.items() for _ in range(n)]
        for i, rate in enumerate(rates):
            if numbers.random() >= rate:
                continue
            place = find_place(tissue[i])
            for _ in range(_TRIES):
                donor = numbers.choice(self._donors, 1)
                pasted = paste_tumor(tissue[i], place, self._slices.tissue(donor)[0], self._masks(donor)[0, 0], numbers)
                if pasted is not None:
                    tissue[i], carved, tumor = pasted
                    masks[i] = masks[i] & ~carved | tumor
                    break


def known_pixels(source: np.ndarray, targets: torch.Tensor) -> torch.Tensor:
    """1 where the truth of a pixel is known, [n, 2, H, W].

    `t1ce_slices` give the whole tumor only: outside it there is no tumor proper, inside it anything. `cheng` gives the
    tumor proper only: its edema is not drawn, so the whole-tumor head learns nothing from slices with a tumor.
    """
    known = torch.ones_like(targets)
    known[:, 0][torch.from_numpy(source == "t1ce_slices")] -= targets[:, 1][torch.from_numpy(source == "t1ce_slices")]
    known[:, 1][torch.from_numpy(source == "cheng")] = 0
    return known
