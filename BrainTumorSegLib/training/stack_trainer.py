"""The training loop of `training.loop` for slices of whole stacks, scored by patient."""

from __future__ import annotations

from typing import Any

import torch

from BrainTumorSegLib.training.hardware import network_predictor
from BrainTumorSegLib.training.loop import Trainer
from BrainTumorSegLib.training.validation import predict_slices, score_stacks


class StackTrainer(Trainer):
    """Files as of `Trainer`; scores.json has the Dice of every patient ("cases")."""

    def score(self, network: torch.nn.Module) -> dict[str, Any]:
        """Dice over all slices of each validation patient; see `validation.score_stacks`."""
        return score_stacks(predict_slices(network_predictor(network, self.hardware), self.validation), self.validation)
