"""Which slices of each plane are run, and what they give to those between them."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.inference.sparse_planes import every_nth, interpolate, steps

ALL = ("axial", "coronal", "sagittal")


@pytest.mark.parametrize(
    ("planes", "spacing_mm", "step_mm", "expected"),
    [
        (ALL, (1.0, 1.0, 1.0), 3.0, (3, 3, 3)),
        (ALL, (0.7, 0.9, 1.6), 3.0, (4, 3, 1)),  # 2.8, 2.7 and 1.6 mm: never more than 3
        (ALL, (1.0, 1.0, 1.0), 0.0, (1, 1, 1)),
        (ALL, (5.0, 5.0, 5.0), 3.0, (1, 1, 1)),
        (("sagittal", "axial", "coronal"), (1.0, 1.0, 1.0), 2.0, (2, 2, 2)),
        (("axial", "coronal"), (1.0, 1.0, 1.0), 3.0, (1, 1)),  # nothing else would fill the gaps
        (("axial",), (1.0, 1.0, 1.0), 3.0, (1,)),
    ],
)
def test_a_step_is_as_long_as_it_may_be_and_one_without_all_planes(
    planes: tuple[str, ...], spacing_mm: tuple[float, float, float], step_mm: float, expected: tuple[int, ...]
) -> None:
    assert steps(planes, spacing_mm, step_mm) == dict(zip(planes, expected))


@pytest.mark.parametrize(
    ("n", "step", "run"),
    [(7, 3, [0, 3, 6]), (8, 3, [0, 3, 6]), (9, 3, [1, 4, 7]), (5, 1, [0, 1, 2, 3, 4]), (2, 5, [0]), (3, 5, [1]), (1, 3, [0])],
)
def test_both_ends_lie_as_far_from_a_run_slice(n: int, step: int, run: list[int]) -> None:
    assert np.flatnonzero(every_nth(n, step)).tolist() == run


@pytest.mark.parametrize(("n", "step"), [(7, 3), (9, 3), (12, 4), (11, 2), (6, 1), (2, 5), (3, 5)])
def test_between_run_slices_it_is_linear_interpolation_and_beyond_them_their_own_value(n: int, step: int) -> None:
    run = np.flatnonzero(every_nth(n, step))
    values = np.random.default_rng(n).uniform(size=(len(run), 2, 3)).astype(np.float32)
    whole = interpolate(values, n, step)
    assert whole.shape == (n, 2, 3) and whole.dtype == np.float32
    assert whole[:, 1, 2] == pytest.approx(np.interp(np.arange(n), run, values[:, 1, 2]), abs=1e-6)


def test_a_run_slice_gives_two_thirds_and_one_third_to_its_neighbors() -> None:
    values = np.array([0.0, 0.9, 0.0], np.float32).reshape(3, 1, 1)  # slices 1, 4 and 7
    assert interpolate(values, 9, 3).ravel() == pytest.approx([0, 0, 0.3, 0.6, 0.9, 0.6, 0.3, 0, 0])
