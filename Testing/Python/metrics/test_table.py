import numpy as np
import pytest

from BrainTumorSegLib.metrics.table import METRICS, compare, scores

REFERENCE = np.zeros((4, 8, 8), bool)
REFERENCE[1:3, 2:6, 2:6] = True  # 32 voxels
PREDICTION = np.roll(REFERENCE, 1, axis=0)  # half of them, one slice on
SPACING = (5.0, 1.0, 1.0)


def test_every_metric_worked_out_by_hand():
    results = scores(compare(PREDICTION, REFERENCE, SPACING))
    assert results == pytest.approx(
        {
            "dice": 0.5,
            "iou": 1 / 3,
            # two slices of 16: all voxels are border. The slice in common is 0 mm away; of the other slice the 12 outer
            # voxels and the 4 inner ones are 5 mm away. Half of the distances are 5, in both directions.
            "hd95_mm": 5.0,
            "hd95_px": None,
            "precision": 0.5,
            "recall": 0.5,
            "assd_mm": 2.5,
            "assd_px": None,
            "nsd": 0.5,
            "prediction_volume_ml": 0.16,  # 32 voxels of 5 mm^3
            "reference_volume_ml": 0.16,
            "volume_difference_ml": 0.0,
        }
    )


def test_without_millimeters_lengths_are_in_pixels_and_there_are_no_volumes():
    results = scores(compare(PREDICTION[2], REFERENCE[2], (1.0, 1.0)), has_millimeters=False)
    assert (results["dice"], results["hd95_px"], results["assd_px"]) == (1.0, 0.0, 0.0)
    assert [key for key, value in results.items() if value is None] == [
        "hd95_mm",
        "assd_mm",
        "prediction_volume_ml",
        "reference_volume_ml",
        "volume_difference_ml",
    ]


def test_the_volume_difference_is_prediction_minus_reference():
    results = scores(compare(np.zeros_like(REFERENCE), REFERENCE, SPACING))
    assert results["volume_difference_ml"] == pytest.approx(-0.16)


def test_no_two_rows_share_a_key():
    assert len({metric.key for metric in METRICS}) == len(METRICS)
