"""System B's network and its two baselines differ by exactly the parts that their names say, and take every size."""

from __future__ import annotations

import pytest
import torch

from BrainTumorSegLib.networks.hybrid_unet import DecoderStep
from BrainTumorSegLib.networks.table import build
from Testing.Python.networks.checks import count, exported_difference, published, silent_parameters
from Testing.Python.networks.plain import noise, shaken

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES = ["resnet-unet", "resnet-unet-transformer", "hybrid-unet"]
ENCODER = 8_558_592  # ResNet-50 without its last stage: 8,589,184 in Keras's count less the two running vectors of each BN
STEPS = ((1024, 512, 512), (512, 256, 256), (256, 64, 128), (128, 0, 64))  # channels in, of the skip, out
UP = sum(i * 4 * o + 4 * o for i, _, o in STEPS)  # 1x1 convolution to 4 o channels
HEAD = 9 * 64 * 32 + 2 * 32 + 32 + 1
TRANSFORMER = 4 * ((1024 * 3072 + 3072) + (1024**2 + 1024) + 2 * (1024**2 + 1024) + 2 * 2048) + 2048


def se(c: int) -> int:
    return 2 * c * (c // 16) + c // 16 + c


def cbam(c: int) -> int:
    return se(c) + 98


def resnext(i: int, o: int) -> int:
    h = o // 2
    return i * h + 9 * h + h * o + i * o + 2 * (h + h + o + o)


def test_the_baseline_is_counted_by_hand() -> None:
    blocks = sum(9 * (s + o) * o + 9 * o * o + 4 * o for _, s, o in STEPS)
    assert count(published("resnet-unet").encoder) == ENCODER
    assert count(published("resnet-unet")) == ENCODER + UP + blocks + HEAD == 20_659_809


def test_the_transformer_is_counted_by_hand() -> None:
    assert count(published("resnet-unet-transformer")) - count(published("resnet-unet")) == TRANSFORMER == 25_208_832


def test_the_full_hybrid_is_counted_by_hand() -> None:
    stages = sum(se(c) + cbam(c) for c in (64, 256, 512, 1024))
    # the gate has a quarter of the skip inside: W_x, W_g with bias, W_psi with bias
    skips = sum(cbam(s) + s * (s // 4) + o * (s // 4) + s // 4 + s // 4 + 1 for _, s, o in STEPS if s)
    blocks = sum(se(s + o) + resnext(s + o, o) for _, s, o in STEPS)
    assert count(published("hybrid-unet")) == ENCODER + stages + TRANSFORMER + UP + skips + blocks + HEAD == 38_515_550


def test_every_setting_changes_the_network() -> None:
    def sizes(**changes: object) -> list[tuple[int, ...]]:
        return [tuple(p.shape) for p in published("hybrid-unet", **changes).parameters()]

    plain = sizes()
    for changes in ({"in_channels": 1}, {"out_channels": 2}, {"width": 0.5}, {"attention": False}, {"transformer": False}):
        assert sizes(**changes) != plain, changes
    assert {block.dropout.p for block in published("hybrid-unet", dropout=0.3).bottleneck.blocks} == {0.3}


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_parameter(name: str) -> None:
    assert silent_parameters(build(name, width=0.125, dropout=0.0), torch.rand(4, 3, 64, 64)) == []


@pytest.mark.parametrize("size", [(512, 512), (96, 160), (32, 32)])
def test_logits_have_the_size_of_the_input(size: tuple[int, int]) -> None:
    network = build("hybrid-unet", width=0.125, out_channels=2).eval()
    with torch.no_grad():
        assert network(torch.rand(1, 3, *size)).shape == (1, 2, *size)


def test_the_stages_have_the_published_sizes_at_512() -> None:
    network = published("hybrid-unet")
    with torch.device("meta"):
        maps = network.encoder(torch.zeros(1, 3, 512, 512))
    assert [tuple(m.shape[1:]) for m in maps] == [(64, 256, 256), (256, 128, 128), (512, 64, 64), (1024, 32, 32)]


def test_a_decoder_step_refines_gates_joins_weighs_and_convolves_in_this_order() -> None:
    step, x, skip = shaken(DecoderStep(16, 8, 24, attention=True)), noise(2, 16, 4, 4), noise(2, 8, 8, 8, seed=2)
    up = step.up(x)
    gated = step.gate(step.refine(skip), up)
    excitation, resnext_block = step.block
    assert torch.equal(step(x, skip), resnext_block(excitation(torch.cat([up, gated], 1))))


def test_attention_of_a_stage_feeds_the_next_stage_and_the_skip() -> None:
    """Shutting the channels of one stage changes everything behind it and the skip of this stage."""
    torch.manual_seed(0)
    network, x = shaken(build("hybrid-unet", width=0.125)), torch.rand(1, 3, 64, 64)
    inputs: dict[str, torch.Tensor] = {}
    network.encoder.parts[2].register_forward_pre_hook(lambda _m, given: inputs.update(next_stage=given[0]))
    network.steps[2].register_forward_pre_hook(lambda _m, given: inputs.update(skip=given[1]))
    network.steps[1].register_forward_pre_hook(lambda _m, given: inputs.update(skip_of_stage_2=given[1]))
    stage, attention = network.encoder.parts[:2], network.attention
    network(x)
    first = attention[0](stage[0](x))
    second = attention[1](stage[1](first))
    assert torch.equal(inputs["skip"], first)
    assert torch.equal(inputs["skip_of_stage_2"], second)
    assert torch.equal(inputs["next_stage"], second)


@pytest.mark.parametrize("name", NAMES)
def test_the_exported_graph_says_what_torch_says_at_every_size(name: str, tmp_path) -> None:
    assert exported_difference(name, tmp_path, size=(96, 160)) < 1e-4
