"""System C's loss, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from BrainTumorSegLib.training.losses_adaptive_tversky import adaptive_tversky, deeply_supervised, error_balance


def sure(*labels: int, classes: int = 4) -> torch.Tensor:
    """Logits of one slice of 2 x 2 pixels that say these classes."""
    return 60.0 * torch.nn.functional.one_hot(torch.tensor(labels), classes).T.reshape(1, classes, 2, 2).float()


def truth(*labels: int) -> torch.Tensor:
    return torch.tensor(labels).view(1, 2, 2)


def numpy_tversky(logits: np.ndarray, labels: np.ndarray, alpha: np.ndarray | None = None) -> tuple[float, np.ndarray]:
    """Equation 13 and its alpha, class by class; a given alpha is used instead."""
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    ratios, alphas = [], []
    for c in range(logits.shape[1]):
        g = labels == c
        tp, fp, fn = p[:, c][g].sum(), p[:, c][~g].sum(), (1 - p[:, c][g]).sum()
        a = min(max(fp / (fp + fn), 0.2), 0.8) if alpha is None else alpha[c]
        ratios.append(tp / (tp + a * fp + (1 - a) * fn + 1e-5))
        alphas.append(a)
    return 1 - float(np.mean(ratios)), np.array(alphas)


def random_case() -> tuple[np.ndarray, np.ndarray]:
    numbers = np.random.default_rng(0)
    return numbers.normal(size=(2, 4, 3, 5)), numbers.choice(4, (2, 3, 5), p=[0.7, 0.1, 0.1, 0.1])


def test_the_balance_is_the_share_of_false_positives_between_a_fifth_and_four_fifths() -> None:
    # 3 of 4, all, none, 1 of 10, and no error at all
    given = error_balance(torch.tensor([3.0, 5, 0, 1, 0]), torch.tensor([1.0, 0, 7, 9, 0]))
    assert given.tolist() == pytest.approx([0.75, 0.8, 0.2, 0.2, 0.5])


def test_the_tversky_term_is_equation_13_in_numpy() -> None:
    logits, labels = random_case()
    expected, alpha = numpy_tversky(logits, labels)
    assert len(set(alpha.round(3))) > 2  # the case has several balances
    assert float(adaptive_tversky(torch.from_numpy(logits), torch.from_numpy(labels))) == pytest.approx(expected, rel=1e-9)


def test_a_sure_prediction_is_worked_out_by_hand() -> None:
    # truth 0 1 2 3, said 0 1 2 2: class 2 has TP 1, FP 1 -> alpha 0.8, ratio 1 / 1.8; class 3 TP 0; classes 0 and 1 are right
    assert float(adaptive_tversky(sure(0, 1, 2, 2), truth(0, 1, 2, 3))) == pytest.approx(1 - (1 + 1 + 1 / 1.8 + 0) / 4, abs=1e-4)
    # truth 0 1 1 3, said 0 1 0 3: class 0 has FP 1, class 1 FN 1 -> beta 0.8; class 2 is absent and adds its quarter
    assert float(adaptive_tversky(sure(0, 1, 0, 3), truth(0, 1, 1, 3))) == pytest.approx(1 - (1 / 1.8 + 1 / 1.8 + 0 + 1) / 4, abs=1e-4)
    assert float(adaptive_tversky(sure(0, 1, 2, 3), truth(0, 1, 2, 3))) == pytest.approx(0, abs=1e-4)


def test_counts_are_of_the_whole_batch() -> None:
    logits, labels = (torch.from_numpy(array) for array in random_case())
    apart = [float(adaptive_tversky(logits[i : i + 1], labels[i : i + 1])) for i in range(2)]
    assert float(adaptive_tversky(logits, labels)) != pytest.approx(sum(apart) / 2, abs=1e-4)


def test_the_balance_carries_no_gradient() -> None:
    logits, labels = random_case()
    given = torch.from_numpy(logits).requires_grad_()
    adaptive_tversky(given, torch.from_numpy(labels)).backward()
    _, alpha = numpy_tversky(logits, labels)
    assert given.grad is not None
    for place in ((0, 0, 0, 0), (1, 2, 1, 3), (0, 3, 2, 4)):
        fixed, moving = [], []
        for step in (1e-5, -1e-5):
            moved = logits.copy()
            moved[place] += step
            fixed.append(numpy_tversky(moved, labels, alpha)[0])
            moving.append(numpy_tversky(moved, labels)[0])
        assert float(given.grad[place]) == pytest.approx((fixed[0] - fixed[1]) / 2e-5, rel=1e-4)
        assert float(given.grad[place]) != pytest.approx((moving[0] - moving[1]) / 2e-5, rel=1e-3)


def test_an_absent_class_adds_its_share_and_stays_finite() -> None:
    logits = sure(0, 0, 0, 0).requires_grad_()
    loss = adaptive_tversky(logits, truth(0, 0, 0, 0))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(3 / 4, abs=1e-4)
    assert torch.isfinite(logits.grad).all()


def test_the_cross_entropy_is_weighted_by_class() -> None:
    # undecided: every pixel costs ln 4, whatever its weight; p = 1/4 everywhere gives the Tversky term of each class
    labels = truth(0, 0, 0, 1)
    undecided = torch.zeros(1, 4, 2, 2)
    assert float(deeply_supervised(undecided, labels) - adaptive_tversky(undecided, labels)) == pytest.approx(math.log(4), rel=1e-6)
    # sure of background: the tumor pixel (weight 1) costs 60, three background pixels (weight 0.1) nothing: 60 / 1.3
    logits = sure(0, 0, 0, 0)
    assert float(deeply_supervised(logits, labels) - adaptive_tversky(logits, labels)) == pytest.approx(60 / 1.3, rel=1e-5)


def test_heads_are_weighed_1_04_03_and_02() -> None:
    logits, labels = random_case()
    maps = [torch.from_numpy(logits + i) * (i + 1) for i in range(4)]
    target = torch.from_numpy(labels)
    alone = [float(deeply_supervised(head, target)) for head in maps]
    expected = 1.0 * alone[0] + 0.4 * alone[1] + 0.3 * alone[2] + 0.2 * alone[3]
    assert float(deeply_supervised(maps, target)) == pytest.approx(expected)
    assert float(deeply_supervised(tuple(maps), target, head_weights=(1, 0, 0, 0))) == pytest.approx(alone[0])
    changed = deeply_supervised(maps[0], target, class_weights=(1, 1, 1, 1))
    assert float(changed) != pytest.approx(alone[0])
