"""Turns, means and medians, by hand; and one real process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from BrainTumorSegLib.bench.timing import BATCH, Plan, Process, time_interleaved
from BrainTumorSegLib.errors import ModelError
from Testing.Python.tiny import THRESHOLD_TAPS, write_network


class Recorded:
    """A runner that takes what it is told and writes down what it was asked for."""

    def __init__(self, name: str, asked: list[tuple[str, int, int]], seconds: dict[int, list[float]]) -> None:
        self.name, self.asked, self.seconds = name, asked, seconds
        self.peak_mb = 10.0

    def run(self, batch: int, repeats: int) -> tuple[list[float], float]:
        self.asked.append((self.name, batch, repeats))
        self.peak_mb += 1
        return [self.seconds[batch].pop(0) for _ in range(repeats)], self.peak_mb


def test_networks_take_turns_and_the_first_turn_does_not_count() -> None:
    asked: list[tuple[str, int, int]] = []
    seconds = {BATCH: [99.0, 0.8, 8.0, 1.6], 1: [99.0, 1.0, 2.0, 3.0, 4.0, 10.0]}
    runners = {name: Recorded(name, asked, {key: list(values) for key, values in seconds.items()}) for name in ("a", "b")}
    heard: list[float] = []
    times = time_interleaved(runners, Plan(rounds=3, passes=5), lambda fraction, message: heard.append(fraction))
    turns = [[(name, BATCH, 1), (name, 1, passes)] for passes in (1, 1, 2, 2) for name in ("a", "b")]
    assert asked == [request for turn in turns for request in turn]
    found = times["b"]
    assert (found.batch_ms, found.single_ms, found.single_median_ms) == pytest.approx((200.0, 4000.0, 3000.0))  # median 1.6 s for 8 slices; mean of 20 s / 5
    assert found.peak_mb == 18.0
    assert heard == sorted(heard) and heard[-1] < 1


@pytest.mark.parametrize(("rounds", "passes"), [(0, 5), (3, 2)])
def test_a_plan_has_a_pass_in_every_round(rounds: int, passes: int) -> None:
    with pytest.raises(ValueError, match="at least 1 round, and a pass in each"):
        Plan(rounds, passes)


def test_a_network_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    path = write_network(tmp_path / "a.onnx", THRESHOLD_TAPS, edge=1.5)
    with Process(path, (1, 16, 24), threads=1, provider="cpu") as process:
        seconds, peak_mb = process.run(4, 3)
        child = process._process
    assert len(seconds) == 3 and min(seconds) > 0
    assert 10 < peak_mb < 2000
    assert child.returncode is not None


def test_what_cannot_be_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"garbage")
    with pytest.raises(ModelError, match=r"bad\.onnx: the network cannot be run"):
        Process(tmp_path / "bad.onnx", (1, 8, 8), threads=1, provider="cpu")
    path = write_network(tmp_path / "a.onnx", THRESHOLD_TAPS, edge=1.5)
    with pytest.raises(ModelError, match=r"a\.onnx: provider is 'tpu'"):
        Process(path, (1, 8, 8), threads=1, provider="tpu")
    with Process(path, (3, 8, 8), threads=1, provider="cpu") as process, pytest.raises(ModelError, match=r"a\.onnx: the network cannot be run"):
        process.run(1, 1)  # three channels where it has one


def test_a_process_that_dies_is_no_traceback(tmp_path: Path) -> None:
    with Process(write_network(tmp_path / "a.onnx", THRESHOLD_TAPS, edge=1.5), (1, 8, 8), threads=1, provider="cpu") as process:
        process._process.kill()
        process._process.wait()
        with pytest.raises(ModelError, match=r"the process that ran a\.onnx ended without an answer"):
            process.run(1, 1)


def test_the_worker_needs_neither_torch_nor_onnx(tmp_path: Path) -> None:
    path = write_network(tmp_path / "a.onnx", THRESHOLD_TAPS, edge=1.5)
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['torch', 'onnx', 'monai', 'matplotlib']))\n"  # importing one of them fails
        "from BrainTumorSegLib.bench.worker import main\nmain()\n"
    )
    requests = [{"file": str(path), "shape": [1, 8, 8], "threads": 1, "provider": "cpu"}, {"batch": 1, "repeats": 2}]
    done = subprocess.run([sys.executable, "-c", code], input="".join(json.dumps(r) + "\n" for r in requests), capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout.splitlines()[1])["seconds"]) == 2
