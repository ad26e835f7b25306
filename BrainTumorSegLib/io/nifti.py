"""What SimpleITK does not say about a NIfTI file, read from its bytes.

Measured with SimpleITK 2.5 (ITK 5.4): a file cut short is filled up with zeros, compressed or not; a pixdim of 0 or NaN becomes
1 mm; a negative one turns the axis around; a singular sform is passed over where there is a qform; voxels that are NaN or infinite
become 0. All of it without an error.
Format: https://nifti.nimh.nih.gov/nifti-1 and https://www.nitrc.org/docman/view.php/26/1302/nifti2.h
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from BrainTumorSegLib.errors import InputError

_SCANNER, _ALIGNED = 1, 2  # sform codes that place the patient; 3 and up place an atlas, and may shear
_SHEAR_TOLERANCE = 1e-2
_CHUNK = 1 << 20  # a multiple of every voxel's bytes
_FLOAT_TYPES = {16: "f4", 64: "f8"}


class NotFiniteError(InputError):
    """The file is whole, but some of its voxels are no numbers."""


@dataclass(frozen=True)
class Header:
    """The fields that are checked: sizes and spacings of the axes that the file has, the sform, where voxels begin, their number and type."""

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    sform_code: int
    sform: np.ndarray  # 3x3, without the offset
    first_byte: int
    voxel_bytes: int
    float_type: str | None  # numpy's name; None for whole numbers, which cannot be NaN


def check_nifti(path: Path) -> None:
    """Read a .nii or .nii.gz to its end and check what SimpleITK would pass over.

    Raises:
        InputError: not NIfTI, cut short, damaged, spacing <= 0, a direction that is not orthonormal, voxels that are no numbers.
    """
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            header = _parse(stream.read(540), path.name)
            _check_axes(header, path.name)
            _check_sform(header, path.name)
            stream.seek(header.first_byte)
            length, bad = _read_voxels(stream, header)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path.name} is cut short or damaged ({error}), so voxels are missing; copy or download it again") from error
    if length < header.voxel_bytes:
        raise InputError(f"{path.name} is cut short ({length} of {header.voxel_bytes} bytes of voxels), so voxels are missing; copy or download it again")
    if bad:
        raise NotFiniteError(f"{path.name} has {bad} voxels that are NaN or infinite; replace them (for instance by 0) and try again")


def _read_voxels(stream: gzip.GzipFile | io.BufferedReader, header: Header) -> tuple[int, int]:
    """How many bytes of voxels there are, and how many voxels are NaN or infinite; reads on to the checksum at the end."""
    length = bad = 0
    while chunk := stream.read(_CHUNK):
        voxels = chunk[: max(header.voxel_bytes - length, 0)]
        if header.float_type:
            width = np.dtype(header.float_type).itemsize
            values = np.frombuffer(voxels[: len(voxels) // width * width], header.float_type)
            bad += int(values.size - np.count_nonzero(np.isfinite(values)))
        length += len(voxels)
    return length, bad


def _parse(head: bytes, name: str) -> Header:
    for order in "<>":
        if head[:4] == struct.pack(order + "i", 348) and head[344:348] in (b"n+1\0", b"ni1\0"):
            return _header(head, order, dims=("8h", 40), pixdim=("8f", 76), kind=("2h", 70), offset=("f", 108), code=("h", 254), srow=("12f", 280))
        if head[:4] == struct.pack(order + "i", 540) and head[4:7] in (b"n+2", b"ni2"):
            return _header(head, order, dims=("8q", 16), pixdim=("8d", 104), kind=("2h", 12), offset=("q", 168), code=("i", 348), srow=("12d", 400))
    raise InputError(f"{name} is not a NIfTI image (its header is missing or damaged); give a NIfTI, NRRD or MHA file")


def _header(
    head: bytes,
    order: str,
    dims: tuple[str, int],
    pixdim: tuple[str, int],
    kind: tuple[str, int],
    offset: tuple[str, int],
    code: tuple[str, int],
    srow: tuple[str, int],
) -> Header:
    padded = head.ljust(540, b"\0")

    def field(what: tuple[str, int]) -> tuple:
        return struct.unpack_from(order + what[0], padded, what[1])

    size = field(dims)
    axes = min(max(int(size[0]), 0), 7)
    sizes = tuple(int(n) for n in size[1 : 1 + axes])
    first = field(offset)[0]
    first_byte = max(int(first), 0) if math.isfinite(first) else 0
    datatype, bits = field(kind)
    floats = _FLOAT_TYPES.get(datatype)
    sform = np.array(field(srow), dtype=float).reshape(3, 4)[:, :3]
    return Header(
        sizes,
        field(pixdim)[1 : 1 + axes],
        int(field(code)[0]),
        sform,
        first_byte,
        math.prod(max(n, 0) for n in sizes) * max(bits, 0) // 8,
        order + floats if floats else None,
    )


def _check_axes(header: Header, name: str) -> None:
    if not header.size or min(header.size) < 1:
        raise InputError(f"{name} has the size {header.size}, so it holds no voxels; export the image again")
    spacing = header.spacing[:3]
    if not all(math.isfinite(s) and s > 0 for s in spacing):
        shown = tuple(round(s, 4) for s in spacing)
        raise InputError(f"{name} has the spacing {shown} mm, but all three must be greater than 0; correct its header (pixdim)")


def _check_sform(header: Header, name: str) -> None:
    """Only a form that is in use; a shear is refused only where it claims to be the patient's own space."""
    if header.sform_code < 1:
        return
    lengths = np.linalg.norm(header.sform, axis=0)
    if np.isfinite(lengths).all() and lengths.min() > 0:
        unit = header.sform / lengths
        error = np.abs(unit.T @ unit - np.eye(3)).max()
        if error < _SHEAR_TOLERANCE or (header.sform_code not in (_SCANNER, _ALIGNED) and abs(np.linalg.det(unit)) > 1e-3):
            return
    raise InputError(f"{name} has a direction matrix (sform) that is singular or not orthonormal; resample it onto a regular grid first")
