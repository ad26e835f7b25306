"""Where and in which precision a run computes, and a network placed there as a plain function."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training.validation import Predictor


@dataclass(frozen=True)
class Hardware:
    """Where and in which precision a run computes: changes the time, not the recipe."""

    device: torch.device
    bf16: bool


def choose_hardware(device: str, bf16: bool | None = None) -> Hardware:
    """`device` is "cpu" or "cuda"; bfloat16 is used where the chip has it, unless `bf16` says otherwise.

    Raises:
        InputError: a device that is not there; another is never taken silently.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda was asked for, but PyTorch finds no CUDA device; use --device cpu or install a CUDA build of torch")
    torch.set_flush_denormal(True)  # vanishing activations become denormal numbers, on which a CPU crawls
    if bf16 is None:
        bf16 = torch.cuda.is_bf16_supported() if device == "cuda" else bool(torch.cpu._is_avx512_bf16_supported())
    return Hardware(torch.device(device), bf16)


def place(network: torch.nn.Module, hardware: Hardware) -> None:
    """Move to the device, in the channels-last layout that convolutions are fastest in."""
    network.to(device=hardware.device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack this form


def maps_predictor(network: torch.nn.Module, hardware: Hardware) -> Predictor:
    """The network as a function from slices [n, C, H, W] to all of its probability maps [n, K, H, W]."""
    network.eval()

    def predict(images: np.ndarray) -> np.ndarray:
        batch = torch.from_numpy(images).to(hardware.device, memory_format=torch.channels_last)
        with torch.inference_mode(), torch.autocast(hardware.device.type, torch.bfloat16, enabled=hardware.bf16):
            return torch.sigmoid(network(batch).float()).cpu().numpy()

    return predict


def network_predictor(network: torch.nn.Module, hardware: Hardware) -> Predictor:
    """The network as a function from slices to tumor probabilities, its first map."""
    maps = maps_predictor(network, hardware)
    return lambda images: maps(images)[:, 0]
