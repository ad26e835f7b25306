"""The .ui file and the code that binds it agree, without Qt."""

import ast
import re
import typing
from xml.etree import ElementTree

import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import host
from BrainTumorSegGUI.parameters import BrainTumorSegParameterNode

UI = ElementTree.parse(host.MODULE_FILE.parent / "Resources" / "UI" / "BrainTumorSeg.ui").getroot()
WIDGETS = {widget.get("name"): widget for widget in UI.iter("widget")}
INTERACTIVE = {"QPushButton", "QComboBox", "qMRMLNodeComboBox", "qMRMLTableView", "QProgressBar"}


def property_of(widget, name):
    return next((item for item in widget.findall("property") if item.get("name") == name), None)


def test_every_widget_that_the_code_names_is_in_the_ui_file():
    code = "\n".join(path.read_text(encoding="utf-8") for path in host.MODULE_FILE.parent.rglob("*.py"))
    used = set(re.findall(r"\bui\.(\w+)", code))
    assert used
    assert used <= set(WIDGETS)


def test_every_control_has_a_tooltip():
    controls = {name: widget for name, widget in WIDGETS.items() if widget.get("class") in INTERACTIVE}
    assert len(controls) == 10
    assert [name for name, widget in controls.items() if property_of(widget, "toolTip") is None] == []


def test_every_bound_parameter_exists_and_has_the_node_types_of_its_selector():
    hints = typing.get_type_hints(BrainTumorSegParameterNode)
    bound = {
        property_of(widget, "SlicerParameterName").findtext("string"): widget
        for widget in WIDGETS.values()
        if property_of(widget, "SlicerParameterName") is not None
    }
    assert set(bound) == {"t1ce", "segmentation", "reference"}
    for name, widget in bound.items():
        types = [kind for kind in typing.get_args(hints[name]) or (hints[name],) if kind is not type(None)]
        listed = [item.text for item in property_of(widget, "nodeTypes").find("stringlist")]
        assert listed == [kind.__name__ for kind in types]


def test_every_mrml_widget_gets_the_scene():
    mrml = {name for name, widget in WIDGETS.items() if widget.get("class").startswith("qMRML") and name != "BrainTumorSeg"}
    connected = {connection.findtext("receiver") for connection in UI.iter("connection") if connection.findtext("signal") == "mrmlSceneChanged(vtkMRMLScene*)"}
    assert connected == mrml


def test_every_slicer_class_of_the_ui_file_is_declared():
    declared = {custom.findtext("class") for custom in UI.iter("customwidget")}
    assert {widget.get("class") for widget in WIDGETS.values() if widget.get("class")[0] != "Q"} == declared


def test_every_text_shown_by_the_code_can_be_translated():
    shown = {"text", "toolTip"}
    for path in (host.MODULE_FILE.parent / "BrainTumorSegGUI").glob("*Panel.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute) and node.targets[0].attr in shown:
                assert not isinstance(node.value, ast.JoinedStr)
                assert not (isinstance(node.value, ast.Constant) and node.value.value)
