"""Transformer blocks on a feature map of any size."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F


def sinusoidal_positions(height: int, width: int, channels: int, like: torch.Tensor) -> torch.Tensor:
    """Fixed position encoding of every pixel, [1, height * width, channels], in row order.

    A quarter of the channels each: sin(y w), cos(y w), sin(x w), cos(x w), with frequencies w = 10000^(-4 i / channels)
    (Vaswani et al. 2017, arXiv:1706.03762, in two dimensions). Computed in the graph, so that one network takes every
    size, which a learned table would not.

    Args:
        channels: a multiple of 4.
        like: a tensor of the wanted type and device.
    """
    quarter = channels // 4
    frequencies = torch.exp(torch.arange(quarter, device=like.device, dtype=like.dtype) * (-math.log(10000.0) / quarter))
    rows = torch.arange(height, device=like.device, dtype=like.dtype)[:, None, None] * frequencies  # [H, 1, quarter]
    columns = torch.arange(width, device=like.device, dtype=like.dtype)[None, :, None] * frequencies  # [1, W, quarter]
    grid = torch.zeros_like(rows + columns)  # [H, W, quarter]
    parts = [rows.sin() + grid, rows.cos() + grid, columns.sin() + grid, columns.cos() + grid]
    return torch.cat(parts, -1).flatten(0, 1)[None]


class SelfAttention(nn.Module):
    """Multi-head `softmax(Q K^T / sqrt(d_k)) V`, heads joined by a linear layer. [N, tokens, channels] -> the same."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.queries_keys_values = nn.Linear(channels, 3 * channels)
        self.output = nn.Linear(channels, channels)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        split = self.queries_keys_values(tokens).unflatten(-1, (3, self.heads, -1))  # [N, T, 3, heads, d_k]
        queries, keys, values = split.permute(2, 0, 3, 1, 4).unbind(0)  # [N, heads, T, d_k] each
        attended = F.scaled_dot_product_attention(queries, keys, values)
        return self.output(attended.transpose(1, 2).flatten(2))


class TransformerBlock(nn.Module):
    """Self-attention and feed-forward, each `x + dropout(f(LayerNorm(x)))`. [N, tokens, channels] -> the same.

    The paper (Ali et al. 2025) does not say on which side of the sum the normalization stands; before `f` it trains
    without warm-up (Xiong et al. 2020, arXiv:2002.04745). The feed-forward's ReLU is Vaswani's.
    """

    def __init__(self, channels: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(channels)
        self.attention = SelfAttention(channels, heads)
        self.feed_forward_norm = nn.LayerNorm(channels)
        self.feed_forward = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Dropout(dropout), nn.Linear(hidden, channels))
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        tokens = tokens + self.dropout(self.attention(self.attention_norm(tokens)))
        return tokens + self.dropout(self.feed_forward(self.feed_forward_norm(tokens)))


class TransformerBottleneck(nn.Module):
    """Every pixel a token, a stack of transformer blocks, and back to a map. [N, channels, H, W] -> the same.

    Args:
        channels: of the map and of a token; a multiple of `heads` and of 4.
        blocks: how many.
        heads: of each self-attention.
        hidden: units of the feed-forward.
        dropout: after each half of a block and inside the feed-forward.
    """

    def __init__(self, channels: int, blocks: int = 4, heads: int = 8, hidden: int = 1024, dropout: float = 0.1) -> None:
        super().__init__()
        if channels % heads or channels % 4:
            raise ValueError(f"a token has {channels} channels, but a multiple of its {heads} heads and of 4 (2-D positions) is needed; choose another width")
        self.channels = channels
        self.blocks = nn.Sequential(*[TransformerBlock(channels, heads, hidden, dropout) for _ in range(blocks)])
        self.norm = nn.LayerNorm(channels)  # the sum of pre-normalized blocks is normalized once, at their end

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = x.shape[2], x.shape[3]
        tokens = x.flatten(2).transpose(1, 2)  # [N, H W, C]
        tokens = self.norm(self.blocks(tokens + sinusoidal_positions(height, width, self.channels, tokens)))
        return tokens.transpose(1, 2).unflatten(2, (height, width))
