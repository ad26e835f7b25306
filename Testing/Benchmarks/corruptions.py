"""What goes wrong with scans, as deterministic changes of a volume at a stated strength.

They live here and not in `BrainTumorSegLib`: only measurements use them. Training has its own random changes, of slices and
in torch (`data.augmentation`), and a model should not be judged by the very code it was trained with.

Two kinds. An intensity corruption keeps the grid, so the reference stays as it is. A spatial one makes a new grid (tilted
head, thick slices); then each region of the reference goes the same way, as a field of 0 and 1 that counts where it is at
least half there, and the result is scored on the new grid: the picture that a user would have, with the outline a reader
would draw on it. Bringing the result back instead would add the steps between thick slices to the model's errors.

Voxels of exactly 0 are taken for a stripped skull and stay 0 under noise, blur, bias and ghosts, which a scanner makes
before a skull is stripped. Each sequence has its own noise and bias field, since sequences are scanned one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from BrainTumorSegLib import api
from BrainTumorSegLib.labels import ROLES

Spacing = tuple[float, float, float]
Intensity = Callable[[np.ndarray, Spacing, np.random.Generator], np.ndarray]
"""float32 [z, y, x], its spacing (z, y, x) in mm, a generator -> float32 of the same shape."""
Spatial = Callable[[api.Volume], api.Volume]
"""Image or float mask -> itself on the new grid; depends on the grid alone, so that all sequences and masks of a case agree."""


@dataclass(frozen=True)
class Corruption:
    """One row of the table.

    Attributes:
        name: what is asked for on the command line. strength: what it does, with units.
        needs_mm: it cannot be done to a volume of unknown spacing.
    """

    name: str
    strength: str
    intensity: Intensity | None = None
    spatial: Spatial | None = None
    needs_mm: bool = False


def corrupt(
    corruption: Corruption, volumes: Mapping[str, api.Volume], masks: Mapping[str, np.ndarray], seed: int = 0
) -> tuple[dict[str, api.Volume], dict[str, np.ndarray]]:
    """A case and its reference under one corruption.

    Args:
        volumes: by role, all on one grid. masks: bool [z, y, x] by region, on the same grid.
        seed: of what is drawn (noise and bias fields); the role is drawn in too.

    Returns:
        float32 volumes, and masks on their grid.

    Raises:
        ValueError: the corruption needs millimeters and the volumes have none.
    """
    if corruption.needs_mm and not all(volume.has_millimeters for volume in volumes.values()):
        raise ValueError(f"{corruption.name} is stated in mm, but the spacing of these volumes is unknown; leave it out")
    grid = next(iter(volumes.values()))
    changed = {role: volume.like(volume.array.astype(np.float32)) for role, volume in volumes.items()}
    if corruption.intensity is not None:
        for role, volume in changed.items():
            drawn = np.random.default_rng([seed, ROLES.index(role)])
            changed[role] = volume.like(corruption.intensity(volume.array, volume.spacing_zyx_mm, drawn).astype(np.float32, copy=False))
    if corruption.spatial is None:
        return changed, dict(masks)
    moved = {region: corruption.spatial(grid.like(mask.astype(np.float32))).array >= 0.5 for region, mask in masks.items()}
    return {role: corruption.spatial(volume) for role, volume in changed.items()}, moved


def linear(factor: float, offset: float) -> Intensity:
    """image * factor + offset, air too: another scanner's unit."""
    return lambda image, spacing, drawn: image * np.float32(factor) + np.float32(offset)


def gamma(exponent: float) -> Intensity:
    """Tissue's contrast bent: (image / its maximum) ** exponent * its maximum; images of negative values are not meant."""

    def change(image: np.ndarray, spacing: Spacing, drawn: np.random.Generator) -> np.ndarray:
        top = max(float(image.max()), 1e-6)
        return (np.maximum(image, 0) / top) ** exponent * top

    return change


def rician(share: float) -> Intensity:
    """Magnitude of a signal with Gaussian noise in both of its parts, sigma = `share` of the tissue's mean.

    Gudbjartsson & Patz 1995, https://doi.org/10.1002/mrm.1910340618
    """

    def change(image: np.ndarray, spacing: Spacing, drawn: np.random.Generator) -> np.ndarray:
        tissue = image != 0
        real, imaginary = share * mean_tissue(image) * drawn.standard_normal((2, *image.shape), np.float32)
        return np.where(tissue, np.hypot(image + real, imaginary), image)

    return change


def bias_field(amplitude: float) -> Intensity:
    """Times a smooth field that runs from 1 - amplitude to 1 + amplitude over the tissue; BrainWeb's "40 %" is an amplitude of 0.2.

    The field is a polynomial of degree 3 with drawn coefficients. Collins et al. 1998, https://doi.org/10.1109/42.712135
    """

    def change(image: np.ndarray, spacing: Spacing, drawn: np.random.Generator) -> np.ndarray:
        z, y, x = np.meshgrid(*[np.linspace(-1, 1, n, dtype=np.float32) for n in image.shape], indexing="ij", sparse=True)
        field = np.zeros(image.shape, np.float32)
        for i, j, k in (powers for powers in np.ndindex(4, 4, 4) if 1 <= sum(powers) <= 3):
            field += np.float32(drawn.standard_normal()) * z**i * y**j * x**k
        inside = field[image != 0]
        if inside.size == 0 or inside.min() == inside.max():
            return image
        low, high = float(inside.min()), float(inside.max())
        return image * (1 + amplitude * (2 * (field - low) / (high - low) - 1))

    return change


def blur(sigma_mm: float) -> Intensity:
    """Gaussian of this standard deviation in all three directions; at the border of stripped tissue the mean of the tissue alone."""

    def change(image: np.ndarray, spacing: Spacing, drawn: np.random.Generator) -> np.ndarray:
        from scipy import ndimage

        sigmas = [sigma_mm / step for step in spacing]
        tissue = image != 0
        weight = ndimage.gaussian_filter(tissue.astype(np.float32), sigmas)
        return np.where(tissue, ndimage.gaussian_filter(image, sigmas) / np.maximum(weight, 1e-6), 0)

    return change


def ghosts(amplitude_mm: float, period_lines: float) -> Intensity:
    """A head that moves to and fro by +-amplitude along the second array axis (anterior to posterior) while its lines are taken one by one.

    That axis is the phase encoding's. Line j of k-space, from the most negative frequency to the most positive, sees the
    head displaced by d_j = amplitude * sin(2 pi j / period), so its phase is turned by exp(-2 pi i k_j d_j): ghosts at
    multiples of (lines / period) voxels, wrapped at the border. Wood & Henkelman 1986, https://doi.org/10.1118/1.595851
    """

    def change(image: np.ndarray, spacing: Spacing, drawn: np.random.Generator) -> np.ndarray:
        lines = image.shape[1]
        order = np.argsort(np.argsort(np.fft.fftfreq(lines)))  # when each line is taken
        displaced_mm = amplitude_mm * np.sin(2 * np.pi * order / period_lines)
        phase = np.exp(-2j * np.pi * np.fft.fftfreq(lines, spacing[1]) * displaced_mm).astype(np.complex64)
        result = np.empty_like(image)
        for z, plane in enumerate(image):  # a whole volume of complex numbers would need eight times the memory
            result[z] = np.abs(np.fft.ifft(np.fft.fft(plane, axis=0) * phase[:, None], axis=0))
        return np.where(image != 0, result, 0)

    return change


def thick_slices(thickness_mm: float) -> Spatial:
    """Slices along the first array axis of about this thickness: means of whole slices, as a box profile has them; a last thinner one is left out."""

    def move(volume: api.Volume) -> api.Volume:
        step = volume.spacing_zyx_mm[0]
        k = min(max(1, round(thickness_mm / step)), len(volume.array))
        n = len(volume.array) // k
        array = volume.array[: n * k].reshape(n, k, *volume.array.shape[1:]).mean(axis=1, dtype=np.float32)
        origin = np.asarray(volume.origin) + volume.matrix[:, 2] * step * (k - 1) / 2
        x, y, z = (float(value) for value in origin)
        return replace(volume, array=array, spacing_mm=(*volume.spacing_mm[:2], k * step), origin=(x, y, z))

    return move


def rotate(axis: int, degrees: float) -> Spatial:
    """The head turned by this angle about an array axis (0 is z, 1 y, 2 x) through the grid's center, linearly interpolated.

    The header keeps its directions, so the head lies tilted. The grid grows to hold all that was in it, or a tilted brain
    would be cut off; positive angles turn the first of the two other axes (in array order) to the second.
    """

    def move(volume: api.Volume) -> api.Volume:
        from scipy import ndimage

        a, b = (other for other in range(3) if other != axis)
        cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        spacing = np.asarray(volume.spacing_zyx_mm)
        turn = np.eye(3)  # from a place in the new picture, in mm about the center, to where its value lies in the old one
        turn[a, a], turn[a, b], turn[b, a], turn[b, b] = cosine, sine, -sine, cosine
        matrix = turn * spacing[None, :] / spacing[:, None]
        old = np.asarray(volume.array.shape)
        new = old.copy()
        reach = np.abs(turn) @ (old * spacing) / spacing
        for i in (a, b):
            new[i] = max(old[i], int(np.ceil(reach[i] - 1e-6)))
        offset = (old - 1) / 2 - matrix @ ((new - 1) / 2)
        array = ndimage.affine_transform(volume.array, matrix, offset, tuple(new), np.float32, order=1)
        shift_xyz = (((old - 1) - (new - 1)) / 2)[::-1] * volume.spacing_mm
        x, y, z = (float(value) for value in np.asarray(volume.origin) + volume.matrix @ shift_xyz)
        return replace(volume, array=array, origin=(x, y, z))

    return move


def mean_tissue(image: np.ndarray) -> float:
    """Mean of the voxels brighter than a tenth of the 99.8th percentile: tissue, with or without air and a skull around it."""
    bright = image[image > 0.1 * np.percentile(image, 99.8)]
    return float(bright.mean()) if bright.size else 0.0


CORRUPTIONS: tuple[Corruption, ...] = (
    Corruption("none", "as it is"),
    Corruption("scale-up", "times 3, plus 200", linear(3, 200)),
    Corruption("scale-down", "times 0.2, minus 100 (air is negative)", linear(0.2, -100)),
    Corruption("gamma-low", "gamma 0.7 over the image's range", gamma(0.7)),
    Corruption("gamma-high", "gamma 1.5 over the image's range", gamma(1.5)),
    Corruption("noise-5", "Rician, sigma 5 % of the tissue's mean", rician(0.05)),
    Corruption("noise-15", "Rician, sigma 15 % of the tissue's mean", rician(0.15)),
    Corruption("bias-20", "smooth field 0.8 to 1.2 over the tissue", bias_field(0.2)),
    Corruption("bias-50", "smooth field 0.5 to 1.5 over the tissue", bias_field(0.5)),
    Corruption("blur-1", "Gaussian, sigma 1 mm (FWHM 2.4 mm)", blur(1.0), needs_mm=True),
    Corruption("blur-2", "Gaussian, sigma 2 mm (FWHM 4.7 mm)", blur(2.0), needs_mm=True),
    Corruption("blur-3", "Gaussian, sigma 3 mm (FWHM 7.1 mm)", blur(3.0), needs_mm=True),
    Corruption("slices-5", "axial slices of 5 mm, means of thin ones", spatial=thick_slices(5.0), needs_mm=True),
    Corruption("turn-z-plus", "head turned +20° in the axial plane", spatial=rotate(0, 20)),
    Corruption("turn-z-minus", "head turned -20° in the axial plane", spatial=rotate(0, -20)),
    Corruption("turn-y-plus", "head turned +20° in the coronal plane", spatial=rotate(1, 20), needs_mm=True),
    Corruption("turn-y-minus", "head turned -20° in the coronal plane", spatial=rotate(1, -20), needs_mm=True),
    Corruption("turn-x-plus", "head turned +20° in the sagittal plane", spatial=rotate(2, 20), needs_mm=True),
    Corruption("turn-x-minus", "head turned -20° in the sagittal plane", spatial=rotate(2, -20), needs_mm=True),
    Corruption("ghosts-1", "head moving by ±1 mm, period 8 lines", ghosts(1.0, 8), needs_mm=True),
    Corruption("ghosts-3", "head moving by ±3 mm, period 8 lines", ghosts(3.0, 8), needs_mm=True),
)
"""All of them; turns without "needs_mm" stay in the axial plane, whose pixels are square where nothing else is known."""


def find_corruptions(names: str | None) -> list[Corruption]:
    """Those named in "a,b", in the table's order, always with "none"; all for None.

    Raises:
        SystemExit: an unknown name, with those that there are.
    """
    if names is None:
        return list(CORRUPTIONS)
    wanted = {name.strip() for name in names.split(",")} | {"none"}
    unknown = sorted(wanted - {corruption.name for corruption in CORRUPTIONS})
    if unknown:
        raise SystemExit(f"no corruption is called {', '.join(unknown)}; choose from {', '.join(corruption.name for corruption in CORRUPTIONS)}")
    return [corruption for corruption in CORRUPTIONS if corruption.name in wanted]
