import numpy as np
import pytest

from BrainTumorSegLib.metrics.masks import as_masks, as_spacing, foreground_box


def test_every_value_but_zero_is_foreground():
    prediction, reference = as_masks(np.array([0, 1, 3]), np.array([True, False, True]))
    assert prediction.tolist() == [False, True, True]
    assert reference.tolist() == [True, False, True]


def test_masks_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(3, 2\).*one grid"):
        as_masks(np.zeros((2, 3), bool), np.zeros((3, 2), bool))


def test_probabilities_are_refused_because_the_threshold_would_be_a_guess():
    with pytest.raises(ValueError, match="reference holds float64.*threshold"):
        as_masks(np.zeros(3, bool), np.array([0.0, 0.2, 0.9]))


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (1.0, 0.0, 1.0), (1.0, -1.0, 1.0), (1.0, np.nan, 1.0), 1.0])
def test_a_spacing_that_does_not_fit_the_axes_is_refused(spacing):
    with pytest.raises(ValueError, match="3 axes"):
        as_spacing(spacing, 3)


def test_the_box_is_the_smallest_one_around_the_foreground():
    mask = np.zeros((5, 6, 7), bool)
    mask[1, 2, 6] = mask[3, 2, 4] = True
    assert foreground_box(mask) == (slice(1, 4), slice(2, 3), slice(4, 7))
