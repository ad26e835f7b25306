"""Quantization-aware fine-tuning: a trained network goes on learning with the roundings of its int8 file.

Jacob et al. 2018 (doi:10.1109/CVPR.2018.00286); normalizations are folded with the statistics of evaluation before, as
the file has them. Ranges start as calibrated and are learned (Esser et al. 2020, arXiv:1902.08153), for it is their width
that costs: the encoder's first stages have a few values far outside of all others, and a range that stays as wide leaves
the same coarse steps to whatever weights are learned.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from BrainTumorSegLib.export.graph_network import GraphNetwork
from BrainTumorSegLib.training.hardware import Hardware
from BrainTumorSegLib.training.loop import Trainer
from BrainTumorSegLib.training.recipe import Recipe
from BrainTumorSegLib.training.region_recipe import RegionRecipe
from BrainTumorSegLib.training.region_trainer import RegionTrainer

Report = Callable[[float, str], None]
Tune = Callable[[GraphNetwork, Report], object]
RATE = 5e-5
"""Peak of the learning rate, of weights as shares of their channel's largest: in 300 steps one can move by about one step of int8."""
_RANGE_SHARE = 20.0  # of the rate, for the logarithm of a scale: in as many steps a range can narrow by a seventh
_WARM_UP = 0.1  # of the steps: Adam's first ones move every weight as far as it can, wherever to
_EXACT = Hardware(torch.device("cpu"), bf16=False)  # bfloat16 has as few bits as what is simulated


class _SliceTuner(Trainer):
    """Learns with a graph instead of the recipe's network; writes nothing."""

    def __init__(self, graph: GraphNetwork, recipe: Recipe, training: Any) -> None:
        self._graph = graph
        super().__init__(recipe, training, None, Path(), _EXACT)

    def make_network(self) -> tuple[Any, str]:
        return self._graph, "a trained network"

    def make_optimizer(self) -> torch.optim.Optimizer:
        """As in training: biases and ranges are not decayed."""
        weights, biases = ([p for p in self._graph.weights if (p.ndim > 1) == many] for many in (True, False))
        groups: list[dict[str, Any]] = [
            {"params": weights, "weight_decay": self.recipe.weight_decay, "share": 1.0},
            {"params": biases, "weight_decay": 0.0, "share": 1.0},
            {"params": list(self._graph.log_scales), "weight_decay": 0.0, "share": _RANGE_SHARE},
        ]
        return torch.optim.AdamW(groups, lr=self.recipe.learning_rate)

    def freeze(self) -> None:
        """Everything learns: what was frozen for its statistics has none any more."""


class _RegionTuner(_SliceTuner, RegionTrainer):
    """The same with the batches and the loss of nested regions."""


def fine_tune(network: GraphNetwork, recipe: Recipe, training: Any, steps: int, report: Report, rate: float = RATE) -> list[float]:
    """Fine-tune `network` in place; it ends with the averaged weights and ranges, the same for the same seed and threads.

    Args:
        network: a graph with its roundings.
        recipe: that of the run, whose batches, loss and average these are; size and augmentation are those of its last phase.
        training: the run's training data, a `SliceSet` or, for a `RegionRecipe`, a `CaseSet`.
        steps: of optimization, at least 1.
        report: fraction done and what is done.
        rate: peak of the learning rate, from which a cosine goes down to a hundredth.

    Returns:
        The loss of every step.
    """
    tuner = (_RegionTuner if isinstance(recipe, RegionRecipe) else _SliceTuner)(network, tuning_recipe(recipe, steps, rate), training)
    losses = []
    while tuner.step < steps:
        report(tuner.step / steps, f"fine-tuning, step {tuner.step + 1} of {steps}")
        losses.append(tuner.train_step())
    network.load_state_dict(tuner.average)
    network.eval()
    return losses


def tune_of(recipe: Recipe, training: Any, steps: int, rate: float = RATE) -> Tune | None:
    """`fine_tune` with everything but the network and the report settled; None for 0 steps."""
    return (lambda network, report: fine_tune(network, recipe, training, steps, report, rate)) if steps else None


def tuning_recipe(recipe: Recipe, steps: int, rate: float) -> Recipe:
    """What is fine-tuned by: `recipe` as it ended, with a learning rate that warms up and goes down a cosine once."""
    phase = replace(recipe.phases[-1], steps=steps, peak=1.0, frozen_stages=0)
    # another seed: step 0 of the same one would draw the slices that training began with
    return replace(recipe, phases=(phase,), learning_rate=rate, warm_up=round(_WARM_UP * steps), seed=recipe.seed + 1)
