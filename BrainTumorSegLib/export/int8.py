"""The int8 file of an attention U-Net, and what is done about the blocks that int8 costs most."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from BrainTumorSegLib.export.fine_tune import Tune
from BrainTumorSegLib.export.graph_network import GraphNetwork
from BrainTumorSegLib.export.quantize import finish, fold, quantize_folded
from BrainTumorSegLib.export.sensitivity import part_of, quantize_measured

Report = Callable[[float, str], None]
KEPT_FLOAT = ("/network/encoder/stem/", "/network/encoder/stages.0/", "/network/encoder/stages.1/")
"""Modules that stay in float where nothing else is asked for, whatever the network learned.

The encoder's first stages keep ImageNet's wide ranges: in int8 they cost 0.003 Dice of the 0.0037 that all of it costs
(t1ce-tumor, 613 slices), in float 7 % of the time. They are the three that `sensitivity.scan` ranks first (docs/quantization.md).
"""


def write_int8(
    fp32: Path, path: Path, slices: np.ndarray, metadata: dict[str, Any], report: Report, sensitivity: float | None = None, tune: Tune | None = None
) -> None:
    """Quantize the file `fp32` of an attention U-Net to `path`.

    Args:
        slices: float32 [n, C, H, W] in tissue units, whose activations set the ranges.
        sensitivity: limit of `sensitivity.scan`, whose finding takes the place of `KEPT_FLOAT`.
        tune: fine-tunes a graph in place, see `fine_tune.tune_of`; everything but the sigmoids is then in int8.

    Raises:
        ValueError: both of the last two.
    """
    if tune is None:
        quantize_measured(fp32, path, slices, metadata, sensitivity, report, KEPT_FLOAT)
        return
    if sensitivity is not None:
        raise ValueError("sensitivity and tune are two answers to one question; give one of them")
    with tempfile.TemporaryDirectory(prefix="braintumorseg-") as name:
        folded, rounded = Path(name) / "folded.onnx", Path(name) / "rounded.onnx"
        fold(fp32, folded)
        quantize_folded(folded, rounded, slices)
        model = onnx.load(str(folded))
        network = GraphNetwork(onnx.load(str(rounded)), model)
        tune(network, part_of(report, 0.1, 0.8))
        network.write_weights(model)
        onnx.save(model, str(folded))
        quantize_folded(folded, path, slices, ranges=network.ranges())
    finish(path, metadata)
