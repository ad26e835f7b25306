"""The wire format, by the examples of its documentation and against the package `onnx`."""

from __future__ import annotations

import pytest

from BrainTumorSegLib.bench.protobuf import BYTES, FIXED32, FIXED64, VARINT, read_fields, read_varints, signed, write_fields, write_varint
from BrainTumorSegLib.errors import ModelError


def test_the_documentations_examples() -> None:
    assert read_fields(b"\x08\x96\x01") == [(1, VARINT, 150)]  # "message Test1 { int32 a = 1; }" with a = 150
    assert read_fields(b"\x12\x07testing") == [(2, BYTES, b"testing")]
    assert read_varints(b"\x03\x8e\x02\x9e\xa7\x05") == [3, 270, 86942]


def test_what_is_written_is_read_again() -> None:
    fields = [(1, VARINT, 300), (2, BYTES, b""), (20, FIXED32, b"abcd"), (3, FIXED64, b"abcdefgh"), (16, BYTES, b"x" * 200)]
    assert read_fields(write_fields(fields)) == fields


def test_a_negative_number_is_its_twos_complement() -> None:
    assert write_varint(-2) == b"\xfe" + b"\xff" * 8 + b"\x01"
    assert [signed(number) for number in read_varints(write_varint(-2))] == [-2]
    assert signed(2**63 - 1) == 2**63 - 1


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"\x0b", "wire type 3"), (b"\x12\x07test", "reaches beyond the end"), (b"\x08\x96", "has no end"), (b"\x08" + b"\xff" * 11, "has no end")],
)
def test_a_damaged_message_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        read_fields(data)
