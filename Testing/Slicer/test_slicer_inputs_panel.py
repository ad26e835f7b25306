"""Every control and every note of the inputs panel (tier 2: PySide6 stands for Qt, and the scene is the real one)."""

import threading
import time

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")
pytest.importorskip("PySide6", reason="PySide6-Essentials is not installed")

import qt
import slicer
import slicer.util
from BrainTumorSegGUI import inputs
from BrainTumorSegGUI.grayValues import GUESS, Look
from test_slicer_inputs import model, move, volume

import BrainTumorSeg
from BrainTumorSegLib.api import ModelError
from Testing.Python.heads import head


class Logic(BrainTumorSeg.BrainTumorSegLogic):
    """The logic with models of the test's own."""

    def __init__(self, *models):
        super().__init__()
        self.moduleName = "BrainTumorSeg"
        self.installed = list(models) or [model()]
        self.imported = []

    def models(self):
        return self.installed

    def importModels(self, path):
        self.imported.append(path)
        return [model("brought")]


@pytest.fixture
def make(layout, parameters):
    from BrainTumorSegGUI.inputsPanel import InputsPanel

    panels = []
    tag = parameters.AddObserver("ModifiedEvent", lambda caller, event: [panel.update() for panel in panels])  # as the module's widget does

    def build(*models):
        panels.append(InputsPanel(layout, Logic(*models), parameters))
        return panels[0]

    yield build
    parameters.RemoveObserver(tag)
    for panel in panels:
        panel.setParameterNode(None)
        panel.cleanup()


def wait(milliseconds=300):
    loop = qt.QEventLoop()
    qt.QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def test_opening_the_module_fills_the_selectors_and_shows_why(make, parameters):
    post, flair = volume("T1 post"), volume("FLAIR", "flair")
    panel = make(model(roles=("t1ce", "flair")))
    panel.enter()
    assert (panel.ui.t1ceSelector.currentNode(), panel.ui.flairSelector.currentNode()) == (post, flair)
    assert (parameters.t1ce, parameters.t1) == (post, None)
    assert panel.ui.t1ceNote.text == "Its name says so."
    assert panel.ui.t1Note.text == ""


def test_a_volume_loaded_later_takes_an_empty_place_and_no_other(make, parameters):
    first = volume("T1ce")
    panel = make()
    panel.enter()
    volume("T1ce again")
    t2 = volume("T2", "t2")
    wait()
    assert (parameters.t1ce, parameters.t2) == (first, t2)
    assert panel.ui.t2Selector.currentNode() is t2


def test_a_place_that_the_user_emptied_stays_empty(make, parameters):
    volume("T1ce")
    panel = make()
    panel.enter()
    panel.ui.t1ceSelector.setCurrentNode(None)
    volume("T2", "t2")
    wait()
    assert parameters.t1ce is None


@pytest.mark.parametrize("role", ["t1", "t1ce", "t2", "flair"])
def test_each_selector_changes_its_parameter(make, parameters, role):
    node = volume("any")
    panel = make()
    getattr(panel.ui, f"{role}Selector").setCurrentNode(node)
    assert {other: getattr(parameters, other) for other in ("t1", "t1ce", "t2", "flair")} == {
        **dict.fromkeys(("t1", "t1ce", "t2", "flair")),
        role: node,
    }
    assert getattr(panel.ui, f"{role}Note").text


def test_find_chooses_anew(make, parameters):
    first, second = volume("T1ce"), volume("FLAIR", "flair")
    panel = make()
    panel.ui.t1ceSelector.setCurrentNode(second)
    panel.ui.findButton.click()
    assert (parameters.t1ce, parameters.flair) == (first, second)


def test_every_warning_stands_beside_its_selector(make):
    node = volume("FLAIR", "t2")
    move(node)
    panel = make()
    panel.ui.t1ceSelector.setCurrentNode(node)
    lines = panel.ui.t1ceNote.text.split("\n")
    assert [line[:20] for line in lines] == ["⚠ It seems to be FLA", "⚠ It is moved by Shi"]
    assert panel.ui.t1ceNote.styleSheet == "color: #d55e00"
    panel.ui.t1Selector.setCurrentNode(volume("T1", "t1"))
    assert panel.ui.t1Note.text == "Its name says so.\nThe chosen model does not read it."
    assert panel.ui.t1Note.styleSheet == "color: gray"


def test_a_volume_that_is_renamed_or_moved_gets_another_note(make):
    node = volume("T1ce")
    panel = make()
    panel.enter()
    assert panel.ui.t1ceNote.text == "Its name says so."
    node.SetName("FLAIR")
    wait()
    assert "It seems to be FLAIR" in panel.ui.t1ceNote.text
    node.SetName("T1ce")
    transform = move(node)
    wait()
    assert "It is moved by Shift" in panel.ui.t1ceNote.text
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.eye(4)))
    wait()
    assert panel.ui.t1ceNote.text == "Its name says so."


def test_a_sequence_that_the_model_needs_is_asked_for_in_its_place(make):
    volume("FLAIR", "flair")
    panel = make(model("pair", ("t1ce", "flair")))
    panel.enter()
    assert panel.ui.t1ceNote.text == "⚠ The chosen model needs T1 with contrast."


def test_a_model_that_takes_any_sequence_asks_for_none_beside_those_there_are(make):
    panel = make(model("free", ("t1ce", "flair"), any_inputs=True))
    volume("FLAIR", "flair")
    panel.enter()
    assert (panel.ui.t1ceNote.text, panel.ui.flairNote.text) == ("", "Its name says so.")


def test_models_that_cannot_run_are_grey_with_the_reason(make, parameters):
    volume("T1ce")
    panel = make(model("pair", ("t1ce", "flair")), model("single"))
    panel.enter()
    selector = panel.ui.modelSelector
    items = [selector.model().item(row) for row in range(selector.count)]
    assert [(item.text(), item.isEnabled()) for item in items] == [("Model pair (needs FLAIR)", False), ("Model single", True)]
    assert items[0].toolTip() == "needs FLAIR"
    assert selector.currentIndex == 1
    volume("FLAIR", "flair")
    wait()
    assert selector.model().item(0).isEnabled()


def test_the_model_selector_changes_the_choice_and_the_card(make, parameters):
    volume("T1ce")
    panel = make(model("one"), model("two", task="Marks more."))
    panel.enter()
    assert parameters.model == "" and "Marks tumors." in panel.ui.modelCard.text
    panel.ui.modelSelector.setCurrentIndex(1)
    panel.ui.modelSelector.activated.emit(1)  # as a click does
    assert parameters.model == "two" and "Marks more." in panel.ui.modelCard.text
    assert "heads (CC0)" in panel.ui.modelCard.toolTip


def test_a_model_of_the_scene_that_is_not_installed_is_named(make, parameters):
    parameters.model = "lost"
    panel = make()
    assert panel.ui.modelNote.text == "⚠ The model lost of this scene is not installed; another is chosen."


def test_models_come_in_by_a_zip(make, monkeypatch):
    panel = make()
    monkeypatch.setattr(qt.QFileDialog, "getOpenFileName", staticmethod(lambda *arguments: "/usb/models.zip"))
    panel.ui.importButton.click()
    assert panel.logic.imported == ["/usb/models.zip"]
    assert panel.ui.importLabel.text == "Imported: Model brought."
    monkeypatch.setattr(qt.QFileDialog, "getOpenFileName", staticmethod(lambda *arguments: ""))
    panel.ui.importButton.click()
    assert len(panel.logic.imported) == 1


def test_without_models_the_card_says_so(make):
    panel = make()
    panel.logic.installed.clear()
    panel.update()
    assert panel.ui.modelCard.text == "No model is installed."
    assert panel.ui.modelSelector.currentIndex == -1


def test_damaged_models_are_told_and_the_panel_opens(make):
    panel = make()

    def fail():
        raise ModelError("models.json is damaged")

    panel.logic.models = fail
    panel.update()
    assert panel.ui.modelCard.text == "models.json is damaged"


def test_a_saved_scene_brings_its_choices_back_and_leaves_empty_what_was(make, parameters):
    panel = make()
    panel.enter()
    slicer.mrmlScene.StartState(slicer.mrmlScene.ImportState)  # as reading a scene file does
    chosen = volume("T1ce")
    volume("T2", "t2")
    parameters.t1ce = chosen
    slicer.mrmlScene.EndState(slicer.mrmlScene.ImportState)
    wait()
    assert (parameters.t1ce, parameters.t2) == (chosen, None)
    assert panel.ui.t1ceSelector.currentNode() is chosen


def test_after_the_scene_is_closed_the_panel_is_empty_and_works_on(make):
    volume("T1ce")
    panel = make()
    panel.enter()
    panel.onSceneClosed()
    panel.setParameterNode(None)
    slicer.mrmlScene.Clear()
    assert panel.ui.t1ceNote.text == ""
    node = volume("T1ce")
    panel.setParameterNode(panel.logic.getParameterNode())
    panel.enter()
    assert panel.ui.t1ceSelector.currentNode() is node


def watched(monkeypatch):
    """The questions about gray values that are answered from now on: (thread, its volume's ID and question, shape of the sample)."""
    answers, answer = [], Look.answer

    def told(self):
        answers.append((threading.current_thread(), (self.key[0], self.key[-1]), self.sample.array.shape))
        return answer(self)

    monkeypatch.setattr(Look, "answer", told)
    return answers


def until(done, seconds=60):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it never came"
        wait(10)


def test_unnamed_volumes_are_looked_at_in_a_thread_while_the_panel_says_so(make, parameters, monkeypatch):
    """Four volumes of the size of a head at 1 mm, of which nothing tells what they are."""
    roles = ("t1", "t1ce", "t2", "flair")
    heads = {role: np.kron(head(role).astype(np.int16), np.ones((4, 4, 4), np.int16)) for role in roles}
    nodes = {role: slicer.util.addVolumeFromArray(array, np.diag([-1.0, -1.0, 1.0, 1.0]), role[::-1]) for role, array in heads.items()}
    answers = watched(monkeypatch)
    panel = make()
    panel.ui.t2Selector.setCurrentNode(nodes["t2"])
    assert panel.ui.t2Note.text.splitlines()[0] == "Looking at its gray values..."
    panel.enter()
    assert parameters.flair is None
    until(lambda: not panel._looking.busy)
    assert (parameters.t2, parameters.flair) == (nodes["t2"], nodes["flair"])
    assert {parameters.t1, parameters.t1ce} <= {nodes["t1"], nodes["t1ce"], None}
    assert panel.ui.flairNote.text.startswith("Its gray values look most like it (")
    assert threading.current_thread() not in {thread for thread, _, _ in answers}
    questions = [question for _, question, _ in answers]
    assert len(set(questions)) == len(questions) and {(node.GetID(), GUESS) for node in nodes.values()} < set(questions)
    assert {shape for _, _, shape in answers} == {(80, 80, 100)}  # of 160 x 240 x 200: every second, third and second voxel


def test_find_waits_for_the_gray_values_too(make, parameters):
    unnamed, named = volume("unnamed", "t2"), volume("T1ce")
    panel = make()
    panel.ui.findButton.click()
    assert (parameters.t1ce, parameters.t2) == (named, None)
    until(lambda: not panel._looking.busy)
    assert (parameters.t1ce, parameters.t2) == (named, unnamed)


def test_find_looks_also_where_it_finds_nothing_at_once(make, parameters):
    unnamed = volume("unnamed", "t2")
    panel = make()
    panel.ui.findButton.click()
    until(lambda: not panel._looking.busy)
    assert parameters.t2 is unnamed


def test_volumes_that_come_while_others_are_looked_at_wait_their_turn(make, parameters):
    first = volume("unnamed", "t2")
    panel = make()
    panel.enter()
    second = volume("other", "flair")
    panel.onSettled()
    until(lambda: not panel._looking.busy)
    assert (parameters.t2, parameters.flair) == (first, second)


def test_a_warning_of_gray_values_comes_after_the_look(make):
    volume("T1ce", "t2")
    panel = make()
    panel.enter()
    assert panel.ui.t1ceNote.text == "Its name says so."
    until(lambda: not panel._looking.busy)
    assert panel.ui.t1ceNote.text == "⚠ This volume looks like T2, but was given as T1 with contrast; choose the right sequence."


def test_a_look_that_fails_is_told_once_and_the_volume_keeps_no_place(make, parameters, monkeypatch):
    def fail(*arguments):
        raise ArithmeticError("no percentile")

    node, guess = volume("unnamed", "t2"), inputs.api.guess_role
    monkeypatch.setattr(inputs.api, "guess_role", lambda image, *rest: fail() if image is not None else guess(None, *rest))
    panel = make()
    panel.enter()
    panel._looking._task.poll(10)
    with pytest.raises(ArithmeticError):
        panel._looking.onTick()
    assert not panel._looking.busy
    assert inputs.isGuessed(node) and parameters.t2 is None


def test_a_volume_that_goes_while_it_is_looked_at_gets_no_place(make, parameters, slot_errors):
    node = volume("unnamed", "t2")
    panel = make()
    panel.enter()
    slicer.mrmlScene.RemoveNode(node)
    until(lambda: not panel._looking.busy)
    assert parameters.parameterNode.GetNodeReferenceID("t2") is None  # parameters.t2 would be None of any ID that is not in the scene
    assert slot_errors == []


def test_a_volume_that_cannot_be_read_is_left_out_and_the_others_are_found(make, parameters):
    bad, good = volume("unnamed"), volume("other", "t2")
    bad.SetSpacing(0.0, 1.0, 1.0)
    panel = make()
    panel.enter()
    until(lambda: not panel._looking.busy)
    assert parameters.t2 is good and bad not in (parameters.t1, parameters.t1ce, parameters.flair)


def test_a_look_ends_with_the_scene(make):
    volume("unnamed", "t2")
    panel = make()
    panel.enter()
    assert panel._looking.busy
    panel.onSceneClosed()
    assert not panel._looking.busy and panel._unknown == []
