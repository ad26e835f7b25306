"""Builders that the tests share: volumes turned every way, networks worked out by hand, a few slices to learn from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from BrainTumorSegLib.data.slice_set import TUMOR_BIT, WHOLE_BIT, SliceSet, SliceSetBuilder
from BrainTumorSegLib.inference.models import ModelInfo, list_models
from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig
from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from BrainTumorSegLib.progress import CancelToken
from BrainTumorSegLib.training.recipe import Phase, Recipe
from BrainTumorSegLib.volume import Volume

Turn = tuple[tuple[int, int, int], tuple[bool, bool, bool]]
TURNS: list[Turn] = [(axes, flips) for axes in permutations(range(3)) for flips in product((False, True), repeat=3)]  # type: ignore[misc]
"""All 48 ways of storing one volume: new axis i is old axis axes[i], then reversed where flips[i]."""


def turn_array(array: np.ndarray, turn: Turn) -> np.ndarray:
    """[z, y, x, ...] stored the other way."""
    axes, flips = turn
    turned = array.transpose(*axes, *range(3, array.ndim))
    return turned[tuple(slice(None, None, -1 if flip else 1) for flip in flips)]


def turn_volume(volume: Volume, turn: Turn) -> Volume:
    """The same image in the same place, stored the other way."""
    axes, flips = turn
    along = volume.matrix.T[::-1]  # row a: the LPS direction in which array axis a runs
    spacing = np.array(volume.spacing_zyx_mm)
    origin = np.array(volume.origin, float)
    directions = []
    for axis, flip in zip(axes, flips):
        if flip:
            origin += along[axis] * spacing[axis] * (volume.array.shape[axis] - 1)
        directions.append(-along[axis] if flip else along[axis])
    matrix = np.stack(directions[::-1], axis=1)  # columns x, y, z
    new_spacing = tuple(float(spacing[axis]) for axis in axes[::-1])
    return Volume(turn_array(volume.array, turn), new_spacing, tuple(origin.tolist()), tuple(matrix.ravel().tolist()), volume.has_millimeters)


def head_with_tumor() -> Volume:
    """A head of gray 100 (24 voxels of 5 mm across) with a tumor of 4 x 5 x 6 = 120 voxels of gray 300."""
    volume = ball_head((24, 24, 24), (5.0, 5.0, 5.0))
    volume.array[9:13, 8:13, 10:16] = 300
    return volume


def positions(volume: Volume) -> np.ndarray:
    """LPS position of every voxel center in mm, [z, y, x, 3]."""
    z, y, x = np.indices(volume.array.shape)
    index = np.stack([x, y, z], -1) * np.asarray(volume.spacing_mm)
    return index @ volume.matrix.T + np.asarray(volume.origin)


def rotation(degrees_x: float, degrees_y: float, degrees_z: float) -> np.ndarray:
    """3x3 rotation about x, then y, then z."""
    matrix = np.eye(3)
    for axis, degrees in enumerate((degrees_x, degrees_y, degrees_z)):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        i, j = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[i, i], turn[i, j], turn[j, i], turn[j, j] = c, -s, s, c
        matrix = turn @ matrix
    return matrix


def write_network(path: Path, taps: np.ndarray, edge: float, reach: int = 1, marked: bool = True) -> Path:
    """slices [n, 1, h, w] -> sigmoid(50 (sum of taps x neighbors - edge)).

    `taps` is 3x3, its neighbors `reach` pixels apart: taps[0, 1] looks `reach` pixels up, taps[1, 2] as far to the right.
    """
    onnx = pytest.importorskip("onnx")
    nodes = [
        onnx.helper.make_node("Conv", ["slices", "taps"], ["sum"], pads=[reach] * 4, dilations=[reach] * 2),
        onnx.helper.make_node("Sub", ["sum", "edge"], ["above"]),
        onnx.helper.make_node("Mul", ["above", "slope"], ["steep"]),
        onnx.helper.make_node("Sigmoid", ["steep"], ["probability"]),
    ]
    constants = {"taps": np.reshape(taps, (1, 1, 3, 3)), "edge": edge, "slope": 50.0}
    return save_network(path, nodes, constants, marked)


def save_network(path: Path, nodes: list[Any], constants: dict[str, Any], marked: bool = True, channels: int = 1) -> Path:
    """Write a graph from "slices" to "probability", with or without our mark."""
    onnx = pytest.importorskip("onnx")
    shape = ["n", channels, "h", "w"]
    graph = onnx.helper.make_graph(
        nodes,
        "tiny",
        [onnx.helper.make_tensor_value_info("slices", onnx.TensorProto.FLOAT, shape)],
        [onnx.helper.make_tensor_value_info("probability", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(np.array(value, np.float32), name) for name, value in constants.items()],
    )
    model = onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)])
    if marked:
        onnx.helper.set_model_props(model, {"braintumorseg": "{}"})
    path.write_bytes(model.SerializeToString())
    return path


THRESHOLD_TAPS = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
"""A network that marks what is brighter than its edge."""


def model_row(path: Path, **changes: Any) -> dict[str, Any]:
    """A row of models.json for the file `path`."""
    row = {
        "name": "tiny",
        "title": "Tiny",
        "task": "finds what is bright",
        "network": "one convolution",
        "inputs": ["t1ce"],
        "scheme": "tumor",
        "planes": ["axial", "coronal", "sagittal"],
        "threshold": 0.5,
        "postprocess": {"min_island_mm3": 0.0, "max_hole_mm3": 0.0},
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "0" * 64,
        "precision": "fp32",
        "license": "CC0-1.0",
        "license_note": "Made for tests.",
        "training_data": [],
        "scores": {},
    }
    return {**row, **changes}


def write_models(folder: Path, *rows: dict[str, Any]) -> None:
    """models.json with these rows."""
    (folder / "models.json").write_text(json.dumps({"format": 1, "models": list(rows)}), encoding="utf-8")


def tiny_model(folder: Path, taps: np.ndarray = THRESHOLD_TAPS, edge: float = 1.5, reach: int = 1, **changes: Any) -> ModelInfo:
    """A network of `write_network` in `folder`, as the registry lists it."""
    path = write_network(folder / "tiny.onnx", taps, edge, reach)
    write_models(folder, model_row(path, **changes))
    return list_models(folder)[0]


class CountingSession:
    """Stands for an open model without onnxruntime: tumor is what is above `edge`; keeps the shape of every batch."""

    def __init__(self, model: ModelInfo, edge: float = 1.5) -> None:
        self.model = model
        self.edge = edge
        self.shapes: list[tuple[int, ...]] = []

    def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
        self.shapes.append(slices.shape)
        return (slices[:, :1] > self.edge).astype(np.float32)


def ball_head(shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], **geometry: Any) -> Volume:
    """A ball of gray 100 that fills nine tenths of the shortest extent, in air of 0; int16."""
    z, y, x = np.indices(shape)
    center, step = (np.array(shape) - 1) / 2, spacing_mm[::-1]
    distance = np.sqrt(sum(((axis - c) * s) ** 2 for axis, c, s in zip((z, y, x), center, step)))
    radius = 0.45 * min(n * s for n, s in zip(shape, step))
    return Volume(np.where(distance < radius, 100, 0).astype(np.int16), spacing_mm, **geometry)


def slice_set(pools: dict[str, int], size: int = 64, seed: int = 0) -> SliceSet:
    """Heads (discs of gray 100 with noise) with tumors (discs of gray 200), as many per "source/kind" as `pools` says; folds 1, 2, 3, 4, 1, ...

    Kind "none" has no tumor. The whole tumor is two pixels wider than the tumor, and in "t1ce_slices" all that is known.
    """
    numbers = np.random.default_rng(seed)
    builder = SliceSetBuilder()
    y, x = np.mgrid[:size, :size] / (size - 1) * 2 - 1
    for pool, count in pools.items():
        source, kind = pool.split("/")
        for i in range(count):
            head = 100.0 * (y**2 + x**2 < 0.8)
            distance = np.hypot(y - numbers.uniform(-0.4, 0.4), x - numbers.uniform(-0.4, 0.4))
            tumor, whole = (distance < 0.25 + wider for wider in (0, 4 / size))
            if kind == "none":
                tumor, whole = tumor & False, whole & False
            image = np.where(tumor, 200, head) * numbers.uniform(0.9, 1.1, head.shape)
            target = whole * WHOLE_BIT if source == "t1ce_slices" else tumor * TUMOR_BIT | whole * WHOLE_BIT
            builder.add(image, target, fit_tissue_scale(image), source=source, kind=kind, fold=i % 4 + 1, case=f"{pool}/{i}")
    return builder.build()


def tiny_recipe(**changes: Any) -> Recipe:
    """Six steps of four small slices; the network is the real one, for its encoder is fixed."""
    recipe = Recipe(
        name="t1ce-tumor",
        sets=("cheng", "no_tumor", "brats/t1ce_slices"),
        network=AttentionUNetConfig(out_channels=2, decoder_channels=(16, 16, 8, 8)),
        phases=(Phase(2, 32, peak=1.0), Phase(2, 32, frozen_stages=2), Phase(2, 64, peak=0.5)),
        batch={"cheng/glioma": 2, "no_tumor/none": 1, "t1ce_slices/glioma": 1},
        warm_up=2,
        validate_every=3,
    )
    return replace(recipe, **changes)


TRAINING_POOLS = {"cheng/glioma": 8, "cheng/pituitary": 4, "no_tumor/none": 8, "t1ce_slices/glioma": 4}
"""Slices for `tiny_recipe`: of each fold at least one."""
