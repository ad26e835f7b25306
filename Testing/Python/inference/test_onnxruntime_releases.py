"""Older releases of onnxruntime open the shipped models and give what the installed one gives.

`make test` puts those releases beside the environment, each into a folder of its own; BRAINTUMORSEG_ONNXRUNTIMES names another place.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib import api
from BrainTumorSegLib.inference.models import ModelInfo, list_models
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from BrainTumorSegLib.resources import find_resources

REPOSITORY = Path(__file__).parents[3]
RELEASES = ("1.20.1", "1.23.2")
"""The oldest that `pyproject.toml` allows, and one between it and today; the Makefile has the same list."""
FOLDER = Path(os.environ.get("BRAINTUMORSEG_ONNXRUNTIMES", sys.prefix))
TWO_STEPS = 2.0 / 255
"""Two steps of the 8 bits that a quantized network counts in: releases may round a value that lies between two of them the other way, and
float kernels add in another order. A release that ran an operation differently would be off by tens of steps where the tumor is."""
WORKER = """
import json, sys
import numpy as np
import onnxruntime
from BrainTumorSegLib.inference.models import list_models
from BrainTumorSegLib.inference.session import Session

slices = np.load(sys.argv[1])
for model in list_models():
    maps = Session(model, threads=1).run(np.repeat(slices, len(model.inputs), axis=1))
    np.save(f"{sys.argv[2]}/{model.name}.npy", maps)
print(json.dumps({"version": onnxruntime.__version__, "file": onnxruntime.__file__}))
"""


@pytest.fixture(scope="module")
def slices() -> np.ndarray:
    """Two slices of the embedded phantom, one through its tumor and one at its edge, float32 [2, 1, 128, 96]."""
    phantom = find_resources() / "Phantom"
    image = api.read_volume(phantom / "t1ce.nii.gz").array
    tumor = np.argwhere(api.read_label_volume(phantom / "reference.nii.gz").array)
    z, y, x = tumor.mean(axis=0).astype(int)
    tissue = fit_tissue_scale(image).apply(image)
    top, left = np.clip((y - 64, x - 48), 0, np.subtract(image.shape[1:], (128, 96)))
    return np.stack([tissue[i, top : top + 128, left : left + 96] for i in (z, tumor[:, 0].max())])[:, None].astype(np.float32)


@pytest.fixture(scope="module")
def expected(slices: np.ndarray) -> dict[str, np.ndarray]:
    """Maps of every shipped model by the installed onnxruntime."""
    return {model.name: run(model, slices) for model in list_models()}


def run(model: ModelInfo, slices: np.ndarray) -> np.ndarray:
    return Session(model, threads=1).run(np.repeat(slices, len(model.inputs), axis=1))


def test_the_slices_show_every_model_a_tumor(expected: dict[str, np.ndarray]) -> None:
    for name, maps in expected.items():
        assert 0.01 < np.mean(maps >= 0.5) < 0.5, f"{name}: maps that are the same everywhere would agree for nothing"


def test_the_makefile_brings_the_same_releases() -> None:
    line = next(line for line in (REPOSITORY / "Makefile").read_text().splitlines() if line.startswith("ONNXRUNTIMES :="))
    assert tuple(line.split(":=")[1].split()) == RELEASES


@pytest.mark.parametrize("release", RELEASES)
def test_every_shipped_model_gives_the_same_in_another_release(release: str, slices: np.ndarray, expected: dict[str, np.ndarray], tmp_path: Path) -> None:
    folder = FOLDER / f"onnxruntime-{release}"
    if not folder.is_dir():
        pytest.skip(f"onnxruntime {release} is not in {FOLDER}: `make test` puts it there where it has a wheel for this Python and platform")
    np.save(tmp_path / "slices.npy", slices)
    first = os.pathsep.join([str(folder), str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", WORKER, str(tmp_path / "slices.npy"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": first}, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    assert loaded["version"] == release
    assert Path(loaded["file"]).is_relative_to(folder)
    for name, maps in expected.items():
        assert np.abs(np.load(tmp_path / f"{name}.npy") - maps).max() <= TWO_STEPS, name
