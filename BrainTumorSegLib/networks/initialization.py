"""How every network starts where no trained weights are loaded: one rule, so that rows of a table differ by their design."""

from __future__ import annotations

from torch import nn


def initialize(network: nn.Module) -> None:
    """He initialization (He et al. 2015, doi:10.1109/ICCV.2015.123) for convolutions, Xavier for linear layers, biases 0."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            # fan_in of a transposed convolution is what PyTorch calls fan_out, for its weight is stored [in, out, h, w]
            nn.init.kaiming_normal_(module.weight, mode="fan_in" if isinstance(module, nn.Conv2d) else "fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
