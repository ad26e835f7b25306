"""System A's networks as files, and the paper's numbers beside them."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from BrainTumorSegLib.bench import variants
from BrainTumorSegLib.bench.shipped import Setting
from BrainTumorSegLib.bench.timing import Plan, Timing
from BrainTumorSegLib.bench.variants import VARIANTS, benchmark_variants, published_row, write_variant

SETTING = Setting(threads=1, provider="cpu", plan=Plan(1, 1))


def silent(fraction: float, message: str) -> None:
    assert 0 <= fraction <= 1


def test_the_papers_ratios_are_those_of_its_table() -> None:
    row = published_row("ag")
    assert row["fp32"] == {"mean_iou": 0.8455, "mb": 127.21, "ms": 313.1}
    assert (row["dynamic_speedup"], row["dynamic_size_ratio"], row["dynamic_iou_lost"]) == (1.524, 0.2546, 0.0004)  # 313.1 / 205.5; 32.39 / 127.21
    assert published_row("none")["dynamic_speedup"] == 1.593  # 37 % less time


def test_without_torch_they_are_skipped_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    rows, skipped = benchmark_variants(["resunet", "resunet-ag"], SETTING, silent)
    assert rows == []
    assert [entry["name"] for entry in skipped] == ["resunet", "resunet-ag"]
    assert all("braintumorseg[train]" in entry["reason"] for entry in skipped)


def test_a_variant_is_written_in_every_precision_and_reads_one_gray_slice(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    files = write_variant("ag", tmp_path, (1, 64, 64), width=0.125)
    sizes = {name: path.stat().st_size for name, path in files.items()}
    assert sizes["int8"] < 0.5 * sizes["fp32"] and sizes["dynamic"] < 0.5 * sizes["fp32"]
    for path in files.values():
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        assert session.run(None, {"slices": np.ones((3, 1, 64, 96), np.float32)})[0].shape == (3, 1, 64, 96)


def test_rows_carry_random_weights_and_the_published_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    made: list[str] = []

    def write(attention: str, folder: Path, shape: tuple[int, int, int]) -> dict[str, Path]:
        made.append(attention)
        (folder / "fp32.onnx").write_bytes(b"1234")
        return {"fp32": folder / "fp32.onnx"}

    monkeypatch.setattr(variants, "write_variant", write)
    monkeypatch.setattr(variants, "time_files", lambda files, shape, setting, report: {"fp32": Timing(1.0, 2.0, 3.0, 4.0)})
    rows, skipped = benchmark_variants(list(VARIANTS), SETTING, silent)
    assert made == ["none", "ag", "se", "cbam"] and skipped == []
    assert [row["name"] for row in rows] == list(VARIANTS)
    assert {row["weights"] for row in rows} == {"random"}
    assert rows[1]["published"] == published_row("ag") and rows[1]["dice_int8"] is None
