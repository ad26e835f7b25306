"""Every network by its name: what builds it, its configuration as published, and the row it stands for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.networks.attention_unet import AttentionUNet, AttentionUNetConfig
from BrainTumorSegLib.networks.deeplab_v3 import DeepLabV3, DeepLabV3Config
from BrainTumorSegLib.networks.hybrid_unet import HybridUNet, HybridUNetConfig
from BrainTumorSegLib.networks.ma_net import MANet, MANetConfig
from BrainTumorSegLib.networks.monai_unets import AttentionUNetMonaiConfig, UNetConfig, build_attention_unet, build_unet
from BrainTumorSegLib.networks.psp_net import PSPNet, PSPNetConfig
from BrainTumorSegLib.networks.res_unet import ResUNet, ResUNetConfig
from BrainTumorSegLib.networks.resse_lka_unet import ResSELKAUNet, ResSELKAUNetConfig
from BrainTumorSegLib.networks.unet_cbam import UNetCBAM, UNetCBAMConfig


@dataclass(frozen=True)
class NetworkRow:
    """One named network.

    Attributes:
        config: its configuration as published, at width 1.0.
        builder: makes the network of such a configuration.
        system: the published system whose table it stands in, "A" to "D"; "" for our own.
        row: its name in that table.
    """

    config: Any
    builder: Callable[[Any], nn.Module]
    system: str
    row: str


NETWORKS = {
    "attention-unet-lite": NetworkRow(AttentionUNetConfig(), AttentionUNet, "", "EfficientNet-Lite U-Net + AG"),
    "res-unet": NetworkRow(ResUNetConfig(), ResUNet, "A", "Res-UNet"),
    "res-unet-ag": NetworkRow(ResUNetConfig(attention="ag"), ResUNet, "A", "Res-UNet + AG"),
    "res-unet-se": NetworkRow(ResUNetConfig(attention="se"), ResUNet, "A", "Res-UNet + SE"),
    "res-unet-cbam": NetworkRow(ResUNetConfig(attention="cbam"), ResUNet, "A", "Res-UNet + CBAM"),
    "resnet-unet": NetworkRow(HybridUNetConfig(attention=False, transformer=False), HybridUNet, "B", "U-Net (ResNet-50)"),
    "resnet-unet-transformer": NetworkRow(HybridUNetConfig(attention=False), HybridUNet, "B", "U-Net + transformer bottleneck"),
    "hybrid-unet": NetworkRow(HybridUNetConfig(), HybridUNet, "B", "full hybrid"),
    "unet-c": NetworkRow(UNetConfig(4, 4), build_unet, "C", "U-Net"),
    "attention-unet": NetworkRow(AttentionUNetMonaiConfig(4, 4), build_attention_unet, "C", "Attention U-Net"),
    "resse-lka-unet": NetworkRow(ResSELKAUNetConfig(), ResSELKAUNet, "C", "ResSE-LKA-UNet"),
    "unet-d": NetworkRow(UNetConfig(3, 2, channels=(64, 128, 256, 512, 1024)), build_unet, "D", "UNet base"),
    "deeplab-v3": NetworkRow(DeepLabV3Config(), DeepLabV3, "D", "DeepLabV3"),
    "psp-net": NetworkRow(PSPNetConfig(), PSPNet, "D", "PSPNet"),
    "ma-net": NetworkRow(MANetConfig(), MANet, "D", "MA-Net"),
    "unet-cbam": NetworkRow(UNetCBAMConfig(), UNetCBAM, "D", "UNet + CBAM"),
}


def build(name: str, **settings: Any) -> nn.Module:
    """The network of row `name`, with `settings` in place of its published ones: `build("res-unet-ag", width=0.5)`.

    Raises:
        InputError: no such network, or no such setting; named with what there is.
    """
    config = configure(name, **settings)
    return NETWORKS[name].builder(config)


def configure(name: str, **settings: Any) -> Any:
    """The configuration that `build` uses; lists, as JSON has them, become tuples.

    Raises:
        InputError: as `build`.
    """
    if name not in NETWORKS:
        raise InputError(f"there is no network {name!r}, but {', '.join(NETWORKS)}; choose one of them")
    config = NETWORKS[name].config
    known = [field.name for field in dataclasses.fields(config)]
    for key in settings:
        if key not in known:
            raise InputError(f"{key} is no setting of the network {name}, which has {', '.join(known)}; correct the name")
    return dataclasses.replace(config, **{key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()})
