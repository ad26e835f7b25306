"""The module file: its shape, its Logic, and the self-test, run outside the application."""

import ast
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import host
import slicer
import slicer.util
import standin
from watching import scene_as_text, wait_for

import BrainTumorSeg
from BrainTumorSegLib import api

MODULE_FOLDER = Path(BrainTumorSeg.__file__).parent
FILES = sorted(MODULE_FOLDER.rglob("*.py"))
ALLOWED_AT_FILE_SCOPE = {"slicer", "vtk", "qt", "ctk", "numpy", "SimpleITK", "BrainTumorSegGUI", "BrainTumorSegLib", "SegmentEditorEffects"}

shipped = pytest.mark.skipif(not (host.ROOT / "Resources" / "Models" / "models.json").is_file(), reason="Resources/Models holds no model yet")


def volume_node(name="T1ce"):
    array = np.zeros((4, 5, 6), np.int16)
    array[1, 2, 3:5] = 500
    return slicer.util.addVolumeFromArray(array, np.eye(4), name)


def imported_at_file_scope(path):
    """Module names of the import statements that run when a file is loaded."""
    names = []
    pending = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module)
        elif isinstance(node, ast.If) and getattr(node.test, "id", "") != "TYPE_CHECKING":
            pending += node.body + node.orelse
        elif isinstance(node, ast.Try):
            pending += node.body
    return names


def test_the_module_file_is_short():
    assert len((MODULE_FOLDER / "BrainTumorSeg.py").read_text(encoding="utf-8").splitlines()) < 250


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_loads_with_what_slicer_has(path):
    roots = {name.partition(".")[0] for name in imported_at_file_scope(path)}
    assert roots - set(sys.stdlib_module_names) <= ALLOWED_AT_FILE_SCOPE


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_gui_knows_only_the_door_and_the_labels_of_the_backend(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "BrainTumorSegLib":
            assert {alias.name for alias in node.names} <= {"__version__", "api", "labels"}
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("BrainTumorSegLib"):
            assert node.module in {"BrainTumorSegLib.api", "BrainTumorSegLib.labels"}
        elif isinstance(node, ast.Import):
            assert not any(alias.name.startswith("BrainTumorSegLib") for alias in node.names)


@pytest.mark.parametrize("backend_found", [True, False])
def test_a_source_checkout_finds_its_backend_and_an_installation_leaves_the_path_alone(backend_found, tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(host.ROOT / 'Testing' / 'Slicer')!r}); import host; host.install()\n"
        f"{'sys.path.append(' + repr(str(host.ROOT)) + ')' if backend_found else ''}\n"
        "before = list(sys.path); import BrainTumorSeg, BrainTumorSegLib; print(sys.path[len(before):])"
    )
    # -I: without the folder it runs in and without the user's own packages. An installed package of ours would be found, and then nothing is added.
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    installed = subprocess.run([sys.executable, "-I", "-c", "import BrainTumorSegLib"], cwd=tmp_path, capture_output=True, check=False).returncode == 0
    assert done.stdout.strip() == ("[]" if backend_found or installed else f"[{str(host.ROOT)!r}]")


def test_an_older_slicer_can_load_the_module_file_to_say_why_it_cannot_run_it():
    # Slicer 5.8 has Python 3.9. What is loaded there may use neither newer syntax nor the backend's door.
    loaded = [MODULE_FOLDER / "BrainTumorSeg.py", *(MODULE_FOLDER / "BrainTumorSegGUI" / f"{name}.py" for name in ("__init__", "install", "parameters"))]
    for path in loaded:
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
        names = imported_at_file_scope(path)
        assert not [name for name in names if name.startswith("BrainTumorSegLib.") and name != "BrainTumorSegLib.labels"]
        assert {name for name in names if name.startswith("BrainTumorSegGUI.")} <= {"BrainTumorSegGUI.install", "BrainTumorSegGUI.parameters"}


def test_choices_are_kept_in_the_scene():
    node = volume_node()
    BrainTumorSeg.BrainTumorSegLogic().getParameterNode().t1ce = node
    parameters = BrainTumorSeg.BrainTumorSegLogic().getParameterNode()
    assert parameters.t1ce is node
    parameters.model = "t1ce-tumor"
    assert BrainTumorSeg.BrainTumorSegLogic().getParameterNode().model == "t1ce-tumor"


def test_the_chosen_inputs_are_listed_by_role():
    from BrainTumorSegGUI.parameters import inputNodes

    parameters = BrainTumorSeg.BrainTumorSegLogic().getParameterNode()
    assert inputNodes(parameters) == {}
    parameters.t1ce = volume_node()
    assert {role: node.GetName() for role, node in inputNodes(parameters).items()} == {"t1ce": "T1ce"}


def test_one_call_segments_and_publishes():
    logic = BrainTumorSeg.BrainTumorSegLogic(segment=standin.segmentBright)
    node = logic.segmentNodes({"t1ce": volume_node()})
    assert node.GetAttribute("BrainTumorSeg.Model") == "stand-in"
    table, notices = logic.evaluate(node, logic.segmentNodes({"t1ce": volume_node()}))
    assert (table.GetCellText(0, 1), notices) == ("1", ())


def test_a_second_run_is_refused_until_the_first_has_ended():
    logic = BrainTumorSeg.BrainTumorSegLogic(segment=standin.SegmentForever())
    run = logic.start({"t1ce": volume_node()})
    with pytest.raises(api.InputError, match="one can run at a time"):
        logic.start({"t1ce": volume_node()})
    run.cancel()
    while not run.poll(0.01).finished:
        pass
    again = logic.start({"t1ce": volume_node()})
    again.cancel()
    while not again.poll(0.01).finished:
        pass


def test_a_run_that_nobody_keeps_does_not_keep_its_inputs():
    logic = BrainTumorSeg.BrainTumorSegLogic(segment=standin.segmentBright)
    logic.segmentNodes({"t1ce": volume_node()})
    assert logic._run() is None


def test_the_segment_editor_is_pointed_at_the_segmentation_and_its_volume():
    logic = BrainTumorSeg.BrainTumorSegLogic(segment=standin.segmentBright)
    volume = volume_node()
    segmentation = logic.segmentNodes({"t1ce": volume})
    editor = logic.prepareSegmentEditor(segmentation)
    assert editor.GetSegmentationNode() is segmentation
    assert editor.GetSourceVolumeNode() is volume
    assert slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode") is editor
    assert logic.prepareSegmentEditor(segmentation) is editor


@shipped
def test_the_self_test_really_infers():
    BrainTumorSeg.BrainTumorSegTest().runTest()


@shipped
def test_cancel_stops_the_batch_of_the_shipped_model_that_runs_and_leaves_the_scene_as_it_was(monkeypatch):
    """Cancelled while the third batch is about to be run: the network gives it up, and no fourth begins."""
    from BrainTumorSegGUI.selfTest import phantomArrays

    from BrainTumorSegLib.inference.session import Session

    batches, call = [], Session._call
    third, cancelled = threading.Event(), threading.Event()

    def watched(self, slices, options):
        batches.append("begun")
        if len(batches) == 3:
            third.set()
            cancelled.wait(60)
        maps = call(self, slices, options)
        batches[-1] = "done"
        return maps

    monkeypatch.setattr(Session, "_call", watched)
    volume = slicer.util.addVolumeFromArray(phantomArrays()[0], np.diag([-1.2, -1.2, 6.0, 1.0]), "T1ce")
    before = scene_as_text()
    run = BrainTumorSeg.BrainTumorSegLogic().start({"t1ce": volume}, options=api.SegmentOptions(planes="all", threads=1, early_exit=False))
    while not third.is_set():
        assert not run.poll(0.01).finished
    run.cancel()
    cancelled.set()
    wait_for(run)
    with pytest.raises(api.Cancelled):
        run.publish()
    assert batches == ["done", "done", "begun"]
    assert scene_as_text() == before
