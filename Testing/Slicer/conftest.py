"""Tests on the real MRML scene of slicer-core (tier 1) and of the panels on PySide6 (tier 2): an empty scene each, and VTK must report nothing."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(Path(__file__).parent))  # for host.py and the other helpers
if importlib.util.find_spec("BrainTumorSegLib") is None:  # neither installed nor run from the repository's root
    sys.path.append(str(ROOT))

# Not "slicer": an unrelated package of that name exists.
if importlib.util.find_spec("slicer_core") is not None:
    import host
    import slicer

    MESSAGES = host.VtkMessages()
    host.install()

    def remove_choices():
        """Clearing the scene keeps the singleton with the module's choices, and on it observers of widgets that are gone."""
        for node in slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode"):
            slicer.mrmlScene.RemoveNode(node)

    @pytest.fixture(autouse=True)
    def empty_scene():
        slicer.mrmlScene.Clear()
        yield
        remove_choices()
        reported = list(MESSAGES.texts)
        MESSAGES.texts.clear()
        assert reported == [], "VTK reported errors or warnings"

    @pytest.fixture
    def vtk_messages():
        """What VTK has reported so far in this test; a test that expects a message empties the list."""
        return MESSAGES.texts

    @pytest.fixture(autouse=True)
    def slot_errors(monkeypatch):
        """What has left a slot or an observer in this test: Qt and VTK only print it; a test that expects an error empties the list."""
        errors = []
        monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: errors.append(error))
        yield errors
        assert errors == [], "an error left a slot or an observer"

    @pytest.fixture
    def foreign(monkeypatch):
        """Slicer in another language, in which every text stands between guillemets; returns the (context, text) that were looked up."""
        asked = []

        def translate(context, text):
            asked.append((context, text))
            return f"«{text}»"

        monkeypatch.setattr(slicer.app, "translator", translate)
        return asked

    @pytest.fixture
    def parameters():
        """The module's choices in the empty scene."""
        import BrainTumorSeg

        return BrainTumorSeg.BrainTumorSegLogic().getParameterNode()

    @pytest.fixture
    def study():
        """A patient's study in the subject hierarchy, in which every new node has an item."""
        from study import Study

        study = Study()
        yield study
        study.close()

    @pytest.fixture
    def layout():
        """Where a panel is put; it goes with all its widgets at the end of the test (tier 2)."""
        import qt

        parent = slicer.qMRMLWidget()
        parent.setLayout(qt.QVBoxLayout())
        yield parent.layout()
        remove_choices()
        parent.deleteLater()
        slicer.app.processEvents()
        slicer.app.sendPostedDeletes()
