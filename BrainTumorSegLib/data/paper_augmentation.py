"""The published systems' augmentations: `draw` makes the parameters from a generator, `apply` is deterministic.

System A names none. The ranges of B are ours, for its paper prints none; C's and D's are theirs, but for D's angle.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class PaperAugmentationConfig:
    """Ranges; 0 leaves a change out.

    Attributes:
        flip: probability of a horizontal flip; flip_vertical of a vertical one.
        rotation_deg: within +- this angle, empty corners repeat the border.
        scale: magnification of 1 - scale to 1 + scale.
        crop_pad: the slice is padded by this many pixels on each side by reflection and cropped to its size anywhere.
        blur_sigma: Gaussian blur of up to this many pixels.
        contrast: gray values are stretched about the slice's mean by 1 - contrast to 1 + contrast.
        brightness: standard deviation of a number that is added to each channel.
        gamma: range of an exponent, channel by channel, keeping mean and variance.
        noise: standard deviation of Gaussian noise.
        probability: of each of blur, contrast, brightness, gamma and noise, per slice.
        single: B only: a slice keeps one of its changes at most, or none, each with the same probability, as the set
            augmented off line has the original beside one copy for each change.
    """

    flip: float = 0.0
    flip_vertical: float = 0.0
    rotation_deg: float = 0.0
    scale: float = 0.0
    crop_pad: int = 0
    blur_sigma: float = 0.0
    contrast: float = 0.0
    brightness: float = 0.0
    gamma: tuple[float, float] = (1.0, 1.0)
    noise: float = 0.0
    probability: float = 0.5
    single: bool = False


@dataclass(frozen=True)
class PaperAugmentation:
    """One draw for n slices of c channels: every tensor's first axis is n."""

    flip: torch.Tensor  # [n], 1 or -1
    flip_vertical: torch.Tensor  # [n], 1 or -1
    angle: torch.Tensor  # [n], radians
    zoom: torch.Tensor  # [n], 1 for none
    shift: torch.Tensor  # [n, 2], whole pixels down and right, of the window in the padded slice; 0 is the upper left
    pad: torch.Tensor  # [n], pixels of padding
    sigma: torch.Tensor  # [n], pixels, 0 for none
    contrast: torch.Tensor  # [n], 1 for none
    brightness: torch.Tensor  # [n, c]
    gamma: torch.Tensor  # [n, c], 1 for none
    noise: torch.Tensor  # [n, c, size, size]


_CHANGES = ("flip", "flip_vertical", "angle", "sigma", "contrast")
"""What a draw with `single` chooses from, beside the slice as it is: B's augmentation has six forms."""


def draw(config: PaperAugmentationConfig, n: int, channels: int, size: int, generator: torch.Generator) -> PaperAugmentation:
    """Random parameters for `n` slices."""

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(n, *shape, generator=generator)

    def happens(probability: float, *shape: int) -> torch.Tensor:
        return (torch.rand(n, *shape, generator=generator) < probability).float()

    low, high = config.gamma
    noise = torch.randn(n, channels, size, size, generator=generator) if config.noise else torch.zeros(n, channels, size, size)
    drawn = PaperAugmentation(
        flip=1 - 2 * happens(config.flip),
        flip_vertical=1 - 2 * happens(config.flip_vertical),
        angle=torch.deg2rad(uniform(-config.rotation_deg, config.rotation_deg)),
        zoom=uniform(1 - config.scale, 1 + config.scale),
        shift=torch.randint(0, 2 * config.crop_pad + 1, (n, 2), generator=generator),
        pad=torch.full((n,), config.crop_pad),
        sigma=uniform(0, config.blur_sigma) * happens(config.probability),
        contrast=1 + uniform(-config.contrast, config.contrast) * happens(config.probability),
        brightness=config.brightness * torch.randn(n, channels, generator=generator) * happens(config.probability, 1),
        gamma=1 + (uniform(low, high, channels) - 1) * happens(config.probability, 1),
        noise=config.noise * noise * happens(config.probability, 1, 1, 1),
    )
    return _one_change(drawn, torch.randint(0, len(_CHANGES) + 1, (n,), generator=generator)) if config.single else drawn


def _one_change(drawn: PaperAugmentation, chosen: torch.Tensor) -> PaperAugmentation:
    """Each slice keeps change number `chosen` of `_CHANGES`; the last number is none of them."""
    neutral = {"flip": 1.0, "flip_vertical": 1.0, "angle": 0.0, "sigma": 0.0, "contrast": 1.0}
    kept = {name: torch.where(chosen == i, getattr(drawn, name), neutral[name]) for i, name in enumerate(_CHANGES)}
    return PaperAugmentation(**{**{f.name: getattr(drawn, f.name) for f in fields(drawn)}, **kept})


def apply(augmentation: PaperAugmentation, images: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The drawn change: intensities first, then the place, in the order of system C's paper.

    Args:
        images: float [n, c, size, size]. labels: uint8 [n, size, size].

    Returns:
        The same shapes and types; labels by nearest neighbor.
    """
    column = (slice(None), slice(None), None, None)
    images = images + augmentation.noise + augmentation.brightness[column]
    images = _stretch(images, augmentation.contrast)
    images = _gamma(images, augmentation.gamma[column])
    images = torch.stack([_blur(image, float(sigma)) for image, sigma in zip(images, augmentation.sigma)])
    images, labels = _turn(augmentation, images, labels)
    return _pad_and_crop(augmentation, images, labels)


def _stretch(images: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    mean = images.mean((1, 2, 3), keepdim=True)
    return torch.where(factor[:, None, None, None] == 1, images, mean + (images - mean) * factor[:, None, None, None])


def _gamma(images: torch.Tensor, exponent: torch.Tensor) -> torch.Tensor:
    """`x ** exponent` of each channel's values spread over 0 to 1, brought back to the mean and deviation it had."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    changed = ((images - low) / (high - low).clamp_min(1e-7)) ** exponent
    mean, deviation = images.mean((2, 3), keepdim=True), images.std((2, 3), keepdim=True)
    changed = (changed - changed.mean((2, 3), keepdim=True)) / changed.std((2, 3), keepdim=True).clamp_min(1e-7)
    return torch.where((exponent == 1) | (high == low), images, changed * deviation + mean)


def _blur(image: torch.Tensor, sigma: float) -> torch.Tensor:
    if sigma <= 0:
        return image
    reach = max(1, round(3 * sigma))
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, dtype=image.dtype) / sigma) ** 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(image[:, None], (reach,) * 4, mode="replicate")  # [c, 1, H, W]
    return F.conv2d(F.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))[:, 0]


def _turn(augmentation: PaperAugmentation, images: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Flips, rotation and magnification; slices that keep their place are not resampled."""
    cosine, sine = torch.cos(augmentation.angle) / augmentation.zoom, torch.sin(augmentation.angle) / augmentation.zoom
    rows = [torch.stack([cosine * augmentation.flip, -sine], 1), torch.stack([sine * augmentation.flip, cosine], 1)]
    matrix = torch.stack(rows, 1)  # [n, 2, 2], output to input, (x, y)
    matrix[:, 1] *= augmentation.flip_vertical[:, None]
    moved = (matrix - torch.eye(2)).abs().amax((1, 2)) > 0
    if not moved.any():
        return images, labels
    images, labels = images.clone(), labels.clone()
    affine = F.pad(matrix[moved], (0, 1))
    grid = F.affine_grid(affine, [int(moved.sum()), 1, *images.shape[2:]], align_corners=False)
    images[moved] = F.grid_sample(images[moved], grid, mode="bilinear", padding_mode="border", align_corners=False)
    turned = F.grid_sample(labels[moved][:, None].float(), grid, mode="nearest", padding_mode="zeros", align_corners=False)
    labels[moved] = turned[:, 0].round().to(labels.dtype)
    return images, labels


def _pad_and_crop(augmentation: PaperAugmentation, images: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    pad = int(augmentation.pad[0])
    if pad == 0:
        return images, labels
    height, width = images.shape[2:]
    wide = F.pad(images, (pad,) * 4, mode="reflect")
    wide_labels = F.pad(labels[:, None].float(), (pad,) * 4, mode="reflect")[:, 0].to(labels.dtype)
    windows = [(slice(top, top + height), slice(left, left + width)) for top, left in augmentation.shift.tolist()]
    cropped = torch.stack([image[:, rows, columns] for image, (rows, columns) in zip(wide, windows)])
    return cropped, torch.stack([label[rows, columns] for label, (rows, columns) in zip(wide_labels, windows)])
