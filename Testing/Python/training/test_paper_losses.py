"""The losses under one form do what the published functions do, on maps and label maps."""

from __future__ import annotations

import torch

from BrainTumorSegLib.training.losses_adaptive_tversky import deeply_supervised
from BrainTumorSegLib.training.losses_bce import binary_cross_entropy
from BrainTumorSegLib.training.losses_bce_soft_dice import bce_soft_dice
from BrainTumorSegLib.training.losses_cross_entropy import cross_entropy
from BrainTumorSegLib.training.paper_losses import LOSSES, main_logits, predicted_labels

LABELS = torch.tensor([[[0, 1], [1, 0]]], dtype=torch.uint8)
ONE = torch.tensor([[[[-1.0, 2.0], [0.5, 0.0]]]])


def test_binary_losses_take_every_label_as_tumor() -> None:
    target = LABELS[:, None].float()
    assert LOSSES["bce"](ONE, LABELS) == binary_cross_entropy(ONE, target)
    assert LOSSES["bce"](ONE, LABELS * 3) == binary_cross_entropy(ONE, target)
    assert LOSSES["bce-dice"](ONE, LABELS) == bce_soft_dice(ONE, target)


def test_losses_over_classes_take_label_values() -> None:
    logits = torch.randn(1, 4, 2, 2)
    assert LOSSES["cross-entropy"](logits, LABELS * 3) == cross_entropy(logits, LABELS.long() * 3)
    heads = [logits, logits * 0.5]
    assert LOSSES["adaptive-tversky"](heads, LABELS) == deeply_supervised(heads, LABELS.long())
    assert LOSSES["adaptive-tversky"](heads, LABELS) > LOSSES["adaptive-tversky"](logits, LABELS)


def test_predictions_come_from_the_main_head() -> None:
    assert predicted_labels(ONE).tolist() == [[[0, 1], [1, 1]]]  # probability 1/2 is tumor
    logits = torch.zeros(1, 3, 2, 2)
    logits[0, 2, 0, 1] = logits[0, 1, 1, 0] = 1
    assert predicted_labels([logits, -logits]).tolist() == [[[0, 2], [1, 0]]]
    assert main_logits([logits, -logits]) is logits
    assert predicted_labels(logits).dtype == torch.uint8


def test_every_loss_has_a_gradient() -> None:
    for name, loss in LOSSES.items():
        logits = torch.randn(1, 1 if name.startswith("bce") else 4, 2, 2, requires_grad=True)
        loss(logits, LABELS).backward()
        assert logits.grad is not None, name
        assert logits.grad.abs().sum() > 0, name
        assert logits.grad.shape == logits.shape, name
