"""The test host itself: PythonQt's manners, and nothing that Slicer lacks (tier 2). What is unknown raises, so that a typing error is found here."""

from typing import Annotated

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")
pytest.importorskip("PySide6", reason="PySide6-Essentials is not installed")

import ctk
import qt
import slicer
import slicer.util
import standin_parameters
from pictures import grab

UI = """<ui version="4.0"><class>Form</class><widget class="qMRMLWidget" name="Form"><layout class="QVBoxLayout" name="box">
<item><widget class="{kind}" name="child"><property name="{property}"><string>T1ce</string></property></widget></item></layout></widget>
<connections><connection><sender>Form</sender><signal>{signal}</signal><receiver>child</receiver><slot>deleteLater()</slot></connection></connections></ui>"""


def load(tmp_path, kind="QLabel", name="text", signal="mrmlSceneChanged(vtkMRMLScene*)"):
    path = tmp_path / "Form.ui"
    path.write_text(UI.format(kind=kind, property=name, signal=signal), encoding="utf-8")
    return slicer.util.loadUI(str(path))


def test_properties_are_attributes_and_signals_are_connected_by_signature():
    button = qt.QPushButton("Apply")
    assert (button.text, button.enabled) == ("Apply", True)
    button.text, button.checkable = "Stop", True
    clicks = []
    button.connect("clicked(bool)", clicks.append)
    button.click()
    button.disconnect("clicked(bool)", clicks.append)
    button.click()
    assert (button.text, clicks) == ("Stop", [True])


@pytest.mark.parametrize(
    "use",
    [
        lambda: qt.QNothing,
        lambda: ctk.ctkNothing,
        lambda: slicer.qMRMLNothing,
        lambda: slicer.app.nothing,
        lambda: slicer.modules.nothing,
        lambda: setattr(qt.QLabel(), "txt", ""),
        lambda: qt.QLabel().txt,
    ],
)
def test_an_unknown_name_raises(use):
    with pytest.raises(AttributeError):
        use()


def test_a_signal_or_a_value_that_does_not_exist_raises():
    with pytest.raises(ValueError, match="QPushButton has no signal clickd"):
        qt.QPushButton().connect("clickd(bool)", print)
    with pytest.raises(TypeError, match="QLabel.wordWrap cannot be"):
        qt.QLabel().wordWrap = qt.QFont()
    with pytest.raises(ValueError, match="slicer.app has no signal"):
        slicer.app.connect("started()", print)


def test_a_ui_file_with_an_unknown_class_property_or_signal_raises(tmp_path):
    form = load(tmp_path)
    assert form.findChildren(qt.QLabel)[0].text == "T1ce"
    with pytest.raises(AttributeError, match="qt has no name QNothing"):
        load(tmp_path, kind="QNothing")
    with pytest.raises(ValueError, match="QLabel child has no property txt"):
        load(tmp_path, name="txt")
    with pytest.raises(ValueError, match="qMRMLWidget has no signal changed"):
        load(tmp_path, signal="changed()")


def test_a_node_selector_offers_the_nodes_of_its_types_and_follows_the_scene():
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes, selector.noneEnabled, selector.showChildNodeTypes = ["vtkMRMLScalarVolumeNode"], True, False
    selector.setMRMLScene(slicer.mrmlScene)
    changes = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", changes.append)
    node = slicer.util.addVolumeFromArray(np.zeros((2, 2, 2)), name="T1ce")
    slicer.util.addVolumeFromArray(np.zeros((2, 2, 2), np.uint8), name="mask", nodeClassName="vtkMRMLLabelMapVolumeNode")
    hidden = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "hidden")
    hidden.SetHideFromEditors(True)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode")
    assert selector.nodeCount() == 1 and selector.currentNode() is None
    selector.setCurrentNode(node)
    assert (selector.currentNode(), selector.currentNodeID) == (node, node.GetID())
    slicer.mrmlScene.RemoveNode(node)
    assert selector.currentNode() is None and changes == [node, None]


def test_parameters_keep_their_types_and_limits():
    @standin_parameters.parameterNodeWrapper
    class Choices:
        count: Annotated[int, standin_parameters.WithinRange(0, 9)] = 3
        names: list[str]

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    choices = Choices(node)
    assert (choices.count, choices.names) == (3, [])
    choices.count, choices.names = 5, ["a"]
    assert (Choices(node).count, Choices(node).names) == (5, ["a"])
    with pytest.raises(ValueError, match="count must be within 0 and 9, not 10"):
        choices.count = 10
    with pytest.raises(TypeError, match="count holds int, not 'five'"):
        choices.count = "five"


def test_a_type_that_slicer_cannot_store_or_show_raises():
    with pytest.raises(TypeError, match="stores no parameter of type"):

        @standin_parameters.parameterNodeWrapper
        class Wrong:
            when: complex

    @standin_parameters.parameterNodeWrapper
    class Choices:
        name: str

    box = qt.QComboBox()
    box.setProperty("SlicerParameterName", "name")
    choices = Choices(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))
    with pytest.raises(RuntimeError, match="unable to connect"):
        choices.connectGui(_ui(box))


def _ui(widget):
    ui = type("", (), {})()
    ui.widget = widget
    return ui


def test_a_panel_becomes_a_picture(tmp_path):
    label = qt.QLabel("seen")
    grab(label, tmp_path / "label.png")
    assert (tmp_path / "label.png").read_bytes()[:4] == b"\x89PNG"
