"""The inputs chosen by themselves, the reasons, the warnings, and the models; logic on real MRML, the panel on PySide6."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
from BrainTumorSegGUI import grayValues, inputs, modelCard

from Testing.Python.heads import head

HEAD = np.diag([-3.6, -3.2, 4.0, 1.0])  # 50 x 60 x 40 voxels: 180 x 192 x 160 mm


def volume(name, role="t1ce", matrix=HEAD):
    return slicer.util.addVolumeFromArray(head(role).astype(np.int16), matrix, name)


def move(node, shift_mm=10.0):
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "Shift")
    matrix = np.eye(4)
    matrix[0, 3] = shift_mm
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    node.SetAndObserveTransformNodeID(transform.GetID())
    return transform


class Database:
    """The one method of ctkDICOMDatabase that is used."""

    def __init__(self, values):
        self.values = values

    def instanceValue(self, uid, tag):
        return self.values.get((uid, tag), "")


def model(name="t1ce-tumor", roles=("t1ce",), **changes):
    fields = {
        "planes": ("axial",),
        "threshold": 0.5,
        "postprocess": {},
        "file": "model.onnx",
        "sha256": "0" * 64,
        "path": Path("model.onnx"),
        "title": f"Model {name}",
        "task": "Marks tumors.",
        "network": "U-Net",
        "scheme": "tumor",
        "size_mb": 4.35,
        "precision": "int8",
        "license": "CC BY 4.0",
        "license_note": "Research.",
        "training_data": ({"what": "heads", "license": "CC0"},),
        "scores": {"dice": 0.745, "n": 613, "split": "fold 4", "dice_by_kind": {"glioma": 0.6641}},
    }
    return inputs.api.ModelInfo(name=name, inputs=tuple(roles), **{**fields, **changes})


# What the volumes are taken for ------------------------------------------------------------------------------------------------------------


def test_volumes_find_their_places_by_name_dicom_and_gray_values(monkeypatch):
    post, unnamed, series = volume("4: AX T1 POST"), volume("unnamed", "t2"), volume("7", "flair")
    series.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    database = Database({("1.2.3", "0018,0080"): "9000", ("1.2.3", "0018,0081"): "120", ("1.2.3", "0018,0082"): "2500"})
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    found = inputs.proposedInputs(inputs.offeredVolumes())
    assert found == {"t1ce": post, "t2": unnamed, "flair": series}
    assert inputs.reasonText("t1ce", post) == "Its name says so."
    assert inputs.reasonText("t2", unnamed).startswith("Its gray values look most like it (")
    assert inputs.reasonText("flair", series) == "DICOM says so: TR 9000 ms, TE 120 ms, TI 2500 ms."
    assert inputs.reasonText("t1", unnamed) == "Chosen by hand."


def test_label_maps_hidden_volumes_empty_ones_and_our_own_are_not_offered():
    slicer.util.addVolumeFromArray(np.ones((2, 2, 2), np.uint8), name="T1ce", nodeClassName="vtkMRMLLabelMapVolumeNode")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1ce without image")
    volume("T1ce hidden").SetHideFromEditors(True)
    volume("T1ce made").SetAttribute("BrainTumorSeg.UncertaintyOf", "x")
    shown = volume("T1ce")
    assert inputs.offeredVolumes() == [shown]


def test_gray_values_are_measured_once_for_each_image(monkeypatch):
    node = volume("unnamed", "t2")
    measured = []
    guess = inputs.api.guess_role
    monkeypatch.setattr(inputs.api, "guess_role", lambda image, *rest: measured.append(image is not None) or guess(image, *rest))
    for _ in range(3):
        assert inputs.guessOf(node).role == "t2"
    assert measured.count(True) == 1
    slicer.util.updateVolumeFromArray(node, head("t1").astype(np.int16))
    assert inputs.guessOf(node).role in ("t1", "t1ce")


# What is doubtful --------------------------------------------------------------------------------------------------------------------------


def warnings(role, used=("t1ce",), **nodes):
    for asked, question in inputs.openQuestions((), nodes):
        grayValues.answerOf(asked, question)
    return inputs.warningTexts(role, nodes, used)


def test_a_usual_volume_raises_no_warning():
    assert warnings("t1ce", t1ce=volume("T1ce")) == []


def test_a_name_that_says_another_sequence_is_shown():
    assert warnings("t1ce", t1ce=volume("FLAIR")) == ["It seems to be FLAIR: “FLAIR”."]
    assert warnings("t1ce", t1ce=volume("T1 pre")) == ["It seems to be T1: “T1 pre”."]
    assert warnings("t1ce", t1ce=volume("ADC")) == ["“ADC” is no sequence that a model reads."]


def test_gray_values_of_another_sequence_are_shown():
    said = ["This volume looks like T2, but was given as T1 with contrast; choose the right sequence."]
    assert warnings("t1ce", t1ce=volume("T1ce", "t2")) == said
    said = ["This volume looks like T1 or T1 with contrast, but was given as T2; choose the right sequence."]
    assert warnings("t2", t2=volume("T2", "t1")) == said


def test_what_nobody_has_looked_at_is_open_and_not_waited_for():
    named, unnamed = volume("T1ce", "t2"), volume("unnamed", "t2")
    chosen = {"t1ce": named, "t2": unnamed}
    assert inputs.openQuestions((), chosen) == [(unnamed, grayValues.GUESS), (named, "t1ce"), (unnamed, "t2")]
    assert inputs.openQuestions([unnamed], {}) == [(unnamed, grayValues.GUESS)]
    assert [inputs.isGuessed(node) for node in (named, unnamed)] == [True, False]
    assert inputs.warningTexts("t1ce", chosen, ("t1ce",)) == []
    assert inputs.reasonText("t2", unnamed) == "Looking at its gray values..."
    for node, question in inputs.openQuestions([unnamed], chosen):
        grayValues.answerOf(node, question)
    assert inputs.openQuestions([unnamed], chosen) == []
    said = ["This volume looks like T2, but was given as T1 with contrast; choose the right sequence."]
    assert inputs.warningTexts("t1ce", chosen, ("t1ce",)) == said
    assert inputs.reasonText("t2", unnamed).startswith("Its gray values look most like it (")


def test_a_volume_without_an_image_is_asked_nothing():
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    assert inputs.openQuestions([node], {"t1": node}) == []
    assert not inputs.isGuessed(node)


@pytest.mark.parametrize("shape", [(40, 50, 60), (79, 80, 81), (159, 160, 161), (3, 240, 200)])
def test_a_part_of_the_voxels_gives_the_answer_of_all(shape):
    zoom = [-(-length // part) for length, part in zip(shape, head("flair").shape)]
    array = np.kron(head("flair"), np.ones(zoom))[tuple(slice(0, length) for length in shape)].astype(np.int16)
    node = slicer.util.addVolumeFromArray(array, HEAD, "unnamed")
    look = grayValues.lookAt(node, grayValues.GUESS)
    assert max(look.sample.array.shape) < 160 and not np.shares_memory(look.sample.array, slicer.util.arrayFromVolume(node))
    assert grayValues.answerOf(node, grayValues.GUESS) == look.answer() == inputs.api.guess_role(inputs.viewOfNode(node), "unnamed")
    assert grayValues.answerOf(node, "t1") == inputs.api.gray_doubt(array, "t1", "this volume")


def test_an_answer_is_kept_for_its_question_and_these_voxels():
    node = volume("unnamed", "t2")
    look = grayValues.lookAt(node, "t1")
    assert (look.noAnswer, grayValues.lookAt(node, grayValues.GUESS).noAnswer.source) == (None, "")
    look.keep("doubtful")
    assert grayValues.answerOf(node, "t1") == "doubtful"
    assert [grayValues.isAnswered(node, question) for question in ("t1", "t2", grayValues.GUESS)] == [True, False, False]
    slicer.util.updateVolumeFromArray(node, head("t1").astype(np.int16))
    assert not grayValues.isAnswered(node, "t1")


def test_another_grid_is_shown_where_the_model_reads_both():
    first, second = volume("T1ce"), volume("FLAIR", "flair", np.diag([-3.6, -3.2, 4.1, 1.0]))
    both = {"t1ce": first, "flair": second}
    shown = inputs.warningTexts("flair", both, ("t1ce", "flair"))
    assert shown == ["It lies on another grid than T1ce: a copy resampled to that grid is segmented."]
    assert inputs.warningTexts("t1ce", both, ("t1ce", "flair")) == []
    assert inputs.warningTexts("flair", both, ("t1ce",)) == []


def test_a_transform_that_moves_one_of_two_volumes_makes_another_grid():
    both = {"flair": volume("FLAIR", "flair"), "t1": volume("T1", "t1")}
    assert inputs.warningTexts("t1", both, ("t1", "flair")) == []
    move(both["t1"])
    assert inputs.warningTexts("t1", both, ("t1", "flair"))[0] == "It lies on another grid than FLAIR: a copy resampled to that grid is segmented."
    assert inputs.warningTexts("flair", both, ("t1", "flair")) == []  # the result lies on its grid


def test_a_spacing_that_no_head_has_is_shown():
    assert warnings("t1ce", t1ce=volume("T1ce", matrix=np.eye(4))) == ["It is 50 x 60 x 40 mm big, which is no usual size of a head; check its spacing."]
    far = warnings("t1ce", t1ce=volume("T1ce", matrix=np.diag([-3.6, -3.2, 12.0, 1.0])))
    assert far == ["Its voxels are 12 mm apart, which is unusual; check its spacing."]


def test_a_volume_under_a_transform_is_shown_and_one_under_the_identity_is_not():
    node = volume("T1ce")
    transform = move(node)
    assert warnings("t1ce", t1ce=node) == ["It is moved by Shift: a copy is segmented where it lies now, the volume itself stays as it is."]
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.eye(4)))
    assert warnings("t1ce", t1ce=node) == []


def test_one_volume_in_two_places_is_shown():
    node = volume("T1ce")
    assert warnings("t1ce", t1ce=node, flair=node) == ["It is chosen for FLAIR too."]


def test_a_volume_that_cannot_be_read_is_shown():
    node = volume("T1ce")
    node.SetAndObserveImageData(None)
    (text,) = warnings("t1ce", t1ce=node)
    assert text.startswith("It cannot be read: T1ce has no image")


# Models ------------------------------------------------------------------------------------------------------------------------------------


def test_a_model_says_why_it_cannot_run():
    first, second = volume("T1ce"), volume("FLAIR", "flair", np.eye(4))
    pair = model("pair", ("t1ce", "flair"))
    assert modelCard.problemText(model(), {"t1ce": first}) == ""
    assert modelCard.problemText(pair, {}) == "needs T1 with contrast, FLAIR"
    assert modelCard.problemText(pair, {"t1ce": first}) == "needs FLAIR"
    assert modelCard.problemText(pair, {"t1ce": first, "flair": second}) == ""  # another grid is no hindrance
    assert modelCard.problemText(model(size_mb=0.0), {"t1ce": first}) == "its file is missing; install the extension again"


def test_a_model_that_takes_any_sequence_says_so():
    free = model("free", ("t1ce", "flair"), any_inputs=True)
    assert modelCard.problemText(free, {"flair": volume("FLAIR", "flair")}) == ""
    assert modelCard.problemText(free, {"t2": volume("T2", "t2")}) == "needs any of T1 with contrast, FLAIR"
    assert "any of T1 with contrast, FLAIR" in modelCard.cardText(free)
    assert "any of" not in modelCard.cardText(model())


def test_a_model_of_several_classes_is_shown_by_its_scheme_and_classes():
    scores = {"dice": 0.5, "dice_by_kind": {"NCR": 0.25, "ED": 0.75}, "dice_by_region": {"WT": 0.8}, "n": 3, "split": "fold 2 of brats"}
    classes = model("classes", ("flair", "t1", "t1ce", "t2"), scheme="glioma", outputs="classes", scores=scores)
    text = modelCard.cardText(classes)
    assert "Necrotic and non-enhancing core, Edema, Enhancing tumor" in text
    assert "Dice 0.500 (NCR 0.250, ED 0.750), n = 3" in text
    assert "needs" in modelCard.problemText(classes, {"flair": volume("FLAIR", "flair")})
    assert "Tested on: fold 2 of brats" in modelCard.detailText(classes)


def test_of_the_models_that_can_run_the_one_that_reads_the_most_is_taken():
    models = [model("single"), model("pair", ("t1ce", "flair")), model("free", ("t1", "t1ce", "flair"), any_inputs=True)]
    grid = {"t1ce": volume("T1ce"), "flair": volume("FLAIR", "flair")}
    assert modelCard.chosenModel(models, "", grid).name == "pair"
    assert modelCard.chosenModel(models, "", {"t1ce": grid["t1ce"]}).name == "single"
    assert modelCard.chosenModel(models, "", {"flair": grid["flair"]}).name == "free"


def test_a_scan_with_skull_goes_to_the_model_that_was_trained_with_it_if_it_reads_as_much():
    models = [model("brain", ("t1ce", "flair"), any_inputs=True, crop=True), model("single")]
    for scale, name in ((0.7, "brain"), (1.3, "single")):  # a third and over twice the size
        matrix = HEAD @ np.diag([scale, scale, scale, 1.0])
        both = {"t1ce": volume("T1ce", matrix=matrix), "flair": volume("FLAIR", "flair", matrix)}
        assert modelCard.chosenModel(models, "", {"t1ce": both["t1ce"]}).name == name
        assert modelCard.chosenModel(models, "", both).name == "brain"  # the brain is cut out for it
        assert modelCard.chosenModel(models, "", {"flair": both["flair"]}).name == "brain"  # nothing else reads it


def test_without_a_choice_the_first_model_that_can_run_is_taken():
    models = [model("pair", ("t1ce", "flair")), model("single")]
    chosen = {"t1ce": volume("T1ce")}
    assert modelCard.chosenModel(models, "", chosen).name == "single"
    assert modelCard.chosenModel(models, "pair", chosen).name == "pair"
    assert modelCard.chosenModel(models, "not installed", chosen).name == "single"
    assert modelCard.chosenModel(models, "", {}).name == "pair"
    assert modelCard.chosenModel([], "", {}) is None


def test_the_card_tells_needs_finds_scores_size_and_license():
    text = modelCard.cardText(model(license="CC <BY>"))
    for part in ("Marks tumors.", "T1 with contrast", "Tumor", "Dice 0.745 (glioma 0.664), n = 613", "4.3 MB, int8", "CC &lt;BY&gt;", "not a medical device"):
        assert part in text
    assert modelCard.scoreText({}) == "not measured"
    assert modelCard.scoreText({"dice": {"WT": 0.912, "TC": 0.8}, "n": 39}) == "Dice WT 0.912, TC 0.800, n = 39"
    details = modelCard.detailText(model())
    for part in ("U-Net", "fold 4", "heads (CC0)", "children, brains after surgery or radiation, other diseases, CT.", "Research."):
        assert part in details
