"""Protocol buffers' wire format, as much of it as an ONNX file uses.

A fresh installation has onnxruntime but not the package `onnx`, and the float twin of an int8 file has to be made there
too (see `twins`). Reading a message as a list of numbered fields needs no schema:
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from BrainTumorSegLib.errors import ModelError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {FIXED64: 8, FIXED32: 4}

Value = int | bytes
Field = tuple[int, int, Value]
"""(number, wire type, value): an int for VARINT, else the bytes as they stand."""


def read_fields(data: bytes) -> list[Field]:
    """The fields of one message, in their order.

    Raises:
        ModelError: the bytes are no such message.
    """
    fields: list[Field] = []
    place = 0
    while place < len(data):
        key, place = _read_varint(data, place)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, place = _read_varint(data, place)
            fields.append((number, kind, value))
            continue
        if kind == BYTES:
            size, place = _read_varint(data, place)
        elif kind in _FIXED_SIZES:
            size = _FIXED_SIZES[kind]
        else:
            raise ModelError(f"a field has the wire type {kind}, which no ONNX file uses; the file is damaged: install it again")
        if place + size > len(data):
            raise ModelError("a field reaches beyond the end of its message; the file is cut: install it again")
        fields.append((number, kind, bytes(data[place : place + size])))
        place += size
    return fields


def write_fields(fields: list[Field]) -> bytes:
    """What `read_fields` reads."""
    parts = []
    for number, kind, value in fields:
        parts.append(write_varint(number << 3 | kind))
        if isinstance(value, int):
            parts.append(write_varint(value))
            continue
        if kind == BYTES:
            parts.append(write_varint(len(value)))
        parts.append(value)
    return b"".join(parts)


def read_varints(data: bytes) -> list[int]:
    """Packed integers; what stands for a negative one comes as its 64-bit two's complement."""
    numbers, place = [], 0
    while place < len(data):
        number, place = _read_varint(data, place)
        numbers.append(number)
    return numbers


def signed(number: int) -> int:
    """A 64-bit two's complement as the number it stands for."""
    return number - (1 << 64) if number >> 63 else number


def write_varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number as its 64-bit two's complement."""
    number &= (1 << 64) - 1
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return number, place
    raise ModelError("a number has no end; the file is cut or damaged: install it again")
