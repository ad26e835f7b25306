import numpy as np
import pytest

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.evaluation import classes_of, evaluate, label_scheme, summarize
from BrainTumorSegLib.volume import Volume

SPACING = (2.0, 1.0, 1.0)  # x, y, z


def line(labels, name="line", **geometry):
    """A volume of one row along x, 2 mm a voxel."""
    return Volume(np.array([[labels]], np.uint8), **{"spacing_mm": SPACING, "name": name, **geometry})


def picture(labels, name="picture.png"):
    return Volume(np.array([labels], np.uint8), has_millimeters=False, name=name)


REFERENCE = line([1, 1, 1, 1, 0, 0, 0, 0])
PREDICTION = line([0, 0, 1, 1, 1, 1, 0, 0])
EMPTY = line([0] * 8)
TWO = line([1, 1, 0, 0, 0, 0, 0, 0])


def only_row(evaluation):
    assert len(evaluation.rows) == 1
    return evaluation.rows[0]


def test_a_binary_pair_has_one_class():
    evaluation = evaluate(PREDICTION, REFERENCE, "a")
    row = only_row(evaluation)
    assert (evaluation.scheme, evaluation.notices, row.case, row.class_, row.status) == ("tumor", (), "a", "tumor", "ok")
    assert (row.dice, row.iou, row.precision, row.recall) == (0.5, pytest.approx(1 / 3), 0.5, 0.5)


def test_distances_are_in_millimeters_along_the_right_axis():
    # ends at 0 and 3 against 2 and 5: distances 1 and 2 voxels both ways, their 95th percentile 1.95, at 2 mm a voxel
    assert only_row(evaluate(PREDICTION, REFERENCE)).hd95_mm == pytest.approx(3.9)


def test_a_single_slice_is_judged_by_its_outline():
    reference = np.zeros((1, 9, 9), np.uint8)
    reference[0, 1:8, 1:8] = 1
    prediction = reference.copy()
    prediction[0, 3:6, 3:6] = 0  # a hole of 9 pixels
    row = only_row(evaluate(Volume(prediction), Volume(reference)))
    # from the prediction: 24 outline pixels at 0 and the 12 around the hole at 1 (as all of them are at column or row 2
    # or 6): 36 distances, a third of them 1. As a volume of one slice each pixel would be border, and the distance 0.
    assert row.hd95_mm == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("prediction", "reference", "status", "dice", "hd95_mm"),
    [(EMPTY, EMPTY, "both empty", 1.0, 0.0), (EMPTY, TWO, "missed", 0.0, None), (TWO, EMPTY, "false positive", 0.0, None)],
)
def test_empty_masks_follow_the_contract(prediction, reference, status, dice, hd95_mm):
    row = only_row(evaluate(prediction, reference))
    assert (row.status, row.dice, row.iou, row.hd95_mm) == (status, dice, dice, hd95_mm)


def test_glioma_labels_are_scored_by_class_and_by_nested_region():
    reference = line([1, 1, 2, 2, 2, 3, 3, 0])
    prediction = line([1, 2, 2, 2, 2, 3, 1, 0])
    rows = {row.class_: row for row in evaluate(prediction, reference).rows}
    assert list(rows) == ["NCR", "ED", "ET", "WT", "TC"]
    dice = {key: row.dice for key, row in rows.items()}
    # NCR {0,6} and {0,1}; ED {1,2,3,4} and {2,3,4}; ET {5} and {5,6}; WT both 0-6; TC {0,5,6} and {0,1,5,6}
    assert dice == pytest.approx({"NCR": 2 / 4, "ED": 6 / 7, "ET": 2 / 3, "WT": 1.0, "TC": 6 / 7})


def test_the_four_of_brats_is_read_as_enhancing_tumor_on_either_side():
    ours, brats = line([1, 2, 3, 3, 0, 0, 0, 0]), line([1, 2, 4, 4, 0, 0, 0, 0])
    for prediction, reference in ((ours, brats), (brats, ours), (brats, brats)):
        assert [row.dice for row in evaluate(prediction, reference).rows] == [1.0] * 5


def test_three_and_four_in_one_file_are_refused_as_ambiguous():
    with pytest.raises(InputError, match="both.nii holds both 3 and 4"):
        evaluate(line([3, 4, 0, 0], "both.nii"), line([3, 0, 0, 0]))


@pytest.mark.parametrize("value", [5, 255])
def test_another_value_is_refused_by_name(value):
    with pytest.raises(InputError, match=f"odd.nii holds the value {value}, but"):
        evaluate(line([0, 1, 0, 0]), line([0, value, 0, 1], "odd.nii"))


@pytest.mark.parametrize("value", [0.5, -1.0, np.nan])
def test_a_value_that_is_no_label_is_refused_by_name(value):
    odd = Volume(np.array([[[0.0, 1.0, value, 0.0]]]), spacing_mm=SPACING, name="odd.nii")
    with pytest.raises(InputError, match=f"odd.nii holds the value {value:g}, but"):
        evaluate(odd, line([0, 1, 0, 0]))


def test_all_references_together_decide_the_labels():
    assert label_scheme([EMPTY, TWO]) == "tumor"
    assert label_scheme([TWO, line([0, 4, 0])]) == "glioma"
    rows = evaluate(TWO, REFERENCE, scheme="glioma").rows
    assert [row.status for row in rows] == ["ok", "both empty", "both empty", "ok", "ok"]


def test_several_labels_against_a_binary_reference_are_joined_with_a_notice():
    evaluation = evaluate(line([1, 2, 3, 4 - 1, 0, 0, 0, 0], "p.nii"), REFERENCE)
    assert only_row(evaluation).dice == 1.0
    assert "p.nii holds several labels" in evaluation.notices[0]


def test_a_prediction_on_another_grid_is_resampled_with_a_notice():
    # the same voxels in reverse order: x runs from 14 mm down to 0
    flipped = line([0, 0, 1, 1, 1, 1, 0, 0][::-1], "p.nii", origin=(14.0, 0.0, 0.0), direction=(-1, 0, 0, 0, 1, 0, 0, 0, 1))
    evaluation = evaluate(flipped, REFERENCE)
    assert only_row(evaluation).scores == only_row(evaluate(PREDICTION, REFERENCE)).scores
    assert len(evaluation.notices) == 1 and "p.nii lies on another grid than the reference line: it was resampled" in evaluation.notices[0]


def test_a_prediction_that_lies_elsewhere_is_pointed_out():
    evaluation = evaluate(line([1] * 8, "p.nii", origin=(500.0, 0.0, 0.0)), REFERENCE)
    assert only_row(evaluation).status == "missed"
    assert "no labeled voxel of the prediction p.nii lies inside" in evaluation.notices[1]


def test_pictures_have_pixels_and_no_millimeters():
    row = only_row(evaluate(picture([[1, 1, 1, 1, 0, 0, 0, 0]]), picture([[0, 0, 1, 1, 1, 1, 0, 0]])))
    assert (row.hd95_mm, row.hd95_px, row.scores["reference_volume_ml"]) == (None, pytest.approx(1.95), None)


@pytest.mark.parametrize(
    ("prediction", "reference"), [(picture([[1, 0]]), picture([[1, 0, 0]])), (picture([[1, 0]]), TWO), (line([1, 0]), picture([[1, 0, 0]]))]
)
def test_a_picture_of_another_size_is_refused(prediction, reference):
    with pytest.raises(InputError, match=r"has the size 2x1 and .* [38]x1, but a picture has no millimeters"):
        evaluate(prediction, reference)


def test_a_picture_is_compared_voxel_by_voxel_with_a_volume_of_its_size():
    evaluation = evaluate(picture([[0, 0, 1, 1, 1, 1, 0, 0]]), REFERENCE)
    assert only_row(evaluation).hd95_mm == pytest.approx(3.9)
    assert "picture.png is a picture without millimeters" in evaluation.notices[0]


def test_the_summary_of_three_cases_worked_out_by_hand():
    evaluations = [evaluate(PREDICTION, REFERENCE, "a"), evaluate(EMPTY, EMPTY, "b"), evaluate(EMPTY, TWO, "c")]
    document = summarize(evaluations)
    assert set(document) == {"convention", "cases", "summary"}
    assert [(row["case"], row["class"], row["status"]) for row in document["cases"]] == [
        ("a", "tumor", "ok"),
        ("b", "tumor", "both empty"),
        ("c", "tumor", "missed"),
    ]
    # voxels of all three, 24: 2 in both, 2 in predictions only, 2 + 2 in references only, 16 in neither
    micro, background = 2 / 8, 16 / 22
    expected = {
        "n": 3,
        "dice": (0.5 + 1 + 0) / 3,
        "iou": (1 / 3 + 1 + 0) / 3,
        "hd95_mm": (3.9 + 0) / 2,
        "hd95_undefined": 1,
        "micro_iou": micro,
        "mean_iou_with_background": (micro + background) / 2,
    }
    assert document["summary"] == {"tumor": pytest.approx(expected)}


def test_the_summary_has_every_glioma_class():
    document = summarize([evaluate(TWO, TWO, "a", scheme="glioma"), evaluate(EMPTY, TWO, "b", scheme="glioma")])
    assert {key: (row["n"], row["dice"], row["hd95_undefined"]) for key, row in document["summary"].items()} == {
        "NCR": (2, 0.5, 1),
        "ED": (2, 1.0, 0),
        "ET": (2, 1.0, 0),
        "WT": (2, 0.5, 1),
        "TC": (2, 0.5, 1),
    }


def test_where_no_distance_is_defined_the_mean_is_null():
    assert summarize([evaluate(EMPTY, TWO)])["summary"]["tumor"]["hd95_mm"] is None


def test_the_summary_of_pictures_is_in_pixels_and_does_not_call_missing_millimeters_undefined():
    full, none = picture([[1, 1, 1, 1, 0, 0, 0, 0]]), picture([[0] * 8])
    document = summarize([evaluate(full, picture([[0, 0, 1, 1, 1, 1, 0, 0]])), evaluate(none, full)])
    summary = document["summary"]["tumor"]
    assert (summary["hd95_mm"], summary["hd95_px"], summary["hd95_undefined"]) == (None, pytest.approx(1.95), 1)


def test_cases_of_different_schemes_are_not_averaged():
    with pytest.raises(InputError, match="one scheme"):
        summarize([evaluate(TWO, TWO), evaluate(TWO, TWO, scheme="glioma")])


def test_the_classes_of_a_scheme_join_the_values_that_brats_joins():
    assert classes_of("tumor") == {"tumor": (1,)}
    assert classes_of("glioma") == {"NCR": (1,), "ED": (2,), "ET": (3,), "WT": (1, 2, 3), "TC": (1, 3)}
