"""The papers' learned doubling of the size."""

from __future__ import annotations

from torch import nn


class UpConvolution(nn.ConvTranspose2d):
    """Transposed 3x3 convolution with stride 2 and bias, exactly twice the size. [N, in, H, W] -> [N, out, 2H, 2W].

    Systems A and D. Padding 1 and output padding 1 drop the first row and column of the full result; TensorFlow's
    "same" drops the last ones, which mirrors what the kernel learns and changes nothing else.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 3, stride=2, padding=1, output_padding=1)
