"""Whole volumes, from files to a file, by stage; beside other networks over a case of the same kind."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from BrainTumorSegLib.bench.heads import GRIDS, made_up_head
from BrainTumorSegLib.bench.shipped import Report, Setting
from BrainTumorSegLib.errors import ModelError
from BrainTumorSegLib.inference.models import ModelInfo
from BrainTumorSegLib.io.images import write_volume

_PEERS = {
    "segresnet": ("MONAI SegResNet (BraTS bundle's size)", "240 x 240 x 155, 4 sequences", "random weights, network alone"),
    "nnunet": ("nnU-Net's 3-D plain U-Net (MONAI DynUNet)", "180 x 150 x 140, 4 sequences", "random weights, network alone, 8 windows without mirroring"),
}
_REPEATS = 3


def benchmark_volumes(models: list[ModelInfo], setting: Setting, report: Report) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Time every model on a volume of its kind, and the peers where MONAI is installed.

    Returns:
        (rows of "name", "volume", "seconds" by stage, "peak_mb" and "note", what was skipped and why). Ours are medians
        of three runs in a process each (by total time); a peer runs once.
    """
    rows: list[dict[str, Any]] = []
    there = importlib.util.find_spec("monai") is not None and importlib.util.find_spec("torch") is not None
    total = len(models) + (len(_PEERS) if there else 0) or 1
    for model in models:
        report(len(rows) / total, f"{model.name}, whole volume")
        rows.append(_time_model(model, setting))
    skipped = []
    for peer, (name, volume, note) in _PEERS.items():
        if not there:
            skipped.append({"name": name, "reason": "MONAI is not installed; it comes with: pip install 'braintumorseg[train]'"})
            continue
        report(len(rows) / total, f"{name}, whole volume")
        found = _last_line([sys.executable, "-m", "BrainTumorSegLib.bench.peer_worker", peer, str(setting.threads)], name)
        rows.append({"name": name, "volume": volume, "note": note} | found)
    return rows, skipped


def _time_model(model: ModelInfo, setting: Setting) -> dict[str, Any]:
    shape = GRIDS[1] if len(model.inputs) == 1 else GRIDS[4]
    with tempfile.TemporaryDirectory(prefix="braintumorseg-") as folder:
        head = made_up_head(shape)
        for role in model.inputs:
            write_volume(head, Path(folder) / f"{role}.nii.gz")
        del head
        words = [sys.executable, "-m", "BrainTumorSegLib.bench.volume_worker", model.name, folder, str(setting.threads), setting.provider]
        runs = sorted((_last_line(words, model.name) for _ in range(_REPEATS)), key=lambda found: found["seconds"]["total"])
    size = " x ".join(str(n) for n in reversed(shape))
    about = {"name": f"{model.name} ({model.precision})", "volume": f"{size}, {', '.join(model.inputs)}", "note": "files to file, made-up head"}
    return about | runs[_REPEATS // 2]


def _last_line(words: list[str], name: str) -> dict[str, Any]:
    """What a process of ours prints as its last line.

    Raises:
        ModelError: it ended early, or says why it could not.
    """
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        raise ModelError(f"the process that ran {name} ended with the code {done.returncode}, perhaps for want of memory; close other programs and try again")
    found = json.loads(lines[-1])
    if "error" in found:
        raise ModelError(found["error"])
    return found
