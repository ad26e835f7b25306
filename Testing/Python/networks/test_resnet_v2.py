"""The encoder is Keras's ResNet50V2, layer by layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from BrainTumorSegLib.networks.encoders.resnet_v2 import PreActivationBlock, ResNetV2
from Testing.Python.networks.checks import keras_count, silent_parameters
from Testing.Python.networks.plain import array, convolve, noise, normalize, relu, shaken

pytestmark = pytest.mark.usefixtures("one_thread")

EPSILON = 1.001e-5


class Deepest(nn.Module):
    """An encoder that gives its maps as one tuple."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(self.encoder(x))


@pytest.mark.parametrize(("stride", "projects"), [(1, True), (1, False), (2, False)])
def test_a_block_is_its_formula_in_numpy(stride: int, projects: bool) -> None:
    in_channels = 6 if projects else 16
    block, x = shaken(PreActivationBlock(in_channels, 4, stride, projects)), noise(2, in_channels, 6, 8)
    active = relu(normalize(array(x), block.preact_bn, EPSILON))
    reduced = convolve(active, block.conv1)
    y = relu(normalize(reduced, block.bn1, EPSILON))
    y = relu(normalize(convolve(y, block.conv2, padding=1, stride=stride), block.bn2, EPSILON))
    shortcut = convolve(active, block.shortcut) if projects else array(x)[:, :, ::stride, ::stride]  # a 1x1 max-pool only skips
    given, given_reduced = block(x)
    assert np.allclose(array(given), shortcut + convolve(y, block.conv3), atol=1e-5)
    assert np.allclose(array(given_reduced), reduced, atol=1e-5)


def test_the_parameters_are_the_published_ones() -> None:
    # Keras: ResNet50V2(include_top=False).count_params()
    with torch.device("meta"):
        assert keras_count(ResNetV2()) == 23_564_800


def test_the_maps_have_the_sizes_of_system_a() -> None:
    with torch.device("meta"):
        encoder, x = ResNetV2(), torch.zeros(1, 3, 224, 224)
    assert encoder.channels == (64, 64, 128, 1024, 2048)
    assert [tuple(m.shape[1:]) for m in encoder(x)] == [(64, 112, 112), (64, 56, 56), (128, 28, 28), (1024, 14, 14), (2048, 7, 7)]


def test_the_last_block_of_a_stage_strides() -> None:
    strides = [[block.stride for block in stage] for stage in ResNetV2(width=0.125).stages]
    assert strides == [[1, 1, 2], [1, 1, 1, 2], [1, 1, 1, 1, 1, 2], [1, 1, 1]]


def test_the_maps_are_those_that_the_paper_names() -> None:
    encoder, x = shaken(ResNetV2(width=0.125)), torch.rand(1, 3, 64, 64)
    seen: dict[str, torch.Tensor] = {}
    named = {
        "conv1_conv": encoder.conv1,
        "conv2_block3_1_conv": encoder.stages[0][2].conv1,
        "conv3_block4_1_conv": encoder.stages[1][3].conv1,
        "conv4_block5_out": encoder.stages[2][4],
        "post_bn": encoder.post_bn,
    }
    for name, layer in named.items():
        layer.register_forward_hook(lambda _m, _i, out, name=name: seen.update({name: out[0] if isinstance(out, tuple) else out}))
    maps = encoder(x)
    for name, given in zip(named, maps):
        assert torch.equal(given, seen[name]), name


def test_the_first_pooling_pads_with_zeros() -> None:
    encoder = shaken(ResNetV2(width=0.125))
    with torch.no_grad():
        encoder.conv1.bias.fill_(-50.0)  # the stem is negative everywhere: only a padded zero is larger
    seen: list[torch.Tensor] = []
    encoder.stages[0][0].register_forward_pre_hook(lambda _m, inputs: seen.append(inputs[0]))
    encoder(torch.rand(1, 3, 64, 64))
    assert not seen[0][:, :, 0].any()
    assert not seen[0][:, :, :, 0].any()
    assert (seen[0][:, :, 1:, 1:] < -10).all()


def test_gradients_reach_every_parameter() -> None:
    assert silent_parameters(Deepest(ResNetV2(width=0.125)), torch.rand(4, 3, 64, 64)) == []
