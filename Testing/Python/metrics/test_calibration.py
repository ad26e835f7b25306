"""Calibration on a handful of voxels, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.metrics.calibration import expected_calibration_error, fit_temperature, reliability, retention, tempered, tempered_classes


def test_the_error_is_the_mean_gap_of_the_bins():
    # bin 0.2-0.4: mean 0.3, one of two is tumor, gap 0.2; bin 0.8-1: mean 0.9 and 1 of 1, gap 0.1; (2 * 0.2 + 0.1) / 3
    error = expected_calibration_error(np.array([0.25, 0.35, 0.9]), np.array([True, False, True]), bins=5)
    assert error == pytest.approx(0.5 / 3)


def test_what_is_right_as_often_as_it_says_has_no_error():
    assert expected_calibration_error(np.full(4, 0.25), np.array([0, 0, 1, 0])) == pytest.approx(0.0)


def test_the_bins_hold_both_ends():
    n, predicted, found = reliability(np.array([0.0, 0.5, 1.0, 1.0]), np.array([0, 1, 1, 0]), bins=2)
    assert (n.tolist(), predicted.tolist(), found.tolist()) == ([1, 3], [0.0, pytest.approx(2.5 / 3)], [0.0, pytest.approx(2 / 3)])
    assert np.isnan(reliability(np.array([0.9]), np.array([1]), bins=2)[1][0])


@pytest.mark.parametrize("shapes", [(0, 0), (3, 2)])
def test_every_voxel_needs_a_truth(shapes):
    with pytest.raises(ValueError, match="each voxel needs both"):
        expected_calibration_error(np.zeros(shapes[0]), np.zeros(shapes[1]))


def test_a_temperature_divides_the_logit():
    # logit(0.9) = ln 9; half of it is ln 3, whose sigmoid is 3/4
    assert tempered(np.array([0.9, 0.5, 0.1]), 2.0) == pytest.approx([0.75, 0.5, 0.25])
    assert tempered(np.array([0.75]), 0.5) == pytest.approx([0.9])
    assert tempered(np.array([0.0, 1.0]), 3.0) == pytest.approx([0.0, 1.0], abs=0.01)
    sure = np.array([0.0, 0.3, 1.0], np.float32)
    assert np.array_equal(tempered(sure, 1.0), sure)


def test_a_temperature_takes_the_root_of_every_class_and_keeps_their_order():
    # T = 2: roots 0.8, 0.4, 0.4, 0.2 of 0.64, 0.16, 0.16, 0.04, over their sum of 1.8
    classes = np.array([0.64, 0.16, 0.16, 0.04])[:, None]
    assert tempered_classes(classes, 2.0).ravel() == pytest.approx(np.array([4, 2, 2, 1]) / 9)
    assert tempered_classes(tempered_classes(classes, 2.0), 0.5).ravel() == pytest.approx(classes.ravel())
    assert np.array_equal(tempered_classes(classes, 1.0), classes.astype(np.float32))
    sure = tempered_classes(np.array([[0.0], [1.0], [0.0]]), 3.0)
    assert sure.ravel() == pytest.approx([0, 1, 0], abs=0.03) and sure.dtype == np.float32


def test_two_classes_are_tempered_as_tumor_and_background_are():
    p = np.linspace(0.05, 0.95, 10)
    assert tempered_classes(np.stack([1 - p, p]), 1.7)[1] == pytest.approx(tempered(p, 1.7), abs=1e-6)


def test_the_temperature_that_was_applied_is_found_again():
    # of ten voxels said to be 0.9, and of ten said to be 0.1, a quarter is otherwise: 0.75 and 0.25 would be right, so T = 2
    probability = np.repeat([0.9, 0.1], 20)
    truth = np.concatenate([np.arange(20) < 15, np.arange(20) < 5])
    assert fit_temperature(probability, truth) == pytest.approx(2.0, abs=1e-3)
    assert fit_temperature(tempered(probability, 4.0), truth) == pytest.approx(0.5, abs=1e-3)


def test_errors_that_are_doubted_most_fall_out_first():
    doubt, wrong = np.array([0.9, 0.1, 0.2, 0.3]), np.array([True, False, False, False])
    curve = retention(doubt, wrong, points=4)
    assert curve.kept.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.error.tolist() == [0.0, 0.0, 0.0, 0.25]
    assert (curve.area, curve.best, curve.chance, curve.gain) == (0.0625, 0.0625, 0.25, 1.0)


def test_doubt_that_says_nothing_gains_nothing():
    curve = retention(np.zeros(4), np.array([True, False, False, True]), points=4)
    assert curve.error.tolist() == [0.5] * 4
    assert curve.gain == 0.0


def test_doubt_in_the_wrong_place_is_worse_than_none():
    # the error is the surest voxel: 1, 1/2, 1/3, 1/4
    curve = retention(np.array([0.0, 0.5, 0.6, 0.7]), np.array([True, False, False, False]), points=4)
    assert curve.area == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert curve.gain < 0


def test_without_an_error_there_is_nothing_to_gain():
    curve = retention(np.array([0.1, 0.2]), np.array([False, False]), points=2)
    assert (curve.area, curve.gain) == (0.0, 0.0)
