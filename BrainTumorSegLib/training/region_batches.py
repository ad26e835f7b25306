"""Which slices of which volumes make the batch of a step, and which sequences they miss: drawn from (seed, step) alone."""

from __future__ import annotations

import numpy as np
import torch

from BrainTumorSegLib.data import augmentation
from BrainTumorSegLib.data.case_set import CONTRAST_CHANNEL, ENHANCING, CaseSet
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training.region_recipe import RegionRecipe

_Pool = list[tuple[int, np.ndarray]]
"""(index of a case, its slices)"""


class RegionBatches:
    """Makes augmented batches of one training fold.

    Args:
        cases: the training cases.
        recipe: says how many slices of each kind a batch has.

    Raises:
        InputError: nothing to draw from, or tumors to paste, which is for recipes of slices.
    """

    def __init__(self, cases: CaseSet, recipe: RegionRecipe) -> None:
        if recipe.paste:
            raise InputError(f"paste is for recipes that learn from slices, but {recipe.name} learns from volumes; leave paste out")
        self._cases, self._recipe = cases.cases, recipe
        self._channels = [case.channels() for case in self._cases]
        wanted = [*recipe.batch, f"{recipe.patch_source}/glioma"] if recipe.patch_steps > 0 else list(recipe.batch)
        self._pools: dict[tuple[str, str], _Pool] = {(name, plane): [] for name in wanted for plane in recipe.planes}
        for i, case in enumerate(self._cases):
            for plane in recipe.planes:
                for kind, slices in case.slices_by_kind(plane).items():
                    if len(slices) and (f"{case.source}/{kind}", plane) in self._pools:
                        self._pools[f"{case.source}/{kind}", plane].append((i, slices))
        axial_only = {name for name in wanted if {case.axial_only for case in self._cases if case.source == name.partition("/")[0]} == {True}}
        self._planes = {name: ["axial"] if name in axial_only else list(recipe.planes) for name in wanted}
        empty = [f"{name} ({plane})" for (name, plane), pool in self._pools.items() if not pool and plane in self._planes[name]]
        if empty:
            raise InputError(f"no training slice belongs to {', '.join(empty)}, which recipe {recipe.name} draws from; check the data folder or set batch")

    def __call__(self, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Images [n, 4, size, size], regions [n, 3, size, size] and known pixels [n, 3, size, size] of one step."""
        recipe = self._recipe
        numbers = np.random.default_rng((recipe.seed, step))
        generator = torch.Generator().manual_seed(recipe.seed * 1_000_003 + step)
        phase = recipe.phase_at(step)
        if numbers.random() < recipe.patch_steps:
            batch, canvas, size, field = {f"{recipe.patch_source}/glioma": recipe.patches}, recipe.patch_size, recipe.patch_size, 1.0
        else:
            batch, canvas, size, field = recipe.batch, recipe.canvas, phase.size, phase.field
        drawn = [self.draw(name, numbers) for name, n in batch.items() for _ in range(n)]
        images, regions, known = (torch.from_numpy(np.stack(part)) for part in zip(*(self._cases[i].cut(plane, k, canvas) for i, plane, k in drawn)))
        whole = torch.tensor([self._cases[i].whole for i, _, _ in drawn])
        config = recipe.augmentation.weaker(phase.augmentation)
        change = augmentation.draw(config, len(drawn), size, generator, field, images.shape[1])
        images, both = augmentation.apply(change, images, torch.cat([regions, known], 1))
        regions, known = both[:, :-1], both[:, -1:].repeat(1, both.shape[1] - 1, 1, 1)
        known[whole] = 1.0  # beyond the slice there is air, and no tumor
        given = draw_given(len(drawn), images.shape[1], recipe.drop_slices, recipe.drop, generator)
        given = _of_those(given, torch.from_numpy(np.stack([self._channels[i] for i, _, _ in drawn])))
        for sample, (i, _, _) in zip(known, drawn):
            sample[self._cases[i].told :] = 0.0
        known[:, ENHANCING] *= given[:, CONTRAST_CHANNEL, None, None]  # without contrast agent nothing is seen to enhance
        return images * given[:, :, None, None], regions, known

    def draw(self, name: str, numbers: np.random.Generator) -> tuple[int, str, int]:
        """(index of a case, plane, slice): every case is as likely, however many slices it has."""
        planes = self._planes[name]
        shares = np.array([self._recipe.planes[plane] for plane in planes], float)
        plane = str(numbers.choice(planes, p=shares / shares.sum()))
        pool = self._pools[name, plane]
        i, slices = pool[numbers.integers(len(pool))]
        return i, plane, int(slices[numbers.integers(len(slices))])

    def plain(self, name: str, numbers: np.random.Generator) -> np.ndarray:
        """One slice of a pool as it is, with sequences dropped, float32 [1, 4, canvas, canvas]."""
        i, plane, k = self.draw(name, numbers)
        image = self._cases[i].cut(plane, k, self._recipe.canvas)[0]
        generator = torch.Generator().manual_seed(int(numbers.integers(2**31)))
        given = draw_given(1, len(image), self._recipe.drop_slices, self._recipe.drop, generator)
        given = _of_those(given, torch.from_numpy(self._channels[i])[None])
        return image[None] * given.numpy()[:, :, None, None]


def draw_given(n: int, channels: int, share: float, probability: float, generator: torch.Generator) -> torch.Tensor:
    """Which sequences of `n` slices are given, 1 or 0, [n, channels].

    In a `share` of the slices each is dropped with `probability`; one that would miss all keeps a random one.
    """
    dropped = (torch.rand(n, channels, generator=generator) < probability) & (torch.rand(n, 1, generator=generator) < share)
    kept = torch.randint(channels, (n, 1), generator=generator)
    rescued = torch.zeros(n, channels, dtype=torch.bool).scatter_(1, kept, True) & dropped.all(1, keepdim=True)
    return (~dropped | rescued).float()


def _of_those(given: torch.Tensor, has: torch.Tensor) -> torch.Tensor:
    """`given` [n, channels] without what a slice has not got, bool [n, channels]; one that would miss all keeps all it has."""
    left = given * has
    return torch.where(left.any(1, keepdim=True), left, has.float())
