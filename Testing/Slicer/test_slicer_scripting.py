"""The examples of docs/slicer-python.md run as they stand, with a stand-in for the network."""

import re

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import host
import slicer
import slicer.util
import standin

import BrainTumorSeg

PAGE = (host.ROOT / "docs" / "slicer-python.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_the_examples_of_the_page_run_as_they_stand(monkeypatch, capsys):
    array = np.zeros((8, 9, 10), np.int16)
    array[2:5, 3:6, 3:6] = 500
    node = slicer.util.addVolumeFromArray(array, np.diag([-20.0, -20.0, 20.0, 1.0]), "T1 post")
    monkeypatch.setattr("BrainTumorSegLib.api.segment", standin.segmentBright)
    assert len(EXAMPLES) == 2
    names = {}
    for example in EXAMPLES:
        exec(compile(example, "slicer-python.md", "exec"), names)
    assert names["inputs"] == {"t1ce": node}
    assert capsys.readouterr().out == "T1 post tumor was made by stand-in\nTumor Dice 1\n"
    assert names["edited"] is not names["segmentation"]
    assert names["second"].GetName() != names["segmentation"].GetName()


def test_every_method_that_the_page_names_exists_and_is_documented():
    named = set(re.findall(r"(?:logic\.|`)(\w+)\(", PAGE)) - {"ensureOnnxruntime", "help"}
    assert {"guessInputs", "segmentNodes", "start", "models"} <= named
    for name in named:
        assert getattr(BrainTumorSeg.BrainTumorSegLogic, name).__doc__


def test_every_public_method_of_the_logic_is_documented():
    methods = [member for name, member in vars(BrainTumorSeg.BrainTumorSegLogic).items() if callable(member) and not name.startswith("_")]
    assert [method.__name__ for method in methods if not method.__doc__] == []
