"""Checkpoints as safetensors and JSON, never pickle, written beside and renamed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from BrainTumorSegLib.errors import InputError


def save_tensors(path: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, Any]) -> None:
    """Write tensors with JSON `metadata` to one file; an interruption leaves the old file as it was."""
    temporary = path.with_name(f".{path.name}.part")
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, temporary, {"json": json.dumps(metadata)})
    os.replace(temporary, path)


def load_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """What `save_tensors` wrote.

    Raises:
        InputError: no such file.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist, so there is nothing to load; train first or give another run folder")
    with safe_open(path, framework="pt") as file:
        metadata = json.loads((file.metadata() or {}).get("json", "{}"))
        return {name: file.get_tensor(name) for name in file.keys()}, metadata  # noqa: SIM118 - not a mapping


def pack(states: dict[str, dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Several state dicts as one, names joined with '|'; views are copied, for safetensors refuses shared memory."""
    return {f"{group}|{name}": tensor.clone() for group, state in states.items() for name, tensor in state.items()}


def unpack(tensors: dict[str, torch.Tensor], group: str) -> dict[str, torch.Tensor]:
    """One state dict out of `pack`."""
    return {name.split("|", 1)[1]: tensor for name, tensor in tensors.items() if name.startswith(f"{group}|")}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """The optimizer's moments and step counts, named "index.key"."""
    state = optimizer.state_dict()["state"]
    return {f"{index}.{key}": value for index, values in state.items() for key, value in values.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Put `optimizer_tensors` back."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
