"""Whole volumes by stage, with a small model and small heads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.bench import volumes
from BrainTumorSegLib.bench.heads import made_up_head
from BrainTumorSegLib.bench.peer_worker import nnunet, run, segresnet
from BrainTumorSegLib.bench.shipped import Setting
from BrainTumorSegLib.bench.timing import Plan
from BrainTumorSegLib.bench.volumes import benchmark_volumes
from BrainTumorSegLib.errors import ModelError
from BrainTumorSegLib.inference.models import list_models
from BrainTumorSegLib.io.images import read_volume, write_volume
from BrainTumorSegLib.resources import ENVIRONMENT_VARIABLE, find_resources
from BrainTumorSegLib.volume import Volume
from Testing.Python.tiny import tiny_model

SETTING = Setting(threads=1, provider="cpu", plan=Plan(1, 1))


def silent(fraction: float, message: str) -> None:
    assert 0 <= fraction < 1


def test_a_made_up_head_is_the_phantom_on_another_grid() -> None:
    phantom = read_volume(find_resources() / "Phantom" / "t1ce.nii.gz")
    same = made_up_head(phantom.array.shape)
    assert np.abs(same.array - phantom.array).max() <= 0.5
    head = made_up_head((20, 30, 40))
    assert head.array.shape == (20, 30, 40) and head.spacing_mm == (1.0, 1.0, 1.0)
    assert np.isclose((head.array > 0).mean(), (phantom.array > 0).mean(), atol=0.1)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A resources folder with one small model, in use for this test, and heads of 8 x 40 x 40 voxels."""
    (tmp_path / "Models").mkdir()
    tiny_model(tmp_path / "Models")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    head = Volume(np.full((8, 40, 40), 100, np.int16) + np.arange(40, dtype=np.int16), (1.0, 1.0, 1.0))
    monkeypatch.setattr(volumes, "made_up_head", lambda shape: head)
    return tmp_path


def test_every_stage_has_its_time_and_memory(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volumes.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(volumes, "_REPEATS", 1)
    rows, skipped = benchmark_volumes(list_models(), SETTING, silent)
    assert [(row["name"], row["volume"]) for row in rows] == [("tiny (fp32)", "256 x 256 x 256, t1ce")]
    seconds, peaks = rows[0]["seconds"], rows[0]["peak_mb_by_stage"]
    assert set(seconds) == {"load", "preprocess", "inference", "postprocess", "write", "total"}
    assert 0 < sum(seconds.values()) - seconds["total"] <= seconds["total"] + 0.003  # stages do not overlap; six figures are rounded
    assert list(peaks) == ["load", "inference", "postprocess", "write"]
    assert sorted(peaks.values()) == list(peaks.values()) and rows[0]["peak_mb"] == peaks["write"] > 10
    assert [entry["name"] for entry in skipped] == [name for name, _, _ in volumes._PEERS.values()]
    assert all("MONAI is not installed" in entry["reason"] for entry in skipped)


def test_peers_stand_beside_ours(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("monai")
    asked: list[list[str]] = []

    def answer(words: list[str], name: str) -> dict[str, object]:
        asked.append(words)
        return {"seconds": {"total": float(len(asked))}, "peak_mb": 5}

    monkeypatch.setattr(volumes, "_last_line", answer)
    rows, skipped = benchmark_volumes(list_models(), SETTING, silent)
    assert skipped == []
    assert [row["seconds"]["total"] for row in rows] == [2.0, 4.0, 5.0]  # the median of ours, then each peer once
    assert [words[-2:] for words in asked[3:]] == [["segresnet", "1"], ["nnunet", "1"]]


def test_a_process_that_fails_is_an_error_with_its_reason(tiny: Path, tmp_path: Path) -> None:
    model = list_models()[0]
    write_volume(volumes.made_up_head((8, 8, 8)), tmp_path / "t1ce.nii.gz")
    model.path.write_bytes(b"altered")
    with pytest.raises(ModelError, match=r"tiny\.onnx has sha256"):
        benchmark_volumes([model], SETTING, silent)
    with pytest.raises(ModelError, match="the process that ran x ended with the code 3"):
        volumes._last_line([volumes.sys.executable, "-c", "raise SystemExit(3)"], "x")


def test_the_peers_have_the_published_sizes() -> None:
    pytest.importorskip("monai")
    assert sum(p.numel() for p in segresnet().parameters()) == 4_702_227  # the bundle says 4.7 M
    assert 30e6 < sum(p.numel() for p in nnunet().parameters()) < 32e6


@pytest.mark.usefixtures("one_thread")
def test_a_peer_runs_over_its_case() -> None:
    pytest.importorskip("monai")
    found = run("segresnet", 1, shrink=5)
    assert found["seconds"]["inference"] > 0 and found["parameters"] > 1e6
