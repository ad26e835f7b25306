"""The network has exactly the parts its configuration says, and all of them learn."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from BrainTumorSegLib.networks.attention_unet import AttentionUNet, AttentionUNetConfig

pytestmark = pytest.mark.usefixtures("one_thread")

ENCODER = 2_958_272  # EfficientNet-Lite0 for gray images, see test_efficientnet_lite
SKIPS, WIDTHS = (112, 40, 24, 16), (128, 64, 48, 32)  # deepest first
UP = sum(c * 4 * w + 2 * 4 * w for c, w in zip((320, *WIDTHS), WIDTHS))
BLOCKS = sum(9 * (w + s) * w + 9 * w * w + 6 * w + (w + s) * w for s, w in zip(SKIPS, WIDTHS))
# gates with half the skip's channels inside: normalized W_x and W_g, W_f with bias
GATES = sum(s * i + w * i + 4 * i + i + 1 for s, w, i in zip(SKIPS, WIDTHS, (56, 20, 12, 8)))
HEAD = 9 * 32 * 4 + 4  # for each output


@pytest.mark.parametrize(
    ("out_channels", "gates", "parameters", "written_out"),
    [
        (1, True, ENCODER + UP + BLOCKS + GATES + HEAD, 3_833_480),
        (1, False, ENCODER + UP + BLOCKS + HEAD, 3_816_228),
        (2, True, ENCODER + UP + BLOCKS + GATES + 2 * HEAD, 3_834_636),
        (2, False, ENCODER + UP + BLOCKS + 2 * HEAD, 3_817_384),
    ],
)
def test_the_parameters_are_counted_by_hand(out_channels: int, gates: bool, parameters: int, written_out: int) -> None:
    network = AttentionUNet(AttentionUNetConfig(out_channels=out_channels, attention_gates=gates))
    assert sum(p.numel() for p in network.parameters()) == parameters == written_out


def test_every_setting_changes_the_network() -> None:
    def sizes(**changes: object) -> list[tuple[int, ...]]:
        return [tuple(p.shape) for p in AttentionUNet(AttentionUNetConfig(**changes)).parameters()]

    plain = sizes()
    for changes in ({"in_channels": 2}, {"out_channels": 2}, {"variant": 1}, {"decoder_channels": (64, 64, 48, 32)}, {"attention_gates": False}):
        assert sizes(**changes) != plain, changes
    network = AttentionUNet(AttentionUNetConfig(dropout=0.3, drop_path=0.4))
    assert {block.dropout.p for block in network.blocks} == {0.3}
    assert network.encoder.stages[6][0].drop_path == pytest.approx(0.4 * 15 / 16)


@pytest.mark.parametrize("shape", [(1, 1, 32, 32), (2, 1, 64, 96)])
def test_logits_have_the_size_of_the_input(shape: tuple[int, ...]) -> None:
    network = AttentionUNet(AttentionUNetConfig(out_channels=3)).eval()
    assert network(torch.rand(shape)).shape == (shape[0], 3, *shape[2:])


def test_an_untrained_network_can_learn_everywhere() -> None:
    torch.manual_seed(0)
    network = AttentionUNet(AttentionUNetConfig(out_channels=2))
    last = network.head[0]
    assert torch.equal(last.bias, torch.full((8,), -2.0))
    assert float(last.weight.detach().std()) == pytest.approx(0.2, rel=0.1)
    openings: list[torch.Tensor] = []
    for gate in network.gates:
        gate.attention.register_forward_hook(lambda _module, _inputs, output: openings.append(torch.sigmoid(output)))
    with torch.no_grad():
        network(torch.rand(4, 1, 64, 64))
    # no gate is shut or wide open, where a sigmoid has no slope
    assert [0.2 < float(alpha.median()) < 0.95 for alpha in openings] == [True] * 4
    assert all(((alpha > 0.02) & (alpha < 0.98)).float().mean() > 0.9 for alpha in openings)


def test_no_part_of_a_decoder_block_outweighs_the_other() -> None:
    torch.manual_seed(0)
    network = AttentionUNet(AttentionUNetConfig(out_channels=2))
    sizes: list[float] = []
    for block in network.blocks:
        for part in (block.body, block.shortcut):
            part.register_forward_hook(lambda _module, _inputs, output: sizes.append(float(output.std())))
    with torch.no_grad():
        network(torch.rand(4, 1, 64, 64))
    assert len(sizes) == 8
    assert max(sizes) / min(sizes) < 1.5


@pytest.mark.parametrize("gates", [True, False])
def test_gradients_reach_every_parameter(gates: bool) -> None:
    torch.manual_seed(0)
    network = AttentionUNet(AttentionUNetConfig(out_channels=2, attention_gates=gates, dropout=0.0, drop_path=0.0))
    logits = network(torch.rand(4, 1, 64, 64))
    (logits * torch.randn_like(logits)).sum().backward()
    silent = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


def test_gates_weigh_the_skips() -> None:
    torch.manual_seed(0)
    config = AttentionUNetConfig(dropout=0.0, drop_path=0.0)
    gated, plain = AttentionUNet(config).eval(), AttentionUNet(replace(config, attention_gates=False)).eval()
    plain.load_state_dict({name: value for name, value in gated.state_dict().items() if not name.startswith("gates.")})
    x = torch.rand(1, 1, 64, 64)
    assert not torch.allclose(gated(x), plain(x))
    with torch.no_grad():
        for gate in gated.gates:
            gate.attention.weight.zero_()
            gate.attention.bias.fill_(50.0)  # every alpha is 1: an open gate
    assert torch.allclose(gated(x), plain(x), atol=1e-6)


def test_evaluation_is_the_same_every_time_and_for_every_batch() -> None:
    torch.manual_seed(0)
    network = AttentionUNet(AttentionUNetConfig()).eval()
    x = torch.rand(3, 1, 32, 32)
    together = network(x)
    assert torch.equal(network(x), together)
    assert torch.allclose(torch.cat([network(x[i : i + 1]) for i in range(3)]), together, rtol=1e-4, atol=1e-4)
