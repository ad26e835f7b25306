"""The training loop of `training.loop` for nested regions from any subset of sequences, scored on whole volumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch

from BrainTumorSegLib.data.case_set import CaseSet
from BrainTumorSegLib.training.hardware import maps_predictor
from BrainTumorSegLib.training.loop import Trainer
from BrainTumorSegLib.training.losses import bce_dice
from BrainTumorSegLib.training.region_batches import RegionBatches
from BrainTumorSegLib.training.region_recipe import RegionRecipe
from BrainTumorSegLib.training.region_scores import QUICK_PLANES, score_cases, subset_name, subsets, summary


class RegionTrainer(Trainer):
    """Files as of `Trainer`; the last validation scores all subsets of sequences, case by case ("subsets" in scores.json)."""

    def make_batches(self, training: CaseSet) -> Callable[[int], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        return RegionBatches(training, cast(RegionRecipe, self.recipe))

    def loss(self, logits: torch.Tensor, targets: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Every region counts alike."""
        return bce_dice(logits, targets, known)

    def score(self, network: torch.nn.Module) -> dict[str, Any]:
        """Dice over the validation cases; see `region_scores.summary`, with "cases" and, at the end, "subsets"."""
        predict = maps_predictor(network, self.hardware)
        is_last = self.step >= self.recipe.steps
        planes = tuple(cast(RegionRecipe, self.recipe).planes) if is_last else QUICK_PLANES
        by_case = score_cases(predict, self.validation, planes)
        scores = {**summary(by_case), "planes": list(planes), "cases": by_case}
        if is_last:
            scores["subsets"] = {subset_name(given): score_cases(predict, self.validation, QUICK_PLANES, given) for given in subsets()}
        return scores
