"""Which blocks of a network lose most in int8, measured, and the fewest of them that have to stay in float.

Each block (the nodes of one module) is quantized alone, everything else in float, and the change of the probabilities on
real slices ranks it. Then blocks are left in float, the most sensitive first, until the whole network's change is under a
limit. It takes a quantization for each block and each step, minutes in all, so that `export` does it only when asked.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from BrainTumorSegLib.export.quantize import fold, never_quantized, quantize_folded, quantize_int8

Report = Callable[[float, str], None]
_SLICES = 32
_DEPTH = 2  # of a module's path, from where the nodes' paths part: encoder stages and decoder steps
_BATCH = 8


@dataclass(frozen=True)
class Scan:
    """What a scan found.

    Attributes:
        losses: block -> mean absolute change of the probabilities with it alone in int8, the largest first.
        loss_of_all: the same with every block in int8.
        kept: blocks that stay in float, the most sensitive first; `nodes` are theirs.
        loss: the change that is left with these in float.
        limit: what it had to come under.
    """

    losses: dict[str, float]
    loss_of_all: float
    kept: tuple[str, ...]
    nodes: tuple[str, ...]
    loss: float
    limit: float


def scan(source: Path, slices: np.ndarray, limit: float, report: Report) -> Scan:
    """Find the blocks of an fp32 file that have to stay in float for int8 to change its probabilities by `limit` at most.

    Args:
        source: an fp32 ONNX file from "slices" to probabilities.
        slices: float32 [n, C, H, W], of these 32 at most, evenly spread: every other one sets the ranges, the rest measure.
        limit: of the mean absolute change of a probability.
        report: fraction done and what is done.

    Raises:
        ValueError: fewer than two slices, or a limit that is not positive.
    """
    if len(slices) < 2 or limit <= 0:
        raise ValueError(f"there are {len(slices)} slices and the limit is {limit}, but two slices and a positive limit are needed")
    slices = slices[np.linspace(0, len(slices) - 1, min(_SLICES, len(slices))).astype(int)]
    ranges, measured = slices[::2], slices[1::2]
    with tempfile.TemporaryDirectory(prefix="braintumorseg-") as name:
        folded, target = Path(name) / "folded.onnx", Path(name) / "int8.onnx"
        fold(source, folded)
        blocks = find_blocks(onnx.load(str(folded)))
        original = _probabilities(folded, measured)

        def loss(keep_float: list[str]) -> float:
            quantize_folded(folded, target, ranges, tuple(keep_float))
            return float(np.abs(_probabilities(target, measured) - original).mean())

        losses = {}
        for i, block in enumerate(blocks):
            report(0.8 * i / len(blocks), f"sensitivity of {block}")
            losses[block] = loss([node for other, nodes in blocks.items() if other != block for node in nodes])
        ranked = sorted(losses, key=lambda block: -losses[block])
        left = loss_of_all = loss([])
        kept: list[str] = []
        while left > limit and len(kept) < len(ranked):
            report(0.8 + 0.2 * len(kept) / len(ranked), f"{ranked[len(kept)]} stays in float")
            kept.append(ranked[len(kept)])
            left = loss([node for block in kept for node in blocks[block]])
    nodes = tuple(node for block in kept for node in blocks[block])
    return Scan({block: losses[block] for block in ranked}, loss_of_all, tuple(kept), nodes, left, limit)


def quantize_measured(
    source: Path, target: Path, slices: np.ndarray, metadata: dict[str, Any], limit: float | None, report: Report, keep_float: tuple[str, ...] = ()
) -> Scan | None:
    """`quantize.quantize_int8` with `keep_float` in float.

    With a limit, the blocks that a scan finds too sensitive stay in float instead, and TARGET-sensitivity.json says which.
    """
    if limit is None:
        quantize_int8(source, target, slices, metadata, keep_float)
        return None
    found = scan(source, slices, limit, report)
    quantize_int8(source, target, slices, metadata, found.nodes)
    target.with_name(f"{target.stem}-sensitivity.json").write_text(json.dumps(asdict(found), indent=1) + "\n")
    return found


def part_of(report: Report, start: float, share: float) -> Report:
    """A report of a step that is `share` of a longer one and begins at `start`."""
    return lambda fraction, message: report(start + share * fraction, message)


def find_blocks(model: onnx.ModelProto) -> dict[str, list[str]]:
    """Block -> its nodes' names, in the graph's order; a node's name begins with the path of its module."""
    never = never_quantized(model.graph)
    paths = {node.name: node.name.strip("/").split("/")[:-1] for node in model.graph.node if node.name not in never}
    shared = 0
    while len({tuple(path[: shared + 1]) for path in paths.values() if path}) == 1 and all(len(path) > shared for path in paths.values() if path):
        shared += 1
    blocks: dict[str, list[str]] = {}
    for name, path in paths.items():
        blocks.setdefault("/".join(path[shared : shared + _DEPTH]) or name, []).append(name)
    return blocks


def _probabilities(path: Path, slices: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"slices": slices[i : i + _BATCH]})[0] for i in range(0, len(slices), _BATCH)])
