"""The table names every network of the four papers, and builds what it names."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.networks.table import NETWORKS, build, configure

pytestmark = pytest.mark.usefixtures("one_thread")


def test_every_row_of_every_paper_has_a_network() -> None:
    rows = {system: [row.row for row in NETWORKS.values() if row.system == system] for system in "ABCD"}
    assert rows == {
        "A": ["Res-UNet", "Res-UNet + AG", "Res-UNet + SE", "Res-UNet + CBAM"],
        "B": ["U-Net (ResNet-50)", "U-Net + transformer bottleneck", "full hybrid"],
        "C": ["U-Net", "Attention U-Net", "ResSE-LKA-UNet"],
        "D": ["UNet base", "DeepLabV3", "PSPNet", "MA-Net", "UNet + CBAM"],
    }


def test_rows_of_one_table_take_the_same_images_and_give_the_same_maps() -> None:
    for system, shape in {"A": (3, 1), "B": (3, 1), "C": (4, 4), "D": (3, 2)}.items():
        for row in NETWORKS.values():
            if row.system == system:
                assert (row.config.in_channels, row.config.out_channels, row.config.width) == (*shape, 1.0), row.row


@pytest.mark.parametrize("name", list(NETWORKS))
def test_every_name_builds_a_network_that_answers(name: str) -> None:
    settings = {} if name == "attention-unet-lite" else {"width": 0.125}
    network = build(name, out_channels=2, **settings).eval()
    with torch.no_grad():
        assert network(torch.rand(1, NETWORKS[name].config.in_channels, 64, 64)).shape == (1, 2, 64, 64)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_a_configuration_survives_being_stored_as_json(name: str) -> None:
    config = configure(name, out_channels=3)
    stored = json.loads(json.dumps(dataclasses.asdict(config)))
    assert configure(name, **stored) == config
    assert dataclasses.fields(config)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.out_channels = 4


def test_a_name_or_setting_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="there is no network 'unet', but attention-unet-lite, res-unet, .*; choose one of them"):
        build("unet")
    with pytest.raises(InputError, match="depth is no setting of the network psp-net, which has in_channels, out_channels, width, dropout; correct the name"):
        build("psp-net", depth=3)
