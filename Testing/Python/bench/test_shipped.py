"""Which files are timed, and what becomes of the times."""

from __future__ import annotations

from pathlib import Path

import pytest

from BrainTumorSegLib.bench import shipped
from BrainTumorSegLib.bench.shipped import Setting, as_row, benchmark_models, recorded_dice, write_precisions
from BrainTumorSegLib.bench.timing import Plan, Timing
from BrainTumorSegLib.errors import InputError
from Testing.Python.tiny import tiny_model

SETTING = Setting(threads=1, provider="cpu", plan=Plan(1, 1))
TIMES = {"fp32": Timing(20.0, 30.0, 29.0, 200.4), "dynamic": Timing(25.0, 40.0, 39.0, 150.0), "int8": Timing(8.0, 10.0, 9.0, 99.6)}


def test_ratios_are_to_fp32() -> None:
    row = as_row("m", TIMES, {"fp32": 16_000_000, "dynamic": 4_400_000, "int8": 4_000_000})
    assert (row["fp32_ms"], row["dynamic_ms"], row["int8_ms"]) == (20.0, 25.0, 8.0)
    assert (row["int8_speedup"], row["dynamic_speedup"]) == (2.5, 0.8)
    assert (row["int8_size_ratio"], row["dynamic_size_ratio"]) == (0.25, 0.275)
    assert (row["fp32_mb"], row["int8_mb"]) == (16.0, 4.0)
    assert row["single_image_ms"] == {"fp32": 30.0, "dynamic": 40.0, "int8": 10.0}
    assert row["single_image_median_ms"]["dynamic"] == 39.0
    assert row["peak_mb"] == {"fp32": 200, "dynamic": 150, "int8": 100}


def test_a_precision_that_is_not_there_is_none() -> None:
    row = as_row("m", {"fp32": TIMES["fp32"]}, {"fp32": 16_000_000})
    assert (row["int8_ms"], row["int8_speedup"], row["dynamic_size_ratio"]) == (None, None, None)


def test_the_recorded_dice_is_of_the_precision_that_it_was_measured_on(tmp_path: Path) -> None:
    scores = {"dice": 0.70, "dice_fp32": 0.71, "split": "fold 4"}
    int8 = recorded_dice(tiny_model(tmp_path, precision="int8", scores=scores))
    assert int8 == {"dice_fp32": 0.71, "dice_int8": 0.70, "dice_source": {"fp32": "recorded", "int8": "recorded"}, "scored_on": "fold 4"}
    fp32 = recorded_dice(tiny_model(tmp_path, precision="fp32", scores=scores))
    assert (fp32["dice_fp32"], fp32["dice_int8"], fp32["dice_source"]) == (0.70, None, {"fp32": "recorded"})
    assert recorded_dice(tiny_model(tmp_path, precision="int8"))["dice_source"] == {}


def test_twins_are_made_where_no_originals_are_given(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, precision="int8")
    (tmp_path / "made").mkdir()
    files = write_precisions(model, tmp_path / "made", None)
    assert files["int8"] == model.path
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["tiny-dynamic.onnx", "tiny-fp32.onnx"]
    assert set(write_precisions(tiny_model(tmp_path, precision="fp32"), tmp_path / "made", None)) == {"fp32", "dynamic"}


def test_originals_take_the_twins_place_and_may_not_be_missing(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, precision="int8")
    (tmp_path / "originals").mkdir()
    with pytest.raises(InputError, match=r"tiny-fp32\.onnx is missing, but --fp32 names the folder"):
        write_precisions(model, tmp_path, tmp_path / "originals")
    original = tmp_path / "originals" / "tiny-fp32.onnx"
    original.write_bytes(model.path.read_bytes())
    assert write_precisions(model, tmp_path, tmp_path / "originals")["fp32"] == original


def test_a_model_is_timed_in_every_precision_it_has(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, scores={"dice": 0.5})
    heard: list[float] = []
    row = benchmark_models([model], SETTING, None, None, lambda fraction, message: heard.append(fraction))[0]
    assert (row["name"], row["weights"], row["fp32_file"], row["input"], row["dice_fp32"]) == ("tiny", "trained", "twin", [1, 224, 224], 0.5)
    assert row["fp32_ms"] > 0 and row["dynamic_ms"] > 0 and row["int8_ms"] is None
    assert heard[0] >= 0 and heard[-1] < 1


@pytest.mark.parametrize(("originals", "expected"), [(False, {"int8"}), (True, {"fp32", "dynamic", "int8"})])
def test_a_twins_dice_is_never_called_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, originals: bool, expected: set[str]) -> None:
    from BrainTumorSegLib.bench import scores

    model = tiny_model(tmp_path, precision="int8", scores={"dice": 0.70, "dice_fp32": 0.71})
    (tmp_path / "tiny-fp32.onnx").write_bytes(model.path.read_bytes())
    monkeypatch.setattr(shipped, "time_files", lambda files, *rest: {name: TIMES[name] for name in files})

    def measured(name: str, files: dict[str, Path], *rest: object) -> dict[str, object]:
        assert set(files) == expected
        return {"dice_int8": 0.6, "dice_source": {"int8": "measured"}}

    monkeypatch.setattr(scores, "measured_dice", measured)
    row = benchmark_models([model], SETTING, tmp_path if originals else None, tmp_path, lambda fraction, message: None)[0]
    assert (row["dice_int8"], row["dice_fp32"], row["dice_source"]) == (0.6, 0.71, {"fp32": "recorded", "int8": "measured"})
