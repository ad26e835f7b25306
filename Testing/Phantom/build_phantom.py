"""Build the head phantom of Resources/Phantom: a made-up T1 after contrast with a made-up tumor, and its reference.

The tissue comes from the MNI152 templates that the PyPI package nilearn carries; nothing else of nilearn is used.
The files are committed, so only a developer who changes the phantom runs this:

    python Testing/Phantom/build_phantom.py [--templates DIR] [--out DIR]

DIR holds mni_icbm152_{t1,gm,wm}_tal_nlin_sym_09a_converted.nii.gz (default: those of an installed nilearn).
The same templates and library versions give the same files.
"""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

import brain
import head
import numpy as np
import SimpleITK
import tumor
from grid import BELOW, FIRST_MM, Grid, smooth_noise
from scipy import ndimage

SEED = 20240611
SPACING_MM = (1.3, 1.3, 1.4)  # (x, y, z)
SIZE = (144, 184, 142)
ORIGIN_LPS_MM = (93.0, 131.2, -94.5)
TILT_DEGREES = 4.0  # nobody lies quite straight
NOISE = 2.0  # standard deviation in gray values, before Rician rectification
PEAK = 255.0


def templates_folder() -> Path:
    """Where an installed nilearn keeps its templates."""
    found = importlib.util.find_spec("nilearn")
    if found is None or found.origin is None:
        raise SystemExit("nilearn is not installed, but its MNI152 templates are needed; install it or give --templates DIR")
    return Path(found.origin).parent / "datasets" / "data"


def read_templates(folder: Path) -> dict[str, np.ndarray]:
    """The three templates as [z, y, x] in RAS order, 0..1."""
    paths = {name: folder / f"mni_icbm152_{name}_tal_nlin_sym_09a_converted.nii.gz" for name in ("t1", "gm", "wm")}
    return {name: SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))) / 255.0 for name, path in paths.items()}


def build(templates: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The noiseless head and the signed distance in mm to the tumor's border, [z, y, x] on the working grid."""
    rng = np.random.default_rng(SEED)
    slices, rows, columns = templates["t1"].shape
    grid = Grid((slices + BELOW, rows, columns))
    lesion = tumor.make(grid, rng)
    person = brain.person(templates, tumor.mass_effect(grid), rng)
    outside_mm = head.outside_brain_mm(person.mask)
    image = brain.add_vessels(person.image, grid, person, outside_mm, rng)
    image = tumor.paint(image, lesion, person.white, person.fluid, rng)
    return head.add_head(image, grid, person.mask, outside_mm, rng), lesion.outer_mm


def scan(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a scanner makes of it: uneven coil sensitivity and Rician noise, its floor taken off, as uint8."""
    coil = np.exp(0.10 * smooth_noise(image.shape, 40.0, rng))
    real, imaginary = (NOISE * rng.standard_normal(image.shape) for _ in range(2))
    magnitude = np.hypot(image * coil + real, imaginary)
    return np.clip(magnitude - 2 * NOISE, 0, PEAK).round().astype(np.uint8)


def on_scan_grid(array: np.ndarray, outside: float) -> SimpleITK.Image:
    """An array of the working grid resampled to the scan's oblique grid."""
    image = SimpleITK.GetImageFromArray(array.astype(np.float32))
    image.SetOrigin((-FIRST_MM[0], -FIRST_MM[1], FIRST_MM[2] - BELOW))
    image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    return SimpleITK.Resample(image, scan_grid(), SimpleITK.Transform(), SimpleITK.sitkLinear, outside)


def scan_grid() -> SimpleITK.Image:
    """The scan's empty grid: axes run left, posterior and up reversed (RAS), tilted about x."""
    angle = np.deg2rad(TILT_DEGREES)
    tilt = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    grid = SimpleITK.Image(SIZE, SimpleITK.sitkUInt8)
    grid.SetSpacing(SPACING_MM)
    grid.SetOrigin(ORIGIN_LPS_MM)
    grid.SetDirection((tilt @ np.diag([-1.0, -1.0, 1.0])).ravel().tolist())
    return grid


def save(array: np.ndarray, path: Path) -> None:
    image = SimpleITK.GetImageFromArray(array)
    image.CopyInformation(scan_grid())
    SimpleITK.WriteImage(image, str(path), useCompression=True, compressionLevel=9)


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the head phantom of Resources/Phantom.")
    parser.add_argument("--templates", type=Path, help="folder of the MNI152 templates (default: an installed nilearn)")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "Resources" / "Phantom")
    arguments = parser.parse_args()
    noiseless, outer_mm = build(read_templates(arguments.templates or templates_folder()))
    blurred = ndimage.gaussian_filter(noiseless, 0.45)
    image = SimpleITK.GetArrayFromImage(on_scan_grid(blurred, 0.0))
    reference = SimpleITK.GetArrayFromImage(on_scan_grid(outer_mm, 1.0)) <= 0
    arguments.out.mkdir(parents=True, exist_ok=True)
    save(scan(image, np.random.default_rng(SEED + 1)), arguments.out / "t1ce.nii.gz")
    save(reference.astype(np.uint8), arguments.out / "reference.nii.gz")


if __name__ == "__main__":
    main()
