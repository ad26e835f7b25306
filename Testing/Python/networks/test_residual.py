"""The decoder's blocks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from BrainTumorSegLib.networks.blocks.residual import ConvBlock, ResidualBlock, UpSample

pytestmark = pytest.mark.usefixtures("one_thread")


def test_up_sampling_is_a_transposed_convolution_of_kernel_2() -> None:
    torch.manual_seed(0)
    transposed, up = nn.ConvTranspose2d(5, 3, 2, 2), UpSample(5, 3)
    with torch.no_grad():
        # depth to space puts channel 4 c + 2 dy + dx at (dy, dx): [in, out, dy, dx] -> [4 out, in]
        up[0].weight.copy_(transposed.weight.permute(1, 2, 3, 0).reshape(12, 5, 1, 1))
        up[0].bias.copy_(transposed.bias.repeat_interleave(4))
    x = torch.randn(2, 5, 4, 6)
    assert up(x).shape == (2, 3, 8, 12)
    assert torch.allclose(up(x), transposed(x), atol=1e-6)


@pytest.mark.parametrize("kernel", [1, 3])
def test_kept_channels_stay_as_they_are(kernel: int) -> None:
    torch.manual_seed(0)
    up = UpSample(5, 3, kernel)
    x = torch.randn(2, 5, 4, 6)
    before = up(x)
    up.keep(2)
    assert torch.allclose(up(x), before[:, :2], atol=1e-6)
    assert sum(p.numel() for p in up.parameters()) == 8 * (5 * kernel**2 + 1)


def test_a_start_has_the_given_mean_and_spread() -> None:
    torch.manual_seed(0)
    up = UpSample(50, 20, kernel=3)
    up.start_at(-4.0, 0.3)
    weight, bias = up[0].weight.detach(), up[0].bias.detach()
    assert torch.equal(bias, torch.full((80,), -4.0))
    assert float(weight.std()) == pytest.approx(0.3, rel=0.05)
    assert abs(float(weight.mean())) < 0.03


def test_normalized_up_sampling_folds_into_its_convolution() -> None:
    torch.manual_seed(0)
    up, plain = UpSample(5, 3, normalize=True), UpSample(5, 3)
    up(torch.randn(8, 5, 4, 6) * 3 + 2)  # running statistics that are not 0 and 1
    up.eval()
    scale = up[1].weight / torch.sqrt(up[1].running_var + up[1].eps)
    with torch.no_grad():
        plain[0].weight.copy_(up[0].weight * scale[:, None, None, None])
        plain[0].bias.copy_(up[1].bias - up[1].running_mean * scale)
    x = torch.randn(2, 5, 4, 6)
    assert up[0].bias is None
    assert torch.allclose(up(x), plain(x), atol=1e-5)


def test_a_block_is_two_convolutions_beside_a_shortcut() -> None:
    torch.manual_seed(0)
    block = ResidualBlock(6, 4, dropout=0.5)
    block(torch.randn(8, 6, 5, 5) * 3 + 2)
    block.eval()
    x = torch.randn(2, 6, 5, 5)

    def normalized(y: torch.Tensor, layer: nn.BatchNorm2d) -> torch.Tensor:
        mean, variance = layer.running_mean[:, None, None], layer.running_var[:, None, None]
        return (y - mean) / torch.sqrt(variance + layer.eps) * layer.weight[:, None, None] + layer.bias[:, None, None]

    first, second, last = block.body
    inner = torch.relu(normalized(nn.functional.conv2d(x, first[0].weight, padding=1), first[1]))
    body = normalized(nn.functional.conv2d(inner, second.weight, padding=1), last)
    shortcut = normalized(nn.functional.conv2d(x, block.shortcut[0].weight), block.shortcut[1])
    assert torch.allclose(block(x), torch.relu(body + shortcut), atol=1e-6)
    # 3x3 convolutions 6 x 4 and 4 x 4 without bias, shortcut 6 x 4, 3 normalizations of 2 x 4
    assert sum(p.numel() for p in block.parameters()) == 9 * 24 + 9 * 16 + 24 + 24


def test_dropout_takes_whole_maps_in_training_only() -> None:
    torch.manual_seed(0)
    block = ResidualBlock(2, 32, dropout=0.5)
    x = torch.randn(8, 2, 5, 5)
    empty = (block(x) == 0).flatten(2).all(2).float().mean()
    assert 0.35 < empty < 0.65
    assert not (block.eval()(x) == 0).flatten(2).all(2).any()


def test_a_convolution_block_normalizes_and_cuts_below_0() -> None:
    torch.manual_seed(0)
    block = ConvBlock(3, 4)
    y = block(torch.randn(16, 3, 8, 8) * 7 + 3).detach()
    assert y.min() == 0
    # half of a standard normal distribution remains: its mean is 1 / sqrt(2 pi) = 0.399
    assert float(y.mean()) == pytest.approx(0.399, abs=0.03)
