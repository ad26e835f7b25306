"""Several networks timed side by side: one process each, in turns, so that what slows the machine slows all of them."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np

from BrainTumorSegLib.errors import ModelError

BATCH = 8
"""Slices in a batch, as many as segmentation gives a network."""


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        rounds: turns of every network; each is one batch of `BATCH` images and `passes / rounds` single ones.
        passes: single-image passes in all, 500 in system A's paper.
    """

    rounds: int = 25
    passes: int = 500

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.passes < self.rounds:
            raise ValueError(f"rounds is {self.rounds} and passes {self.passes}, but there is at least 1 round, and a pass in each; give more passes")


@dataclass(frozen=True)
class Timing:
    """What one network took.

    Attributes:
        batch_ms: milliseconds a slice, median over batches of `BATCH`.
        single_ms: milliseconds of a pass of one image, mean over all (system A's way).
        single_median_ms: the median of the same.
        peak_mb: most memory of its process, in MB.
    """

    batch_ms: float
    single_ms: float
    single_median_ms: float
    peak_mb: float


class Runner(Protocol):
    """Runs one network and tells how long it took."""

    def run(self, batch: int, repeats: int) -> tuple[list[float], float]:
        """(seconds of every repeat, peak memory in MB so far)."""


@dataclass
class _Seen:
    batches: list[float] = field(default_factory=list)
    singles: list[float] = field(default_factory=list)
    peak_mb: float = 0.0


def time_interleaved(runners: Mapping[str, Runner], plan: Plan, report: Callable[[float, str], None]) -> dict[str, Timing]:
    """Time all networks in turns, after one turn that does not count.

    Returns:
        name -> its times.
    """
    seen = {name: _Seen() for name in runners}
    for round_number in range(plan.rounds + 1):
        for name, runner in runners.items():
            report(round_number / (plan.rounds + 1), f"round {round_number} of {plan.rounds}: {name}")
            singles = plan.passes * round_number // plan.rounds - plan.passes * (round_number - 1) // plan.rounds if round_number else 1
            batch, peak_mb = runner.run(BATCH, 1)
            single, peak_mb = runner.run(1, singles)
            if round_number:
                seen[name].batches += batch
                seen[name].singles += single
            seen[name].peak_mb = peak_mb
    return {name: _timing(times) for name, times in seen.items()}


def _timing(seen: _Seen) -> Timing:
    return Timing(
        batch_ms=1000 * float(np.median(seen.batches)) / BATCH,
        single_ms=1000 * float(np.mean(seen.singles)),
        single_median_ms=1000 * float(np.median(seen.singles)),
        peak_mb=seen.peak_mb,
    )


class Process:
    """A `Runner` in a process of its own; use it as a context manager, so that it ends whatever happens.

    Args:
        file: an ONNX file of one input [N, *shape].
        threads: of the CPU.
        provider: see `inference.providers`.

    Raises:
        ModelError: the network cannot be opened, or its process dies.
    """

    def __init__(self, file: Path, shape: tuple[int, int, int], threads: int, provider: str) -> None:
        self._file = file
        self._process = subprocess.Popen(
            [sys.executable, "-m", "BrainTumorSegLib.bench.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            self._ask({"file": str(file), "shape": shape, "threads": threads, "provider": provider})
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def run(self, batch: int, repeats: int) -> tuple[list[float], float]:
        """(seconds of every repeat, peak memory in MB so far)."""
        answer = self._ask({"batch": batch, "repeats": repeats})
        return answer["seconds"], answer["peak_mb"]

    def close(self) -> None:
        """End the process now."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was never sent to a process that died
                    stream.close()
        self._process.wait()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # then there is no answer either
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise ModelError(f"the process that ran {self._file.name} ended without an answer, perhaps for want of memory; close other programs and try again")
        answer = json.loads(line)
        if "error" in answer:
            raise ModelError(f"{self._file.name}: {answer['error']}")
        return answer
