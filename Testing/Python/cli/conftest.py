"""A model that can be made in a millisecond and worked out by hand: tumor is what is brighter than 1.5 times mean tissue."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.io.images import write_volume
from BrainTumorSegLib.resources import ENVIRONMENT_VARIABLE, find_resources
from BrainTumorSegLib.volume import Volume
from Testing.Python.tiny import THRESHOLD_TAPS, model_row, save_network, write_models, write_network

_LAYERS = 8


def _write_slow_network(path: Path) -> None:
    """The same result after convolutions that take their time and change nothing."""
    onnx = pytest.importorskip("onnx")
    constants = {"wide": np.zeros((32, 1, 3, 3)), "deep": np.zeros((32, 32, 9, 9)), "narrow": np.zeros((1, 32, 1, 1)), "edge": 1.5, "slope": 50.0}
    constants["wide"][0, 0, 1, 1] = constants["deep"][0, 0, 4, 4] = constants["narrow"][0, 0, 0, 0] = 1
    nodes = [onnx.helper.make_node("Conv", ["slices", "wide"], ["layer0"], pads=[1] * 4)]
    nodes += [onnx.helper.make_node("Conv", [f"layer{i}", "deep"], [f"layer{i + 1}"], pads=[4] * 4) for i in range(_LAYERS)]
    nodes += [
        onnx.helper.make_node("Conv", [f"layer{_LAYERS}", "narrow"], ["same"]),
        onnx.helper.make_node("Sub", ["same", "edge"], ["above"]),
        onnx.helper.make_node("Mul", ["above", "slope"], ["steep"]),
        onnx.helper.make_node("Sigmoid", ["steep"], ["probability"]),
    ]
    save_network(path, nodes, constants)


@pytest.fixture
def resources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A resources folder with the models "bright" and "slow" and the phantom, in use for this test."""
    folder = tmp_path / "resources"
    (folder / "Models").mkdir(parents=True)
    shutil.copytree(find_resources() / "Phantom", folder / "Phantom")
    bright = write_network(folder / "Models" / "bright.onnx", THRESHOLD_TAPS, edge=1.5)
    slow = folder / "Models" / "slow.onnx"
    _write_slow_network(slow)
    rows = [model_row(path, name=path.stem, title="Threshold", scores={"dice": 0.5}) for path in (bright, slow)]
    write_models(folder / "Models", *rows)
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(folder))
    return folder


@pytest.fixture
def head(tmp_path: Path) -> Path:
    """A head of gray 100 (40x48x44 voxels of 4 mm, flipped axes) with a tumor of 8x8x8 = 512 voxels of gray 300."""
    z, y, x = np.ogrid[-1:1:44j, -1:1:48j, -1:1:40j]
    array = np.where(x**2 + y**2 + z**2 < 0.9, 100, 0).astype(np.int16)
    array[18:26, 20:28, 8:16] = 300
    path = tmp_path / "head.nii.gz"
    write_volume(Volume(array, (4.0, 4.0, 4.0), (80.0, 90.0, -70.0), (-1.0, 0, 0, 0, -1.0, 0, 0, 0, 1.0)), path)
    return path
