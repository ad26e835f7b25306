"""The .ui files and the code that binds them agree, without Qt."""

import ast
import re
import typing
from xml.etree import ElementTree

import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import host
from BrainTumorSegGUI.parameters import BrainTumorSegParameterNode

MODULE = host.MODULE_FILE.parent
FILES = {path.stem: ElementTree.parse(path).getroot() for path in sorted((MODULE / "Resources" / "UI").glob("*.ui"))}
CONTROLS = ("Button", "Box", "Slider", "SpinBox", "LineEdit", "View", "Bar", "Edit", "TableWidget")
"""Ends of the names of classes that a user works with or reads numbers from; not a group box, which is a frame."""

every_file = pytest.mark.parametrize("name", FILES)


def widgets_of(name):
    return {widget.get("name"): widget for widget in FILES[name].iter("widget")}


def property_of(widget, name):
    return next((item for item in widget.findall("property") if item.get("name") == name), None)


def is_control(widget):
    kind = widget.get("class")
    return kind.endswith(CONTROLS) and kind not in ("ctkCollapsibleButton", "ctkCollapsibleGroupBox", "QGroupBox")


def test_every_panel_has_its_file_and_every_file_its_panel():
    code = (MODULE / "BrainTumorSegGUI" / "panels.py").read_text(encoding="utf-8")
    assert set(re.findall(r"import (\w+Panel)", code)) == set(FILES)


@every_file
def test_every_widget_that_the_code_names_is_in_its_ui_file(name):
    code = (MODULE / "BrainTumorSegGUI" / f"{name[0].lower()}{name[1:]}.py").read_text(encoding="utf-8")
    used = set(re.findall(r"\bui\.(\w+)", code))
    assert used
    assert used <= set(widgets_of(name))


def test_every_control_has_a_tooltip():
    controls = {name: widget for file in FILES for name, widget in widgets_of(file).items() if is_control(widget)}
    assert len(controls) > 30
    assert [name for name, widget in controls.items() if property_of(widget, "toolTip") is None] == []


def test_no_two_widgets_share_a_name():
    names = [name for file in FILES for name in widgets_of(file)]
    assert sorted(names) == sorted(set(names))


def test_every_bound_parameter_exists_and_has_the_node_types_of_its_selector():
    hints = typing.get_type_hints(BrainTumorSegParameterNode)
    bound = [
        (property_of(widget, "SlicerParameterName").findtext("string"), widget)
        for file in FILES
        for widget in widgets_of(file).values()
        if property_of(widget, "SlicerParameterName") is not None
    ]
    names = [name for name, _ in bound]
    assert len(names) == len(set(names)) and set(names) <= set(hints)
    assert {"t1", "t1ce", "t2", "flair", "quality", "threads", "segmentation", "reference"} <= set(names)
    for name, widget in bound:
        if widget.get("class") == "qMRMLNodeComboBox":
            types = [kind for kind in typing.get_args(hints[name]) or (hints[name],) if kind is not type(None)]
            listed = [item.text for item in property_of(widget, "nodeTypes").find("stringlist")]
            assert listed == [kind.__name__ for kind in types]


@every_file
def test_every_mrml_widget_gets_the_scene(name):
    mrml = {widget for widget, element in widgets_of(name).items() if element.get("class").startswith("qMRML") and widget != name}
    signal = "mrmlSceneChanged(vtkMRMLScene*)"
    assert {connection.findtext("receiver") for connection in FILES[name].iter("connection") if connection.findtext("signal") == signal} == mrml


@every_file
def test_every_slicer_class_of_the_ui_file_is_declared(name):
    declared = {custom.findtext("class") for custom in FILES[name].iter("customwidget")}
    assert {widget.get("class") for widget in widgets_of(name).values() if widget.get("class")[0] != "Q"} == declared


def test_every_text_shown_by_the_code_can_be_translated():
    shown = {"text", "toolTip", "title", "windowTitle", "placeholderText"}
    for path in MODULE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute) and node.targets[0].attr in shown:
                assert not isinstance(node.value, ast.JoinedStr), f"{path.name}:{node.lineno}"
                assert not (isinstance(node.value, ast.Constant) and node.value.value), f"{path.name}:{node.lineno}"


def test_every_error_of_the_module_can_be_translated():
    for path in MODULE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"InputError", "ModelError", "Cancelled", "RuntimeError"}:
                assert not isinstance(node.args[0], (ast.JoinedStr, ast.Constant)), f"{path.name}:{node.lineno}"
