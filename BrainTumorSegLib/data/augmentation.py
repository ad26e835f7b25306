"""Random changes of slices, all drawn from one generator, so that the same seed replays the same batch.

`draw` makes the parameters, `apply` is deterministic: the pair can be replayed and tested.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class AugmentationConfig:
    """Ranges and probabilities; every probability is per slice.

    Attributes:
        rotation_deg: rotation within +- this angle.
        scale: range of magnification (log-uniform); shear and shift: within +-, as a share of the slice's size.
        flip: horizontal flips. elastic: probability of a smooth deformation of up to `elastic_size` of the half width.
        bias: smooth multiplicative field of e**(+-bias_size). gamma: exponent range (log-uniform) about the mean tissue.
        contrast: factor range. blur: sigma up to `blur_sigma` pixels. low_resolution: shrunk by up to this factor and back.
        noise: Gaussian, up to this standard deviation in tissue units. erase: one rectangle set to its mean.
        motion: a head that moved to and fro by up to `motion_size` pixels while it was scanned, which makes ghosts.
    """

    rotation_deg: float = 20.0
    scale: tuple[float, float] = (0.75, 1.35)
    shear: float = 0.1
    shift: float = 0.08
    flip: float = 0.5
    elastic: float = 0.4
    elastic_size: float = 0.06
    bias: float = 0.4
    bias_size: float = 0.4
    gamma_probability: float = 0.5
    gamma: tuple[float, float] = (0.65, 1.5)
    contrast: tuple[float, float] = (0.7, 1.4)
    blur: float = 0.25
    blur_sigma: float = 1.5
    low_resolution: float = 0.2
    low_resolution_factor: float = 3.0
    noise_probability: float = 0.35
    noise: float = 0.12
    erase: float = 0.1
    motion: float = 0.0
    motion_size: float = 3.0

    def weaker(self, share: float) -> AugmentationConfig:
        """The same ranges, but deformations and intensity changes happen `share` times as often."""
        names = ("elastic", "bias", "gamma_probability", "blur", "low_resolution", "noise_probability", "erase", "motion")
        return replace(self, **{name: getattr(self, name) * share for name in names})


@dataclass(frozen=True)
class Augmentation:
    """One draw for a batch of n slices: every tensor's first axis is n. With C > 1 channels, what is marked * is [n, C, ...]: each has its own."""

    affine: torch.Tensor  # [n, 2, 3], output to input, normalized coordinates
    elastic: torch.Tensor  # [n, 2, 5, 5], displacement at control points
    bias: torch.Tensor  # [n, C, 4, 4], logarithm of the field at control points
    gamma: torch.Tensor  # [n] *
    contrast: torch.Tensor  # [n] *
    sigma: torch.Tensor  # [n], pixels, 0 for none
    shrink: torch.Tensor  # [n], 1 for none
    noise_sd: torch.Tensor  # [n] *
    noise: torch.Tensor  # [n, size, size] *
    box: torch.Tensor  # [n, 4], top, left, height, width as shares; height 0 for none
    motion: torch.Tensor  # [n, 4], pixels to and fro (0 for none), lines of a period, phase at the first line, 1 if down the slice and 0 if across


def draw(config: AugmentationConfig, n: int, size: int, generator: torch.Generator, field: float = 1.0, channels: int = 1) -> Augmentation:
    """Random parameters for `n` slices that come out `size` pixels wide and high, a window `field` times as wide as the slice, anywhere in it.

    Channels of a slice are deformed, blurred and erased alike, but each has its own bias field, gamma, contrast and noise,
    since sequences are scanned one after the other.
    """
    own = () if channels == 1 else (channels,)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(n, *shape, generator=generator)

    def chance(probability: float, *shape: int) -> torch.Tensor:
        return (torch.rand(n, *shape, generator=generator) < probability).float()

    def log_uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.exp(uniform(float(torch.log(torch.tensor(low))), float(torch.log(torch.tensor(high))), *shape))

    angle = torch.deg2rad(uniform(-config.rotation_deg, config.rotation_deg))
    zoom, shear, mirror = log_uniform(*config.scale), uniform(-config.shear, config.shear), 1 - 2 * chance(config.flip)
    stretch = log_uniform(0.9, 1 / 0.9)
    cosine, sine = torch.cos(angle) / zoom, torch.sin(angle) / zoom
    shift = uniform(-2 * config.shift, 2 * config.shift, 2)
    rows = [
        torch.stack([cosine * mirror * stretch, (shear * cosine - sine) / stretch], 1),
        torch.stack([sine * mirror * stretch, (shear * sine + cosine) / stretch], 1),
    ]
    blurred = chance(config.blur)
    shrunk = chance(config.low_resolution)
    window = uniform(field - 1, 1 - field, 2)
    return Augmentation(
        affine=torch.cat([field * torch.stack(rows, 1), (shift + window)[..., None]], 2),
        elastic=uniform(-config.elastic_size, config.elastic_size, 2, 5, 5) * chance(config.elastic)[:, None, None, None],
        bias=uniform(-config.bias_size, config.bias_size, channels, 4, 4) * chance(config.bias, channels)[:, :, None, None],
        gamma=log_uniform(*config.gamma, *own) ** chance(config.gamma_probability, *own),
        contrast=log_uniform(*config.contrast, *own),
        sigma=uniform(0.3, config.blur_sigma) * blurred,
        shrink=1 + (uniform(1.0, config.low_resolution_factor) - 1) * shrunk,
        noise_sd=uniform(0.0, config.noise, *own) * chance(config.noise_probability, *own),
        noise=torch.randn(n, *own, size, size, generator=generator),
        box=torch.cat([uniform(0.0, 0.8, 2), uniform(0.08, 0.25, 2) * chance(config.erase)[:, None]], 1),
        motion=torch.stack([uniform(0.3, config.motion_size) * chance(config.motion), log_uniform(3, 64), uniform(0, 2 * math.pi), chance(0.5)], 1),
    )


def apply(augmentation: Augmentation, images: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The drawn change of a batch.

    Args:
        images: [n, C, H, W] in tissue units (0 is air). targets: [n, k, H, W], each 0 or 1.

    Returns:
        images and targets [n, ., size, size] on the drawn size; targets are 0 or 1 again.
    """
    size = augmentation.noise.shape[-1]
    grid = F.affine_grid(augmentation.affine, [len(images), 1, size, size], align_corners=False)
    grid = grid + F.interpolate(augmentation.elastic, (size, size), mode="bicubic", align_corners=True).permute(0, 2, 3, 1)
    both = F.grid_sample(torch.cat([images, targets], 1), grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    channels = images.shape[1]
    return _change_intensity(augmentation, both[:, :channels]), (both[:, channels:] >= 0.5).float()


def _change_intensity(augmentation: Augmentation, images: torch.Tensor) -> torch.Tensor:
    n, size = len(images), images.shape[-1]
    column = (n, -1, 1, 1)
    field = torch.exp(F.interpolate(augmentation.bias, (size, size), mode="bicubic", align_corners=True))
    images = (images * field).clamp_min(0)
    images = images ** augmentation.gamma.view(column) * augmentation.contrast.view(column)  # mean tissue is 1, which gamma keeps
    for i in range(n):
        images[i] = _soften(images[i][:, None], float(augmentation.sigma[i]), float(augmentation.shrink[i]))[:, 0]
        images[i] = _erase(_shake(images[i], *(float(v) for v in augmentation.motion[i])), [float(v) for v in augmentation.box[i]])
    return images + augmentation.noise.view(n, -1, size, size) * augmentation.noise_sd.view(column)


def _soften(image: torch.Tensor, sigma: float, shrink: float) -> torch.Tensor:
    if sigma > 0:
        reach = max(4, math.ceil(2.6 * sigma))
        offsets = torch.arange(-reach, reach + 1, dtype=image.dtype)
        kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
        kernel = kernel / kernel.sum()
        image = F.conv2d(F.conv2d(image, kernel.view(1, 1, 1, -1), padding=(0, reach)), kernel.view(1, 1, -1, 1), padding=(reach, 0))
    if shrink > 1:
        small = max(16, int(image.shape[-1] / shrink))
        image = F.interpolate(F.interpolate(image, (small, small), mode="area"), image.shape[-2:], mode="bilinear", align_corners=False)
    return image


def _shake(image: torch.Tensor, amplitude: float, period: float, start: float, down: float) -> torch.Tensor:
    """Each line of k-space sees the head displaced by `amplitude * sin(2 pi line / period + start)`; Wood & Henkelman 1986, doi:10.1118/1.595851."""
    if amplitude <= 0:
        return image
    axis = 1 if down else 2
    frequency = torch.fft.fftshift(torch.fft.fftfreq(image.shape[axis]))  # lines are taken from the most negative to the most positive
    displaced = amplitude * torch.sin(2 * math.pi / period * torch.arange(len(frequency)) + start)
    turned = torch.fft.ifftshift(torch.exp(-2j * math.pi * frequency * displaced))
    shaken = torch.fft.ifft(torch.fft.fft(image, dim=axis) * (turned[:, None] if down else turned), dim=axis).abs()
    return torch.where(image == 0, image, shaken)  # a stripped skull stays stripped


def _erase(image: torch.Tensor, box: list[float]) -> torch.Tensor:
    top, left, height, width = (round(share * image.shape[-1]) for share in box)
    if height and width:
        for channel in image:
            patch = channel[top : top + height, left : left + width]
            channel[top : top + height, left : left + width] = patch.mean()
    return image


def to_device(augmentation: Augmentation, device: torch.device) -> Augmentation:
    """The same draw on another device."""
    return Augmentation(**{f.name: getattr(augmentation, f.name).to(device) for f in fields(augmentation)})
