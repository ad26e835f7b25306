"""What the machine says of itself, read from texts as Linux has them."""

from __future__ import annotations

import onnxruntime
import pytest

from BrainTumorSegLib.bench.machine import describe_machine, has_vnni, peak_mb, status_peak_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [("flags\t: fpu avx512_vnni avx2\n", True), ("flags : avx_vnni", True), ("flags : avx2 avx512f", False), ("", None), ("model name: x avx_vnni", None)],
)
def test_vnni_is_read_from_the_flags(text: str, expected: bool | None) -> None:
    assert has_vnni(text) is expected


def test_the_peak_is_this_programs_own() -> None:
    assert status_peak_bytes("VmPeak:\t 900 kB\nVmHWM:\t   300 kB\nVmRSS:\t 100 kB\n") == 300 * 1024


def test_the_peak_rises_with_what_is_held_and_stays() -> None:
    before = peak_mb()
    block = bytearray(b"\1" * 200_000_000)
    held = peak_mb()
    del block
    assert held > before or before > 200
    assert peak_mb() >= held > 200


def test_the_machine_is_described() -> None:
    found = describe_machine(3)
    assert (found["threads"], found["onnxruntime"]) == (3, onnxruntime.__version__)
    assert found["cores"] >= 1 and found["cpu"]
