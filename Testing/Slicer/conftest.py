"""Tests on the real MRML scene of slicer-core (tier 1); each starts with an empty scene and fails if VTK reports anything."""

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

    @pytest.fixture(autouse=True)
    def empty_scene():
        slicer.mrmlScene.Clear()
        yield
        reported = list(MESSAGES.texts)
        MESSAGES.texts.clear()
        assert reported == [], "VTK reported errors or warnings"

    @pytest.fixture
    def vtk_messages():
        """What VTK has reported so far in this test; a test that expects a message empties the list."""
        return MESSAGES.texts
