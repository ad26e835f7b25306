"""Every control and every note of the inputs panel (tier 2: PySide6 stands for Qt, and the scene is the real one)."""

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")
pytest.importorskip("PySide6", reason="PySide6-Essentials is not installed")

import qt
import slicer
import slicer.util
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


def test_a_look_at_the_volumes_takes_no_more_than_a_tenth_of_a_second(make):
    import time

    for name in ("a", "b", "c", "d"):  # nothing tells what they are: gray values are measured
        slicer.util.addVolumeFromArray(np.tile(head("t1"), (4, 4, 5)).astype(np.int16), np.diag([-1.0, -1.0, 1.0, 1.0]), name)
    panel = make()
    panel.enter()
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        panel.update()
        times.append(time.perf_counter() - begun)
    assert min(times) < 0.1
