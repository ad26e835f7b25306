"""Volumes from files and into files: NIfTI, NRRD, MetaImage, and PNG or JPEG slices."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.atomic import check_writable, writing
from BrainTumorSegLib.io.nifti import NotFiniteError, check_nifti
from BrainTumorSegLib.io.pictures import encode_mask, is_picture, read_picture, read_picture_labels
from BrainTumorSegLib.io.quiet import itk_warnings_off, stderr_off
from BrainTumorSegLib.io.segment_metadata import segment_metadata
from BrainTumorSegLib.io.text_header import check_meta_image, check_nrrd
from BrainTumorSegLib.labels import Label
from BrainTumorSegLib.volume import Volume

if TYPE_CHECKING:
    import SimpleITK

READABLE: dict[str, Callable[[Path], None]] = {
    ".nii": check_nifti,
    ".nii.gz": check_nifti,
    ".nrrd": check_nrrd,
    ".nhdr": check_nrrd,
    ".mha": check_meta_image,
    ".mhd": check_meta_image,
}
"""Suffixes of volume files, and what checks their bytes before SimpleITK reads them."""
WRITABLE = (".nii", ".nii.gz", ".nrrd", ".mha")
SEGMENTATION_SUFFIX = ".seg.nrrd"
_MAX_LABEL = np.iinfo(np.uint16).max


def read_volume(path: str | Path) -> Volume:
    """One scalar 3-D image; a PNG or JPEG becomes a volume of one slice without millimeters.

    Voxels keep their type, but float64 becomes float32.

    Raises:
        InputError: missing, of an unknown kind, damaged or cut short, not 3-D, in color, without voxels, or with a grid that
            is none (spacing <= 0, axes that are not at right angles).
    """
    path = _existing(path)
    if is_picture(path):
        return read_picture(path)
    _check_bytes(path)
    with itk_warnings_off():
        return _read_with_itk(path)


def read_volumes(paths: Mapping[str, Path]) -> dict[str, Volume]:
    """`read_volume` of several files at once, by the same keys: unpacking and decoding leave Python's lock, so every core helps.

    Raises:
        InputError: as `read_volume`, of the first file that is refused.
    """
    from concurrent.futures import ThreadPoolExecutor

    with itk_warnings_off(), ThreadPoolExecutor() as pool:  # here, because the threads would not switch them back in order
        return dict(zip(paths, pool.map(read_volume, paths.values())))


def read_label_volume(path: str | Path) -> Volume:
    """A label map: whole numbers from 0 on, as uint8 (uint16 where labels exceed 255).

    In a picture with the two values 0 and 255 the white is label 1.

    Raises:
        InputError: what `read_volume` refuses, and voxels that are no whole numbers from 0 on.
    """
    path = _existing(path)
    volume = read_picture_labels(path) if is_picture(path) else read_volume(path)
    array = volume.array
    with np.errstate(invalid="ignore"):
        whole = np.isfinite(array) & (array == np.round(array)) if array.dtype.kind == "f" else np.True_
    if not whole.all():
        bad = int(array.size - np.count_nonzero(whole))
        raise InputError(f"{volume.name} has {bad} voxels that are no whole numbers, but a mask holds label values; give the mask, not the image")
    if array.min() < 0 or array.max() > _MAX_LABEL:
        found = f"{array.min():g} to {array.max():g}"
        raise InputError(f"{volume.name} has values from {found}, but labels lie between 0 and {_MAX_LABEL}; give the mask, not the image")
    return volume.like(array.astype(np.uint8 if array.max() <= 255 else np.uint16))


def check_output(path: str | Path) -> None:
    """Refuse an output file that could not be written in the end, before the work begins.

    Raises:
        InputError: a suffix of no known format, a folder that is missing or may not be written to.
    """
    path = Path(path)
    if not (is_picture(path) and path.suffix.lower() == ".png") and _suffix(path) not in WRITABLE:
        raise InputError(f"{path} names no known file format; use one of {', '.join(WRITABLE)}, {SEGMENTATION_SUFFIX} or, for a picture, .png")
    check_writable(path)


@dataclass(frozen=True)
class Output:
    """One file to be written: `labels` name the segments in a .seg.nrrd; `channels` (float32 [c, z, y, x]) replace the voxels of `volume`."""

    path: Path
    volume: Volume
    labels: tuple[Label, ...] = ()
    channels: np.ndarray | None = None


def write_volume(volume: Volume, path: str | Path) -> None:
    """Write by suffix: .nii, .nii.gz, .nrrd, .mha, or .png for labels of one slice. The file is there whole, or not at all.

    Raises:
        InputError: an unknown suffix, or a file that cannot be written.
    """
    write_all([Output(Path(path), volume)])


def write_segmentation(volume: Volume, labels: tuple[Label, ...], path: str | Path) -> None:
    """Write a label map; a .seg.nrrd also holds name, color and terminology of each label, as 3D Slicer reads them.

    Raises:
        InputError: as `write_volume`.
    """
    write_all([Output(Path(path), volume, labels)])


def write_all(outputs: Sequence[Output]) -> None:
    """Write files that belong together: none appears before all are complete.

    Raises:
        InputError: as `write_volume`.
    """
    for output in outputs:
        check_output(output.path)
    with contextlib.ExitStack() as stack:
        for output in outputs:
            beside = stack.enter_context(writing(output.path))
            if is_picture(output.path):
                encode_mask(output.volume.array, beside, shown=output.path)
            else:
                _encode(output, beside)


def _encode(output: Output, beside: Path) -> None:
    import SimpleITK

    image = _itk_image(output)
    try:
        with itk_warnings_off(), stderr_off():
            SimpleITK.WriteImage(image, str(beside), useCompression=_suffix(beside) != ".nii")
        with contextlib.suppress(NotFiniteError):
            _check_bytes(beside)  # SimpleITK does not notice that the disk is full while it writes NIfTI
    except (RuntimeError, InputError) as error:
        raise InputError(
            f"{output.path} cannot be written completely: the disk is full or a size limit is reached; free some space or choose another folder"
        ) from error


def _itk_image(output: Output) -> SimpleITK.Image:
    import SimpleITK

    volume = output.volume
    if output.channels is not None:
        image = SimpleITK.GetImageFromArray(np.ascontiguousarray(np.moveaxis(output.channels, 0, -1)), isVector=True)
    else:
        image = SimpleITK.GetImageFromArray(volume.array.astype(np.uint8) if volume.array.dtype == bool else volume.array)
    image.SetSpacing(volume.spacing_mm)
    image.SetOrigin(volume.origin)
    image.SetDirection(volume.direction)
    if output.path.name.lower().endswith(SEGMENTATION_SUFFIX) and output.labels:
        for key, value in segment_metadata(volume, output.labels).items():
            image.SetMetaData(key, value)
    return image


def _existing(path: str | Path) -> Path:
    path = Path(path)
    try:
        if not path.exists():
            raise InputError(f"{path} does not exist; correct the path")
        if path.is_dir():
            raise InputError(f"{path} is a folder, but a file is needed; give one volume or picture")
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be opened ({getattr(error, 'strerror', None) or error}); correct its path or its permissions") from error
    if empty:
        raise InputError(f"{path.name} is an empty file, so it holds no image; copy or download it again")
    return path


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return ".nii.gz" if name.endswith(".nii.gz") else path.suffix.lower()


def _check_bytes(path: Path) -> None:
    check = READABLE.get(_suffix(path))
    if check is None:
        raise InputError(f"{path.name} is no image of a known kind; give a NIfTI, NRRD or MHA file, or a PNG or JPEG slice")
    check(path)


def _read_with_itk(path: Path) -> Volume:
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        _check_header(reader, path.name)
        image = reader.Execute()
    except RuntimeError as error:
        if isinstance(error, InputError):
            raise
        raise _as_input_error(error, path) from error
    array = SimpleITK.GetArrayFromImage(image)
    if array.dtype == np.float64:
        array = array.astype(np.float32)
    return Volume(array, image.GetSpacing(), image.GetOrigin(), image.GetDirection(), name=path.name)


def _check_header(reader: SimpleITK.ImageFileReader, name: str) -> None:
    """Before the voxels are read: one channel, three dimensions, and a grid that `Volume` takes."""
    size, channels = reader.GetSize(), reader.GetNumberOfComponents()
    if channels != 1:
        raise InputError(f"{name} has {channels} values in each voxel (color, complex or vectors), but one is needed; give a gray, scalar volume")
    if len(size) != 3:
        kind = "only one slice" if len(size) == 2 else "several time points or channels"
        raise InputError(f"{name} has {len(size)} dimensions {size} ({kind}), but a volume has three; export one 3-D volume")
    Volume(np.broadcast_to(np.uint8(0), size[::-1]), reader.GetSpacing(), reader.GetOrigin(), reader.GetDirection(), name=name)


def _as_input_error(error: RuntimeError, path: Path) -> InputError:
    text = str(error)
    if "orthonormal" in text or "Bad direction" in text:
        return InputError(f"{path.name} has a direction matrix that is singular or not orthonormal; resample it onto a regular grid first")
    if "spacing" in text:
        return InputError(f"{path.name} has a spacing that is 0 or no number, but all three must be greater than 0 mm; correct its header")
    if "allocate" in text:
        return InputError(f"{path.name} is larger than this computer's memory; crop or resample it first")
    if "couldn't open" in text:
        return InputError(f"{path.name} says that its voxels are in another file, but it is not there; put it beside this one")
    if "fread got only" in text or "expected" in text or "data read error" in text:
        return InputError(f"{path.name} is cut short or damaged, so voxels are missing; copy or download it again")
    reason = text.strip().splitlines()[-1].strip()
    return InputError(f"{path.name} cannot be read as an image ({reason}); check that it is complete and of the kind that its name says")
