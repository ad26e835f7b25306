"""A trained network as an fp32 ONNX file that every onnxruntime from 1.20 on reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

from BrainTumorSegLib.inference.session import MARK

OPSET, IR_VERSION = 17, 8
"""Old enough for onnxruntime 1.20 and for the last build for Intel Macs."""


class Probabilities(nn.Module):
    """The exported graph: logits through a sigmoid each, or of `classes` through a softmax over all."""

    def __init__(self, network: nn.Module, classes: bool = False) -> None:
        super().__init__()
        self.network, self.classes = network, classes

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        logits = self.network(slices)
        return torch.softmax(logits, 1) if self.classes else torch.sigmoid(logits)


def export_onnx(network: nn.Module, path: Path, metadata: dict[str, Any], in_channels: int = 1, classes: bool = False) -> None:
    """Write `network` (logits [N, K, H, W]) as ONNX with dynamic batch and size.

    Args:
        network: float32, on the CPU.
        path: the file to write.
        metadata: stored in the file under our mark, as JSON.
        classes: whether a pixel has one of the K, background among them, so that their probabilities sum to 1.
    """
    graph = Probabilities(network, classes).eval()
    example = torch.randn(2, in_channels, 224, 224)
    axes = {0: "batch", 2: "height", 3: "width"}
    torch.onnx.export(
        graph,
        (example,),
        str(path),
        input_names=["slices"],
        output_names=["probability"],
        dynamic_axes={"slices": axes, "probability": axes},
        opset_version=OPSET,
        dynamo=False,  # the tracer writes opset 17 directly; the newer exporter writes 18 and converts down
    )
    model = onnx.load(str(path))
    model.ir_version = IR_VERSION
    mark(model, metadata)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def mark(model: onnx.ModelProto, metadata: dict[str, Any]) -> None:
    """Write our metadata key, by which `inference.session` knows the file."""
    kept = [prop for prop in model.metadata_props if prop.key != MARK]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    model.metadata_props.add(key=MARK, value=json.dumps(metadata, sort_keys=True))
