"""The process that runs another network over one case, with random weights: `python -m BrainTumorSegLib.bench.peer_worker NAME THREADS`.

segresnet: MONAI's SegResNet as in the bundle brats_mri_segmentation (init_filters 16, blocks 1-2-2-4 down and 1-1-1 up), its
sliding window of 240x240x160 over 240x240x155 voxels of four sequences: one window.
nnunet: the plain 3-D U-Net of nnU-Net's full resolution (32 to 320 channels, six levels, instance norm, leaky ReLU), built
as MONAI's DynUNet, windows of 128^3 at half overlap over 180x150x140 voxels, about a BraTS head cut to its brain: eight windows.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

PEERS = ("segresnet", "nnunet")


def main(words: list[str]) -> int:
    """Run, and print one JSON document."""
    name, threads = words
    sys.stdout.write("\n" + json.dumps(run(name, int(threads))) + "\n")
    return 0


def run(name: str, threads: int, shrink: int = 1) -> dict[str, Any]:
    """Time one network over one case.

    Args:
        shrink: all lengths are divided by it, for tests.

    Returns:
        "seconds": {"inference"}, "peak_mb" and "parameters".
    """
    import torch
    from monai.inferers import sliding_window_inference

    from BrainTumorSegLib.bench.machine import peak_mb

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network, case, window = (segresnet(), (240, 240, 155), (240, 240, 160)) if name == "segresnet" else (nnunet(), (180, 150, 140), (128, 128, 128))
    network.eval()
    images = torch.rand(1, 4, *(n // shrink for n in case))
    roi = tuple(n // shrink for n in window)
    with torch.inference_mode():
        began = time.perf_counter()
        sliding_window_inference(images, roi, 1, network, overlap=0.5)
        seconds = time.perf_counter() - began
    return {
        "seconds": {"inference": round(seconds, 3), "total": round(seconds, 3)},
        "peak_mb": round(peak_mb()),
        "parameters": sum(p.numel() for p in network.parameters()),
    }


def segresnet() -> Any:
    """[1, 4, D, H, W] -> [1, 3, D, H, W]; lengths are multiples of 8."""
    from monai.networks.nets import SegResNet

    return SegResNet(spatial_dims=3, init_filters=16, in_channels=4, out_channels=3, dropout_prob=0.2, blocks_down=(1, 2, 2, 4), blocks_up=(1, 1, 1))


def nnunet() -> Any:
    """[1, 4, D, H, W] -> [1, 3, D, H, W]; lengths are multiples of 32."""
    from monai.networks.nets import DynUNet

    strides = [1, 2, 2, 2, 2, 2]
    act = ("leakyrelu", {"negative_slope": 0.01})
    return DynUNet(3, 4, 3, [3] * 6, strides, strides[1:], filters=[32, 64, 128, 256, 320, 320], norm_name=("instance", {"affine": True}), act_name=act)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
