"""System A's four variants at width 1.0, with random weights: enough for time and size, and nothing is said of their accuracy."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib.bench.published import PAPER_A
from BrainTumorSegLib.bench.shipped import Report, Setting, as_row, limits_of, time_files

VARIANTS = {"resunet": "none", "resunet-ag": "ag", "resunet-se": "se", "resunet-cbam": "cbam"}
"""Names as exported runs have them -> attention."""
INPUT = (1, 224, 224)
"""One gray slice, repeated to three channels in the graph."""
_CALIBRATION_SLICES = 4  # ranges of random weights mean nothing, but static quantization wants some


def benchmark_variants(names: Sequence[str], setting: Setting, report: Report) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """(rows as `shipped.as_row` with the paper's numbers under "published", what was skipped and why)."""
    try:
        import onnx
        import torch
    except ModuleNotFoundError as error:
        reason = f"{error.name} is not installed; these networks are made by: pip install 'braintumorseg[train]'"
        return [], [{"name": name, "reason": reason} for name in names]
    del onnx, torch
    rows = []
    for i, name in enumerate(names):

        def tell(fraction: float, message: str, name: str = name, done: int = i) -> None:
            report((done + fraction) / len(names), f"{name}, {message}")

        with tempfile.TemporaryDirectory(prefix="braintumorseg-") as folder:
            tell(0.0, "building and quantizing")
            files = write_variant(VARIANTS[name], Path(folder), INPUT)
            timings = time_files(files, INPUT, setting, tell)
            row = as_row(name, timings, {precision: path.stat().st_size for precision, path in files.items()})
            row["limits"] = limits_of(files, INPUT, setting)
        about: dict[str, Any] = {"weights": "random", "input": list(INPUT), "fp32_file": "original", "dice_fp32": None, "dice_int8": None, "dice_source": {}}
        rows.append(row | about | {"published": published_row(VARIANTS[name])})
    return rows, []


def write_variant(attention: str, folder: Path, shape: tuple[int, int, int], width: float = 1.0) -> dict[str, Path]:
    """Precision -> ONNX file of a Res-UNet with this attention, below `folder`; `shape` [1, H, W] is that of the calibration slices."""
    import torch

    from BrainTumorSegLib.export.paper_release import PaperLogits
    from BrainTumorSegLib.export.quantize import quantize_dynamic_range, quantize_int8
    from BrainTumorSegLib.export.to_onnx import export_onnx
    from BrainTumorSegLib.networks.table import build

    torch.manual_seed(0)
    network = PaperLogits(build("res-unet", attention=attention, width=width).eval(), 3, 1)
    files = {precision: folder / f"{precision}.onnx" for precision in ("fp32", "dynamic", "int8")}
    metadata = {"name": f"resunet-{attention}", "weights": "random"}
    export_onnx(network, files["fp32"], metadata, shape[0])
    quantize_dynamic_range(files["fp32"], files["dynamic"], metadata)
    slices = np.random.default_rng(0).uniform(0, 1, (_CALIBRATION_SLICES, *shape)).astype(np.float32)
    quantize_int8(files["fp32"], files["int8"], slices, metadata)
    return files


def published_row(attention: str) -> dict[str, Any]:
    """The paper's numbers of one variant: by precision "mean_iou", "mb" and "ms", and what they make of speed and size."""
    found: dict[str, Any] = {}
    for (_, variant, precision), (mean_iou, megabytes, seconds) in PAPER_A.items():
        if variant == attention:
            found[precision] = {"mean_iou": mean_iou, "mb": megabytes, "ms": round(1000 * seconds, 1)}
    fp32, dynamic = found["fp32"], found["dynamic"]
    found |= {"dynamic_speedup": round(fp32["ms"] / dynamic["ms"], 3), "dynamic_size_ratio": round(dynamic["mb"] / fp32["mb"], 4)}
    return found | {"dynamic_iou_lost": round(fp32["mean_iou"] - dynamic["mean_iou"], 4)}
