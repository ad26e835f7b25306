"""Phantoms of gliomas in four sequences: nested boxes in a brain that is a box, each sequence showing another part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib.data.case_set import Case, CaseSet, stored
from BrainTumorSegLib.labels import ROLES
from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig
from BrainTumorSegLib.training.recipe import Phase
from BrainTumorSegLib.training.region_recipe import RegionRecipe

SHAPE = (40, 48, 44)


def labels(shape: tuple[int, int, int] = SHAPE, enhancing: bool = True) -> np.ndarray:
    """Edema of 20 voxels a side from (8, 10, 12), in it a core of 12, in that 8 that enhance (or not)."""
    array = np.zeros(shape, np.uint8)
    array[8:28, 10:30, 12:32] = 2
    array[12:24, 14:26, 16:28] = 1
    if enhancing:
        array[14:22, 16:24, 18:26] = 3
    return array


def tissue(of: np.ndarray) -> np.ndarray:
    """Brain 1 with 4 voxels of air about it; all tumor is 2 in FLAIR, the core 2 in T2 and 0.5 in T1, what enhances 3 in T1ce."""
    brain = np.zeros(of.shape, np.float32)
    brain[4:-4, 4:-4, 4:-4] = 1
    t1, t1ce, t2, flair = (brain.copy() for _ in range(4))
    t1[np.isin(of, (1, 3))] = 0.5
    t1ce[of == 3] = 3
    t2[np.isin(of, (1, 3))] = 2
    flair[of > 0] = 2
    return np.stack([t1, t1ce, t2, flair])


def case(name: str, fold: int, enhancing: bool = True) -> Case:
    """A whole phantom at 240/224 mm, the network's own pixel size, so that no voxel is interpolated."""
    truth = labels(enhancing=enhancing)
    return Case(name, "brats", fold, stored(tissue(truth)), truth, (240 / 224,) * 3, True)


def cube(name: str, fold: int) -> Case:
    """The middle of a phantom: nothing is known around it."""
    truth = labels()[4:36, 6:38, 6:38]
    return Case(name, "cubes", fold, stored(tissue(labels())[:, 4:36, 6:38, 6:38]), truth, (240 / 224,) * 3, False)


def case_set() -> CaseSet:
    """Two whole cases a fold, one of them without enhancement, and a cube of another patient."""
    return CaseSet(
        part for fold in range(1, 6) for part in (case(f"with{fold}", fold), case(f"without{fold}", fold, enhancing=False), cube(f"cube{fold}", fold))
    )


def write_regions(path: Path, core_edge: float = 1.4) -> Path:
    """sigmoid(50 x), x how far FLAIR is above 1.3 (WT), T2 above `core_edge` (TC) and T1ce above 2 (ET): exact on these phantoms."""
    import onnx

    weights = np.zeros((3, 4, 1, 1), np.float32)
    weights[[0, 1, 2], [ROLES.index("flair"), ROLES.index("t2"), ROLES.index("t1ce")]] = 1
    constants = {"weights": weights, "edge": np.array([1.3, core_edge, 2.0], np.float32).reshape(1, 3, 1, 1), "slope": np.float32(50)}
    nodes = [
        onnx.helper.make_node("Conv", ["slices", "weights"], ["sum"]),
        onnx.helper.make_node("Sub", ["sum", "edge"], ["above"]),
        onnx.helper.make_node("Mul", ["above", "slope"], ["steep"]),
        onnx.helper.make_node("Sigmoid", ["steep"], ["probability"]),
    ]
    shapes = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", c, "h", "w"]) for name, c in (("slices", 4), ("probability", 3))]
    arrays = [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = onnx.helper.make_graph(nodes, "regions", shapes[:1], shapes[1:], arrays)
    model = onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 17)])
    onnx.helper.set_model_props(model, {"braintumorseg": "{}"})
    path.write_bytes(model.SerializeToString())
    return path


def region_recipe(**changes: Any) -> RegionRecipe:
    """A recipe of a few steps on small slices."""
    settings: dict[str, Any] = {
        "name": "glioma-regions",
        "sets": ("brats", "brats/cubes"),
        "network": AttentionUNetConfig(in_channels=4, out_channels=3, decoder_channels=(8, 8, 8, 8)),
        "phases": (Phase(2, 64, peak=1.0),),
        "batch": {"brats/glioma": 3, "brats/none": 1},
        "canvas": 64,
        "patches": 4,
        "patch_size": 32,
        "warm_up": 1,
        "validate_every": 1,
    }
    return RegionRecipe(**{**settings, **changes})
