"""int8 and dynamic-range quantization of an exported network, calibrated on real slices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from BrainTumorSegLib.export.rewrites import rewrite
from BrainTumorSegLib.export.to_onnx import IR_VERSION, mark


class SliceReader(CalibrationDataReader):
    """Feeds calibration slices [n, C, H, W] in small batches."""

    def __init__(self, slices: np.ndarray, batch: int = 8) -> None:
        self._batches: Iterator[np.ndarray] = iter([slices[i : i + batch] for i in range(0, len(slices), batch)])

    def get_next(self) -> dict[str, np.ndarray] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"slices": batch}


def fold(source: Path, target: Path) -> None:
    """Constants folded, BatchNorm and transposed convolutions written as convolutions: the graph that both precisions start from."""
    quant_pre_process(str(source), str(target), skip_symbolic_shape=True)
    model = rewrite(onnx.load(str(target)))
    for i, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{i}"  # a node stays in float by its name
    onnx.save(model, str(target))


def quantize_int8(source: Path, target: Path, slices: np.ndarray, metadata: dict[str, Any], keep_float: tuple[str, ...] = ()) -> None:
    """Static quantization, Q/DQ form: activations uint8 per tensor, weights int8 per channel.

    Args:
        source: the fp32 file; target: the file to write.
        slices: float32 [n, C, H, W] in tissue units, whose activations set the ranges.
        keep_float: names of nodes, as `fold` leaves them, that stay in float; one that ends with "/" names all of a module.
    """
    folded = target.with_suffix(".folded.onnx")
    fold(source, folded)
    try:
        quantize_folded(folded, target, slices, keep_float)
    finally:
        folded.unlink(missing_ok=True)
    finish(target, metadata)


def never_quantized(graph: onnx.GraphProto) -> set[str]:
    """Names of the sigmoids, and of the softmax that the graph ends in.

    The last activation decides the border of the mask, and in int8 it has no more than 256 steps.
    """
    ends = {value.name for value in graph.output}
    return {node.name for node in graph.node if node.op_type == "Sigmoid" or (node.op_type == "Softmax" and ends & set(node.output))}


def quantize_folded(
    folded: Path, target: Path, slices: np.ndarray, keep_float: tuple[str, ...] = (), ranges: Mapping[str, tuple[float, int]] | None = None
) -> None:
    """The same of a graph that `fold` made, and without our mark; `ranges`, tensor -> (scale, zero point), take the place of the measured ones."""
    graph = onnx.load(str(folded)).graph
    modules, never = tuple(name for name in keep_float if name.endswith("/")), never_quantized(graph)
    sensitive = [node.name for node in graph.node if node.name in never or node.name in keep_float or node.name.startswith(modules)]
    quantize_static(
        str(folded),
        str(target),
        SliceReader(slices),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        nodes_to_exclude=sensitive,
        extra_options={
            "ActivationSymmetric": False,
            "WeightSymmetric": True,
            "CalibMovingAverage": True,
            "TensorQuantOverrides": {
                name: [{"scale": np.array(scale, np.float32), "zero_point": np.array(zero_point, np.uint8)}]
                for name, (scale, zero_point) in (ranges or {}).items()
            },
        },
    )


def quantize_dynamic_range(source: Path, target: Path, metadata: dict[str, Any]) -> None:
    """Dynamic-range quantization: weights uint8, activations quantized batch by batch at run time (paper A's DRQ)."""
    folded = target.with_suffix(".folded.onnx")
    fold(source, folded)
    try:
        quantize_dynamic(str(folded), str(target), weight_type=QuantType.QUInt8)
    finally:
        folded.unlink(missing_ok=True)
    finish(target, metadata)


def finish(path: Path, metadata: dict[str, Any]) -> None:
    """Our mark and an IR version that old runtimes read, in a file that onnxruntime's quantizer wrote."""
    model = onnx.load(str(path))
    model.ir_version = IR_VERSION
    mark(model, metadata)
    onnx.save(model, str(path))
