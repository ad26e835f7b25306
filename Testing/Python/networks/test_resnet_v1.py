"""The encoder is the first ResNet-50, layer by layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from BrainTumorSegLib.networks.encoders.resnet_v1 import BottleneckBlock, ResNetV1
from Testing.Python.networks.checks import keras_count
from Testing.Python.networks.plain import array, convolve, noise, normalize, relu, shaken

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(("stride", "dilation", "projects"), [(1, 1, True), (2, 1, True), (1, 1, False), (1, 2, False)])
def test_a_block_is_its_formula_in_numpy(stride: int, dilation: int, projects: bool) -> None:
    in_channels = 6 if projects else 16
    block, x = shaken(BottleneckBlock(in_channels, 4, stride, dilation, projects)), noise(2, in_channels, 6, 8)
    y = relu(normalize(convolve(array(x), block.conv1, stride=stride), block.bn1, 1e-3))
    y = relu(normalize(convolve(y, block.conv2, padding=dilation, dilation=dilation), block.bn2, 1e-3))
    y = normalize(convolve(y, block.conv3), block.bn3, 1e-3)
    shortcut = normalize(convolve(array(x), block.shortcut, stride=stride), block.shortcut_bn, 1e-3) if projects else array(x)
    assert np.allclose(array(block(x)), relu(y + shortcut), atol=1e-5)


def test_the_parameters_are_the_published_ones() -> None:
    # Keras: ResNet50(include_top=False).count_params(); its last stage, which system B leaves out:
    # 1x1 1024 -> 512, 3x3, 1x1 512 -> 2048 and projection 1024 -> 2048; two more blocks; biases 1; BN 4 a channel
    def block(in_channels: int, filters: int) -> int:
        return in_channels * filters + 9 * filters**2 + 4 * filters**2 + 5 * (filters + filters + 4 * filters)

    last = block(1024, 512) + 1024 * 2048 + 5 * 2048 + 2 * block(2048, 512)
    with torch.device("meta"):
        assert keras_count(ResNetV1()) == 23_587_712
        assert keras_count(ResNetV1(last_stage=4)) == 23_587_712 - last == 8_589_184


@pytest.mark.parametrize(
    ("output_stride", "sizes", "dilations"),
    [(32, (128, 64, 32, 16, 8), (1, 1, 1, 1)), (16, (128, 64, 32, 16, 16), (1, 1, 1, 2)), (8, (128, 64, 32, 32, 32), (1, 1, 2, 4))],
)
def test_stages_stride_or_dilate(output_stride: int, sizes: tuple[int, ...], dilations: tuple[int, ...]) -> None:
    with torch.device("meta"):
        encoder, x = ResNetV1(output_stride=output_stride), torch.zeros(1, 3, 256, 256)
    assert encoder.channels == (64, 256, 512, 1024, 2048)
    assert [tuple(m.shape[1:]) for m in encoder(x)] == [(c, s, s) for c, s in zip(encoder.channels, sizes)]
    assert tuple(part[-1].conv2.dilation[0] for part in encoder.parts[1:]) == dilations


def test_the_stem_is_its_formula_and_pooling_comes_after_it() -> None:
    encoder, x = shaken(ResNetV1(width=0.125)), noise(1, 3, 32, 32)
    stem, first = encoder(x)[:2]
    expected = relu(normalize(convolve(array(x), encoder.parts[0][0], padding=3, stride=2), encoder.parts[0][1], 1e-3))
    assert np.allclose(array(stem), expected, atol=1e-5)
    pooled = torch.nn.functional.max_pool2d(stem, 3, 2, padding=1)
    assert torch.allclose(first, encoder.parts[1][3](encoder.parts[1][2](encoder.parts[1][1](pooled))))


def test_an_output_stride_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="output_stride is 4, but the last stages can be dilated for 8, 16 or 32 only"):
        ResNetV1(output_stride=4)
