"""What SimpleITK does not say about NRRD and MetaImage files, read from their text headers.

Measured with SimpleITK 2.5 (ITK 5.4): a negative spacing turns the axis around, a spacing of NaN becomes 1 mm, damaged compressed
voxels are handed out as they are, a MetaImage without voxels is an image, and one cut short is reported as "no such file".
Formats: https://teem.sourceforge.net/nrrd/format.html and https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path

from BrainTumorSegLib.errors import InputError

_LONGEST_HEADER = 1 << 20
_CHUNK = 1 << 20
_ANY_CONTAINER = 47  # zlib's code for "gzip or zlib, tell from the header"
_META_BYTES = {"CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "LONG": 4, "ULONG": 4, "FLOAT": 4, "DOUBLE": 8}
_META_BYTES |= {"LONG_LONG": 8, "ULONG_LONG": 8}


def check_nrrd(path: Path) -> None:
    """Check the spacings and, where they are compressed in the file itself, the voxels of a .nrrd or .nhdr.

    Raises:
        InputError: not NRRD, spacing <= 0, damaged.
    """
    head = _read_head(path)
    if not head.startswith(b"NRRD"):
        raise InputError(f"{path.name} is not an NRRD image (its header is missing or damaged); give a NIfTI, NRRD or MHA file")
    text, end = _until(head, (b"\n\n", b"\r\n\r\n"))
    fields = _fields(text, ":")
    _check_spacing(fields.get("spacings"), path.name)
    if fields.get("encoding", "").lower() in ("gzip", "gz") and end and "data file" not in fields and "datafile" not in fields:
        _unpacked_bytes(path, end)


def check_meta_image(path: Path) -> None:
    """Check the spacing, and that all voxels are there, of a .mha or .mhd.

    Raises:
        InputError: not MetaImage, spacing <= 0, no voxels, cut short, damaged.
    """
    head = _read_head(path)
    start = head.find(b"ElementDataFile")
    line_end = head.find(b"\n", start)
    if start < 0 or b"=" not in head[start:]:
        raise InputError(f"{path.name} is not a MetaImage (its header is missing or damaged); give a NIfTI, NRRD or MHA file")
    end = line_end + 1 if line_end >= 0 else len(head)
    fields = _fields(head[:end], "=")
    _check_spacing(fields.get("elementspacing"), path.name)
    _check_meta_voxels(path, fields, end)


def _check_meta_voxels(path: Path, fields: dict[str, str], end: int) -> None:
    needed = _meta_bytes(fields, path.name)
    where = fields["elementdatafile"]
    if "%" in where or where.upper().startswith("LIST"):
        return  # one file a slice: SimpleITK opens each and says which is missing
    local = where.upper() == "LOCAL"
    data = path if local else path.parent / where
    if not data.is_file():
        raise InputError(f"{path.name} says that its voxels are in {where}, but there is no such file beside it; put it there")
    skipped = end if local else 0
    packed = fields.get("compresseddata", "false").lower() == "true"
    length = _unpacked_bytes(data, skipped) if packed else data.stat().st_size - skipped
    if length < needed:
        raise InputError(f"{data.name} is cut short ({length} of {needed} bytes of voxels); copy or download it again")


def _meta_bytes(fields: dict[str, str], name: str) -> int:
    """How many bytes the voxels take; 0 for a type that is not known here, which SimpleITK then judges."""
    size = [int(n) for n in fields.get("dimsize", "").split() if n.lstrip("-").isdigit()]
    if not size or min(size) < 1:
        raise InputError(f"{name} has the size {tuple(size)}, so it holds no voxels; export the image again")
    one = _META_BYTES.get(fields.get("elementtype", "").upper().removeprefix("MET_"), 0)
    channels = fields.get("elementnumberofchannels", "1")
    return math.prod(size) * one * (int(channels) if channels.isdigit() else 1)


def _check_spacing(text: str | None, name: str) -> None:
    for word in (text or "").split():
        try:
            fine = math.isfinite(float(word)) and float(word) > 0
        except ValueError:
            fine = False
        if not fine:
            raise InputError(f"{name} has the spacing {text} mm, but all three must be greater than 0; correct its header")


def _read_head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_LONGEST_HEADER)


def _until(head: bytes, ends: tuple[bytes, ...]) -> tuple[bytes, int]:
    """The text before the first of `ends`, and where the rest begins (0: there is no end)."""
    found = [(head.index(end), end) for end in ends if end in head]
    if not found:
        return head, 0
    position, end = min(found)
    return head[:position], position + len(end)


def _fields(text: bytes, separator: str) -> dict[str, str]:
    lines = (line.partition(separator) for line in text.decode("latin-1").splitlines() if separator in line and not line.startswith("#"))
    return {key.strip().lower(): value.strip() for key, _, value in lines}


def _unpacked_bytes(path: Path, start: int) -> int:
    """Unpack to the end and count, so that a checksum that does not fit is noticed."""
    unpacker, length = zlib.decompressobj(_ANY_CONTAINER), 0
    try:
        with path.open("rb") as stream:
            stream.seek(start)
            while not unpacker.eof and (chunk := stream.read(_CHUNK)):
                while chunk and not unpacker.eof:
                    length += len(unpacker.decompress(chunk, _CHUNK))
                    chunk = unpacker.unconsumed_tail
    except zlib.error as error:
        raise InputError(f"{path.name} is damaged ({error}), so its voxels cannot be unpacked; copy or download it again") from error
    if not unpacker.eof:
        raise InputError(f"{path.name} is cut short or damaged, so voxels are missing; copy or download it again")
    return length
