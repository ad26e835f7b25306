"""System A's network has exactly the parts that its paper's file sizes tell."""

from __future__ import annotations

import pytest
import torch

from BrainTumorSegLib.networks.table import build
from Testing.Python.networks.checks import count, exported_difference, keras_count, published, settled, silent_parameters
from Testing.Python.networks.plain import shaken

pytestmark = pytest.mark.usefixtures("one_thread")

VARIANTS = ["res-unet", "res-unet-ag", "res-unet-se", "res-unet-cbam"]
SKIPS, WIDTHS = (1024, 128, 64, 64, 0), (256, 128, 64, 32, 16)


def test_the_parameters_are_the_published_ones() -> None:
    # each step: 3x3 transposed convolution, two 3x3 convolutions and a 1x1 shortcut, all with bias; 2 BN with 4 vectors each; head 16 + 1
    steps = zip((2048, *WIDTHS), WIDTHS, SKIPS)
    decoder = sum((9 * i * o + o) + (9 * (o + s) * o + o) + (9 * o * o + o) + ((o + s) * o + o) + 8 * o for i, o, s in steps) + 17
    assert keras_count(published("res-unet")) == 23_564_800 + decoder == 33_186_385
    # 33,186,385 x 4 bytes = 126.60 MiB; the paper's file has 126.49


def test_every_attention_adds_its_parameters() -> None:
    plain = count(published("res-unet"))
    # gates: W_x s x i, W_g o x i + i, W_f i + 1, with i = o / 2
    gates = sum(s * (o // 2) + o * (o // 2) + o // 2 + o // 2 + 1 for s, o in zip(SKIPS[:4], WIDTHS))
    assert count(published("res-unet-ag")) - plain == gates == 186_340  # the paper's files: 0.19 M
    attended = (*SKIPS[:4], *WIDTHS)
    # SE: c x c/16 + c/16 and c/16 x c + c
    assert count(published("res-unet-se")) - plain == sum(2 * c * (c // 16) + c // 16 + c for c in attended) == 146_943  # 0.16 M
    # CBAM: c x c/8 + c/8 and c/8 x c + c, once for both poolings, and 7 x 7 x 2
    assert count(published("res-unet-cbam")) - plain == sum(2 * c * (c // 8) + c // 8 + c + 98 for c in attended) == 292_992  # twice: 0.59 M


def test_every_setting_changes_the_network() -> None:
    def sizes(**changes: object) -> list[tuple[int, ...]]:
        return [tuple(p.shape) for p in published("res-unet", **changes).parameters()]

    plain = sizes()
    for changes in ({"in_channels": 1}, {"out_channels": 2}, {"width": 0.5}, {"attention": "se"}):
        assert sizes(**changes) != plain, changes
    assert {block.dropout.p for block in published("res-unet", dropout=0.3).blocks} == {0.3}


@pytest.mark.parametrize("name", VARIANTS)
def test_gradients_reach_every_parameter(name: str) -> None:
    assert silent_parameters(build(name, width=0.125, dropout=0.0), torch.rand(4, 3, 64, 64)) == []


@pytest.mark.parametrize("name", VARIANTS)
def test_logits_have_the_size_of_the_input(name: str) -> None:
    network = build(name, width=0.125, out_channels=2).eval()
    assert network(torch.rand(1, 3, 64, 96)).shape == (1, 2, 64, 96)


def test_open_attention_is_no_attention() -> None:
    """With every weight of an attention at 1 the variant is the plain network; shut, it is another one."""
    torch.manual_seed(0)
    plain = settled(shaken(build("res-unet", width=0.125)), 3)
    x = torch.rand(1, 3, 64, 64)
    for name in VARIANTS[1:]:
        attended = build(name, width=0.125).eval()
        attended.load_state_dict(plain.state_dict(), strict=False)
        assert not torch.allclose(attended(x), plain(x), atol=1e-4), name
        with torch.no_grad():
            for module in attended.modules():
                for last in ("attention", "excite"):  # sigmoid(1000) is 1
                    if isinstance(getattr(module, last, None), torch.nn.Conv2d):
                        getattr(module, last).bias.fill_(1000.0)
                if hasattr(module, "mlp"):
                    module.mlp[2].bias.fill_(1000.0)
                if hasattr(module, "convolution"):
                    module.convolution.weight.zero_()  # sigmoid(0): the spatial map is 1/2 everywhere, which the hook undoes
                    module.register_forward_hook(lambda _m, _i, y: 2 * y)
        assert torch.allclose(attended(x), plain(x), atol=1e-4), name


def test_an_unknown_attention_is_refused() -> None:
    with pytest.raises(ValueError, match="attention is 'eca', but a Res-UNet has one of none, ag, se, cbam; choose one of them"):
        build("res-unet", attention="eca")


@pytest.mark.parametrize("name", VARIANTS)
def test_the_exported_graph_says_what_torch_says(name: str, tmp_path) -> None:
    assert exported_difference(name, tmp_path) < 1e-4
