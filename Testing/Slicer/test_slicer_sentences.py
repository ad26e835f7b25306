"""The backend's English in the user's language: every sentence is known, and shown translated."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
import standin
from BrainTumorSegGUI import inputs, sentences, summary
from BrainTumorSegGUI.background import TaskState
from BrainTumorSegGUI.sentences import errorsShown, translated

import BrainTumorSeg
import BrainTumorSegLib
from BrainTumorSegLib import api
from BrainTumorSegLib.api import InputError, ModelError, Volume
from BrainTumorSegLib.inference.planes import AXIS_OF_PLANE
from BrainTumorSegLib.io import atomic

LIB = Path(BrainTumorSegLib.__file__).parent
# What the module's calls pass through; it reads no pictures and no command lines.
FILES = [LIB / f"{name}.py" for name in ("api", "pipeline", "progress", "resources", "volume")]
FILES += [path for room in ("inference", "cohort", "io") for path in sorted((LIB / room).glob("*.py")) if path.name != "pictures.py"]
ERRORS = {"InputError", "ModelError", "Cancelled"}
TELL = {"tell", "report", "progress"}
CONTEXT = "BrainTumorSegGUI.sentences"
ALL = (*sentences.PROGRESS, *sentences.WARNINGS, *sentences.ERRORS, *sentences.PARTS)


def shape(text):
    return re.sub(r"{\w+}", "{}", text)


def shape_of(node):
    """ "{} does not exist" of an f-string or a string; "" of anything else."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def spoken(names):
    """The texts that are given to calls of these names in the backend."""
    calls = [node for path in FILES for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    texts = [argument for call in calls if getattr(call.func, "id", "") in names for argument in call.args]
    return {shape_of(text) for text in texts} - {""}


def filled(template):
    """The template with values in it, and the same of its translation."""
    names = re.findall(r"{(\w+)}", template)
    values = {name: f"value {index}" for index, name in enumerate(names)}
    return template.format(**values), f"«{template}»".format(**values)


def test_every_error_of_the_backend_is_known_and_none_that_is_gone():
    assert sorted(map(shape, sentences.ERRORS)) == sorted(spoken(ERRORS))


def test_every_doubt_about_gray_values_is_known():
    tree = ast.parse((LIB / "inference" / "scope.py").read_text(encoding="utf-8"))
    said = {shape_of(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
    assert len(said) == 5 and said <= set(map(shape, sentences.WARNINGS))


def test_every_progress_phrase_of_the_backend_is_known():
    assert spoken(TELL) | set(AXIS_OF_PLANE) == set(map(shape, sentences.PROGRESS))


def test_every_reason_that_nothing_can_be_written_for_is_known():
    assert set(atomic._REASONS.values()) <= set(sentences.PARTS)


@pytest.mark.parametrize("template", ALL)
def test_a_sentence_is_known_by_its_shape_whatever_its_values(template, foreign):
    english, expected = filled(template)
    assert translated(english) == expected
    assert foreign == [(CONTEXT, template)]


@pytest.mark.parametrize("template", ALL)
def test_english_stays_as_it_was(template):
    english, _ = filled(template)
    assert translated(english) == english


def test_what_the_backend_never_says_is_left_alone(foreign):
    assert translated("Meningioma, 3 of 4") == "Meningioma, 3 of 4"
    assert foreign == []


def test_a_value_with_braces_a_line_break_or_nothing_is_kept(foreign):
    assert translated("{0}\n.nii does not exist; correct the path") == "«{0}\n.nii does not exist; correct the path»"
    assert translated(" does not exist; correct the path") == "« does not exist; correct the path»"


def test_a_part_that_is_a_phrase_is_translated_too(foreign):
    assert translated("axial slices, 8 of 155") == "««axial» slices, 8 of 155»"
    text = "a.csv cannot be written: the disk is full; free some space or choose another folder"
    assert translated(text) == "«a.csv cannot be written: «the disk is full; free some space or choose another folder»»"


def test_a_doubt_names_the_sequences_in_one_language(foreign):
    text = "a.nii looks like T1 or T1 with contrast, but was given as T2; choose the right sequence"
    assert translated(text) == "«a.nii looks like «T1 or T1 with contrast», but was given as T2; choose the right sequence»"


def test_the_most_particular_sentence_is_taken(foreign):
    translated("m.zip cannot be read (denied); choose another file")
    translated("m.json cannot be read (denied); install the extension again")
    assert [text for _, text in foreign] == [
        "{path} cannot be read ({reason}); choose another file",
        "{path} cannot be read ({reason}); {cure}",
        "install the extension again",
    ]


def test_progress_and_warnings_are_shown_translated(foreign):
    assert summary.progressText(TaskState(0.1, "preparing the images", None, False)) == "«preparing the images»"
    assert summary.progressText(TaskState(0.9, "done", 3.0, False)) == "««done» (about 3 s left)»"
    warning = "T1 is 5 x 5 x 5 mm, which is no usual size of a head; check its spacing"
    result = standin.Result(Volume(np.ones((2, 2, 2), np.uint8)), volumes_ml={"TUMOR": 1.0}, warnings=(warning,))
    assert summary.resultText(result).splitlines()[1] == f"«{warning}»"


@pytest.mark.parametrize("kind", [InputError, ModelError])
def test_an_error_is_shown_translated_and_keeps_its_kind_and_its_cause(kind, foreign):
    with pytest.raises(kind) as caught, errorsShown("It failed."):
        raise kind("a.nii does not exist; correct the path")
    assert str(caught.value) == "«a.nii does not exist; correct the path»"
    assert str(caught.value.__cause__) == "a.nii does not exist; correct the path"


def test_an_error_that_needs_no_translation_passes_as_it_is():
    error = InputError("a.nii does not exist; correct the path")
    with pytest.raises(InputError) as caught, errorsShown("It failed."):
        raise error
    assert caught.value is error


def test_an_error_is_displayed_with_its_title_and_the_cursor_waits(foreign, monkeypatch):
    pytest.importorskip("PySide6", reason="PySide6 (widgets for the test host) is not installed")
    shown, cursors = [], []
    monkeypatch.setattr(slicer.app, "testingEnabled", lambda: False)
    monkeypatch.setattr(slicer.app, "setOverrideCursor", cursors.append)
    monkeypatch.setattr(slicer.app, "restoreOverrideCursor", lambda: cursors.append("restored"))
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, detailedText: shown.append(text))
    with pytest.raises(InputError), errorsShown("It failed.", waitCursor=True):
        raise InputError("a.nii does not exist; correct the path")
    assert shown == ["It failed.\n\n«a.nii does not exist; correct the path»"]
    assert len(cursors) == 2 and cursors[1] == "restored"
    with errorsShown("It failed."):
        assert len(cursors) == 2  # quick work leaves the cursor as it is


def test_what_is_doubtful_about_an_input_is_said_in_one_language(foreign):
    node = slicer.util.addVolumeFromArray(np.zeros((3, 4, 5), np.int16), np.diag([1.0, 1, 1, 1]), "T1 CT")
    node.SetSpacing(0.0, 1.0, 1.0)
    text = inputs.warningTexts("t1", {"t1": node}, ())[-1]
    assert text.startswith("«It cannot be read: «") and text.endswith("; correct its header»»")


def test_every_phrase_of_a_real_run_is_translated(foreign):
    """The shipped model on a phantom, by all planes that it knows."""
    rng = np.random.default_rng(0)
    array = rng.integers(0, 200, (12, 40, 40)).astype(np.int16)
    node = slicer.util.addVolumeFromArray(array, np.diag([4.0, 4, 4, 1]), "T1ce")
    run = BrainTumorSeg.BrainTumorSegLogic().start({"t1ce": node}, "t1ce-tumor", api.SegmentOptions(planes="all"))
    said = set()
    while not (state := run.poll(0.001)).finished:
        said.add(summary.progressText(state))
    said |= set(summary.resultText(run.result).splitlines()[1:])
    told = [text for text in said if "slices" in text]
    assert "«reading the volumes, 100 %»" in said
    assert told and all(re.search("«(axial|coronal|sagittal)» slices, ", text) for text in told)  # also inside of another phrase
    assert [text for text in said - {""} if not (text.startswith("«") and text.endswith("»"))] == []


def test_what_dicom_tells_is_said_in_one_language(foreign):
    guess = api.guess_role(None, "T1", {"ContrastBolusAgent": "Gd"})
    assert translated(guess.detail) == "«T1, contrast agent Gd»"
