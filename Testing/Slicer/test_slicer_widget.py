"""The module's widget as Slicer drives it: set up, entered, left, its scene closed, unloaded (tier 2)."""

import sys

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")
pytest.importorskip("PySide6", reason="PySide6-Essentials is not installed")

import qt
import slicer
import slicer.util
from BrainTumorSegGUI.panels import PANELS

import BrainTumorSeg


class ModuleWidget(slicer.qMRMLWidget):
    """What Slicer gives a scripted module as parent, with the one property that is used."""

    isEntered = True


@pytest.fixture
def widget():
    parent = ModuleWidget()
    parent.setLayout(qt.QVBoxLayout())
    parent.setMRMLScene(slicer.mrmlScene)
    widget = BrainTumorSeg.BrainTumorSegWidget(parent)
    widget.setup()
    yield widget
    widget.exit()
    widget.cleanup()
    parent.deleteLater()
    slicer.app.processEvents()
    slicer.app.sendPostedDeletes()


def volume(name="T1ce"):
    return slicer.util.addVolumeFromArray(np.arange(120, dtype=np.int16).reshape(4, 5, 6), np.eye(4), name)


def inputs_of(widget):
    return widget.panels[0].ui


def test_all_panels_are_there_in_their_order(widget):
    assert [type(panel) for panel in widget.panels] == list(PANELS)


def test_it_can_be_made_without_a_parent(layout):
    alone = BrainTumorSeg.BrainTumorSegWidget()
    assert len(alone.panels) == len(PANELS)
    alone.exit()
    alone.cleanup()
    alone.parent.deleteLater()


def test_entering_fills_the_inputs_and_a_change_reaches_all_panels(widget):
    node = volume()
    widget.enter()
    assert inputs_of(widget).t1ceSelector.currentNode() is node
    assert widget.panels[1].ui.applyButton.enabled
    inputs_of(widget).t1ceSelector.setCurrentNode(None)
    assert not widget.panels[1].ui.applyButton.enabled


def test_leaving_and_coming_back_keeps_the_choices(widget):
    first, second = volume(), volume("other")
    widget.enter()
    widget.exit()
    widget.logic.getParameterNode().t1ce = second  # by a script, while another module is open
    widget.enter()
    assert inputs_of(widget).t1ceSelector.currentNode() is second
    inputs_of(widget).t1ceSelector.setCurrentNode(first)
    assert widget.logic.getParameterNode().t1ce is first


def test_a_panel_that_let_go_of_its_choices_neither_changes_nor_shows_them(widget):
    first, second = volume(), volume("other")
    widget.enter()
    panel, parameters = widget.panels[0], widget.logic.getParameterNode()
    panel.setParameterNode(None)
    panel.ui.t1ceSelector.setCurrentNode(second)
    assert parameters.t1ce is first
    parameters.t2 = second
    assert panel.ui.t2Selector.currentNode() is None


def test_closing_the_scene_empties_the_panels_and_the_next_scene_fills_them(widget):
    volume()
    widget.enter()
    slicer.mrmlScene.Clear()
    assert inputs_of(widget).t1ceSelector.currentNode() is None
    node = volume("T1ce of the next")
    widget.enter()
    assert inputs_of(widget).t1ceSelector.currentNode() is node


def test_after_unloading_nothing_listens_any_more(widget):
    volume()
    widget.enter()
    widget.exit()
    widget.cleanup()
    heard = []
    for panel in widget.panels:
        panel.update = panel.onSceneClosed = lambda: heard.append(True)
    widget.logic.getParameterNode().t1ce = volume("T2")
    slicer.mrmlScene.Clear()
    assert heard == []


def test_a_slicer_that_is_too_old_is_told_in_one_sentence(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 10))
    parent = ModuleWidget()
    parent.setLayout(qt.QVBoxLayout())
    widget = BrainTumorSeg.BrainTumorSegWidget(parent)
    widget.setup()
    label = parent.layout().itemAt(0).widget()
    assert "install Slicer 5.10 or newer" in label.text and label.wordWrap
    widget.enter()
    widget.exit()
    widget.cleanup()


def test_the_effect_and_the_sample_data_are_registered_when_slicer_has_started(monkeypatch):
    from types import SimpleNamespace

    import BrainTumorSegGUI.startup as startup

    registered = []
    monkeypatch.setattr(startup, "registerExtras", lambda: registered.append(True))
    slicer.app.startupSlots.clear()
    module = BrainTumorSeg.BrainTumorSeg(SimpleNamespace())
    (slot,) = slicer.app.startupSlots
    assert slot == module.onStartupCompleted and registered == []
    slot()
    assert registered == [True]
