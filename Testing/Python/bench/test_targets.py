"""A target that was missed is named with the number, one that was reached is not."""

from __future__ import annotations

from typing import Any

import pytest

from BrainTumorSegLib.bench.targets import missed_targets

LIMITS = {"int8": {"compute_ms": 4.0, "memory_ms": 1.0}}


def model(name: str = "m", weights: str = "trained", speed: float = 2.5, size: float = 0.25, **more: Any) -> dict[str, Any]:
    return {"name": name, "weights": weights, "int8_ms": 8.0, "int8_speedup": speed, "int8_size_ratio": size, **more}


def volumes(total: float, inference: float, peak_mb: int) -> list[dict[str, Any]]:
    seconds = {"load": 0.1, "preprocess": (total - inference) * 0.9, "inference": inference, "total": total}
    ours = {"name": "glioma-regions (int8)", "volume": "240 x 240 x 155, t1, t1ce, t2, flair", "seconds": seconds, "peak_mb": peak_mb}
    return [ours, {"name": "MONAI SegResNet (size)", "volume": "v", "seconds": {"total": 20.0}, "peak_mb": 4400}]


def missed(*models: dict[str, Any], whole: list[dict[str, Any]] | None = None) -> list[str]:
    return missed_targets({"models": list(models), "volumes": whole or []})


def test_what_was_reached_is_not_spoken_of() -> None:
    assert missed(model(), model("resunet-ag", "random"), whole=volumes(1.5, 1.0, 1100)) == []


@pytest.mark.parametrize(("name", "weights", "speed", "wanted"), [("m", "trained", 1.7, "1.8"), ("resunet-ag", "random", 2.1, "2.2")])
def test_a_slow_model_is_told_with_its_limit(name: str, weights: str, speed: float, wanted: str) -> None:
    (line,) = missed(model(name, weights, speed, limits=LIMITS))
    assert line.startswith(f"{name}: int8 is {speed:.2f} times faster than fp32, {wanted} times were wanted.")
    assert "Its multiplications need at least 4.00 ms a slice on this chip, 50 % of the time" in line
    (bare,) = missed(model(name, weights, speed))
    assert bare.endswith("were wanted.")


def test_a_large_file_is_told() -> None:
    assert missed(model(size=0.31)) == ["m: int8 has 31.0 % of fp32's size, at most 30 % were wanted."]
    assert missed(model("resunet-ag", "random", size=0.27)) == ["resunet-ag: int8 has 27.0 % of fp32's size, at most 26 % were wanted."]


def test_random_networks_without_a_target_and_files_without_int8_are_passed_over() -> None:
    assert missed(model("resunet", "random", 1.0, 0.9), model() | {"int8_ms": None, "int8_speedup": None, "int8_size_ratio": None}) == []


def test_a_whole_case_is_held_against_segresnet() -> None:
    slow, rest, memory = sorted(missed(whole=volumes(4.0, 2.0, 1300)), key=lambda line: ("wanted; 50" not in line, "most of it" not in line))
    assert "5.0 times faster than SegResNet, 12 times were wanted; 50 % is the network" in slow
    assert slow.endswith("is the network.")
    (known,) = missed(model("glioma-regions", limits=LIMITS), whole=volumes(2.4, 2.0, 1100))  # 4 of 8 ms a slice are the chip's limit
    assert known.endswith("83 % is the network, whose multiplications and bytes need at least 1.0 of its 2.0 s on this chip.")
    assert "10.0 % of SegResNet's time, at most 5 % were wanted; most of it is preprocess (1.80 s)" in rest
    assert "takes 1300 MB, at most 1200 MB were wanted" in memory
    assert missed(whole=volumes(4.0, 2.0, 1100)[:1]) == []  # without the other nothing is compared
