"""How long a user waits, as a page: each promise, what was measured, and whether it was kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from Testing.Benchmarks.table_text import markdown


@dataclass(frozen=True)
class Spent:
    """One repeat, in seconds.

    Attributes:
        wall_s: by the clock on the wall.
        own_s: processor time of the thread that has to be quick; None where another thread or process is waited for.
    """

    wall_s: float
    own_s: float | None = None


@dataclass(frozen=True)
class Wait:
    """Something that a user waits for.

    Attributes:
        what: in a few words.
        promise_s: the longest that it may take, in seconds.
        repeats: what was measured, one at least.
    """

    what: str
    promise_s: float
    repeats: tuple[Spent, ...]

    @property
    def longest_s(self) -> float:
        return max(spent.wall_s for spent in self.repeats)

    @property
    def longest_own_s(self) -> float | None:
        known = [spent.own_s for spent in self.repeats if spent.own_s is not None]
        return max(known) if known else None

    @property
    def verdict(self) -> str:
        """Of the longest repeat, by the clock; where that was missed, whether our own work was in time."""
        if self.longest_s <= self.promise_s:
            return "met"
        own = self.longest_own_s
        return "missed by the clock, met by processor time" if own is not None and own <= self.promise_s else "missed"


def waits_table(waits: Sequence[Wait]) -> str:
    """A row for each wait, times in milliseconds."""
    header = ["what", "promise", "n", "median", "longest", "processor time, longest", ""]
    rows = []
    for wait in waits:
        middle = median(spent.wall_s for spent in wait.repeats)
        own = wait.longest_own_s
        times = [_ms(wait.promise_s), str(len(wait.repeats)), _ms(middle), _ms(wait.longest_s), "-" if own is None else _ms(own)]
        rows.append([wait.what, *times, wait.verdict])
    return markdown(header, rows)


def page(waits: Sequence[Wait], machine: Mapping[str, Any]) -> str:
    """docs/waits.md.

    Args:
        machine: of `bench.machine.describe_machine`, with "nice" (this process's) and "load" (average of the system before and after, or None).
    """
    missed = [wait for wait in waits if wait.verdict == "missed"]
    late = [wait for wait in waits if wait.verdict not in ("met", "missed")]
    summary = (
        f"{len(waits) - len(missed) - len(late)} of {len(waits)} promises were met by the clock, {len(late)} by processor time alone, {len(missed)} missed."
    )
    return "\n".join(
        [
            "# How long a user waits\n",
            "What the module and the command line promise about waiting, and what was measured. The tests hold the structure behind it (one piece a",
            "step, cancel reaches the network, gray values in a thread); times are measured here alone, and no test fails for a slow machine.\n",
            "Written by `python -m Testing.Benchmarks.measure_waits [--repeats N] [-o docs/waits.md]`, run from the repository's root in the environment",
            "of the tests (`make test` makes it: slicer-core, PySide6, onnxruntime). It needs no data. Give it the machine for itself: the clock also",
            "counts what other programs do meanwhile.\n",
            f"{_machine(machine)}\n",
            waits_table(waits),
            "",
            f"{summary}\n",
            "Times are in milliseconds. Where a row is about steps, a repeat is its longest step. Processor time is that of the thread that takes the step,",
            "which is our own work and VTK's; it is left out where a thread or process is waited for. A round of events lets the worker run",
            "for up to 40 ms, which the clock and the processor time of that row include.",
            "",
        ]
    )


def _machine(machine: Mapping[str, Any]) -> str:
    text = f"Measured on {machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}, onnxruntime {machine['onnxruntime']}"
    if machine["nice"]:
        text += f", at the lowered priority nice {machine['nice']}"
    if machine["load"] is None:
        return f"{text}."
    before, after = machine["load"]
    text += f"; load average {before:.1f} before and {after:.1f} after."
    busy = before > machine["cores"] / 2  # of programs that ran before this one did
    return f"{text} **The machine was busy with other programs: times by the clock are longer than a user's.**" if busy else text


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
