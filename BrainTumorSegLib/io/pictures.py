"""PNG and JPEG slices as volumes of one slice, folders of them, and masks as PNG.

A picture says nothing about millimeters or the patient's position: `has_millimeters` is False, and EXIF (rotation,
resolution) is ignored, so that the mask has the pixels of the file.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.atomic import writing
from BrainTumorSegLib.volume import Volume

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".png", ".jpg", ".jpeg")
_MEAN_CHANNEL_DIFFERENCE = 4.0  # of 255; gray pictures saved as color JPEG stay below 1


def is_picture(path: str | Path) -> bool:
    """True for the suffixes of PNG and JPEG."""
    return Path(path).suffix.lower() in SUFFIXES


def list_pictures(folder: str | Path) -> list[Path]:
    """The PNG and JPEG files of a folder (not of its sub-folders, no hidden files), `slice2` before `slice10`.

    Raises:
        InputError: no such folder, no pictures in it, or two of the same stem, whose masks would have one name.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder, but a folder of PNG or JPEG slices is needed; correct the path")
    found = sorted((p for p in folder.iterdir() if is_picture(p) and p.is_file() and not p.name.startswith(".")), key=_natural_key)
    if not found:
        raise InputError(f"{folder} holds no PNG or JPEG slices, so there is nothing to read; give a volume file (NIfTI, NRRD, MHA) or the folder of slices")
    stems: dict[str, Path] = {}
    for path in found:
        twin = stems.setdefault(path.stem, path)
        if twin is not path:
            raise InputError(f"{folder} holds both {twin.name} and {path.name}, but each stem names one slice; rename or remove one of them")
    return found


def read_picture(path: str | Path) -> Volume:
    """A gray picture as [1, y, x], uint8 or uint16. Color is accepted where the channels agree, as gray pictures are often saved.

    Raises:
        InputError: not a picture, cut short, or truly in color.
    """
    path = Path(path)
    picture = _open(path)
    if picture.mode in ("L", "I;16", "I;16B", "I;16L", "I"):
        return _as_volume(np.asarray(picture), path)
    if picture.mode == "1":
        return _as_volume(np.asarray(picture).astype(np.uint8) * np.uint8(255), path)
    channels = np.asarray(picture.convert("RGB"))
    spread = float((channels.max(axis=2).astype(np.int16) - channels.min(axis=2)).mean())
    if spread > _MEAN_CHANNEL_DIFFERENCE:
        raise InputError(f"{path.name} is a color picture (its channels differ by {spread:.0f} gray levels on average), but slices are gray; save it in gray")
    return _as_volume(np.asarray(picture.convert("RGB").convert("L")), path)


def read_picture_labels(path: str | Path) -> Volume:
    """A mask as [1, y, x]: pixel values are label values, but {0, 255} and black and white mean {0, 1}; a palette gives its indices.

    Raises:
        InputError: not a picture, cut short, in color, or a JPEG, whose compression changes label values.
    """
    path = Path(path)
    picture = _open(path)
    if picture.format == "JPEG":
        raise InputError(f"{path.name} is a JPEG, whose compression changes label values; save the mask as PNG")
    volume = _as_volume(np.asarray(picture), path) if picture.mode == "P" else read_picture(path)
    if np.isin(volume.array, (0, 255)).all():
        return volume.like((volume.array > 0).astype(np.uint8))
    return volume


def write_mask(labels: np.ndarray, path: str | Path) -> None:
    """Write one slice of labels, [1, y, x] or [y, x], as an 8-bit gray PNG whose pixel values are the label values.

    Raises:
        InputError: more than one slice, labels above 255, or a file that cannot be written.
    """
    with writing(path) as beside:
        encode_mask(labels, beside, shown=Path(path))


def encode_mask(labels: np.ndarray, beside: Path, shown: Path) -> None:
    """As `write_mask`, straight to the path `beside`; messages speak of `shown`."""
    from PIL import Image

    plane = labels[0] if labels.ndim == 3 and len(labels) == 1 else labels
    if plane.ndim != 2:
        raise InputError(f"a volume of {len(labels)} slices does not fit into one picture ({shown}); write it as .nii.gz, .nrrd or .mha")
    if plane.min() < 0 or plane.max() > 255:
        raise InputError(f"label values from {plane.min()} to {plane.max()} do not fit into a PNG mask ({shown}), which holds 0 to 255; write a volume instead")
    Image.fromarray(np.ascontiguousarray(plane.astype(np.uint8))).save(beside, format="PNG")


def _open(path: Path) -> Image:
    """The decoded picture; Pillow's formats are limited to the two that the suffixes promise."""
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures, and of odd EXIF
            picture = Image.open(path, formats=("PNG", "JPEG"))
            picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = "it is no PNG or JPEG" if isinstance(error, Image.UnidentifiedImageError) else str(error)
        raise InputError(f"{path.name} cannot be read as a picture ({reason}); copy it again or save it as PNG") from error
    return picture


def _as_volume(plane: np.ndarray, path: Path) -> Volume:
    return Volume(np.ascontiguousarray(plane)[None], has_millimeters=False, name=path.name)


def _natural_key(path: Path) -> tuple[list[tuple[int, str]], str]:
    parts = re.split(r"(\d+)", path.stem.lower())
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name
