"""Measure how long a user waits, beside what is promised, and write docs/waits.md.

    python -m Testing.Benchmarks.measure_waits [--repeats 5] [-o docs/waits.md]

Runs in the environment of Testing/Slicer: the scene is slicer-core's, the panels stand on PySide6, the network is the shipped one.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from BrainTumorSegLib.api import Volume
from BrainTumorSegLib.bench.machine import describe_machine
from BrainTumorSegLib.io.images import write_volume
from Testing.Benchmarks.waits_page import Spent, Wait, page

ROOT = Path(__file__).resolve().parents[2]
CANCEL_S, STEP_S, TICK_S, CTRL_C_S = 0.2, 0.25, 0.1, 1.0
_HEARD_S = 0.5
"""After the command's first line: the network is at work, and not yet done."""


def ctrl_c(words: list[str]) -> Spent:
    """From the signal to the end of the process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "BrainTumorSegLib", "segment", *words, "-o", str(Path(folder) / ("out.nii.gz" if "all" in words else "out"))]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        process.stderr.readline()
        time.sleep(_HEARD_S)
        wall = time.perf_counter()
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        code = process.wait()
        wall = time.perf_counter() - wall
    if code != 130:
        raise RuntimeError(f"the command was to be interrupted, but ended with the code {code}: {rest}")
    return Spent(wall)


def write_inputs(folder: Path) -> tuple[Path, Path]:
    """(The self-test's phantom in slices of 1 mm as a file, a folder of 300 pictures of it.)"""
    from BrainTumorSegGUI.selfTest import phantomArrays

    array = phantomArrays()[0]
    volume, pictures = folder / "head.nii", folder / "pictures"
    write_volume(Volume(array.repeat(6, axis=0), (1.2, 1.2, 1.0)), volume)
    pictures.mkdir()
    plane = Image.fromarray((np.clip(array[10] / 450, 0, 1) * 255).astype(np.uint8))
    for number in range(300):
        plane.save(pictures / f"{number}.png")
    return volume, pictures


def measured(what: str, promise_s: float, once: Callable[[], Spent], repeats: int) -> Wait:
    """Each repeat in an empty scene."""
    import slicer

    spent = []
    for _ in range(repeats):
        slicer.mrmlScene.Clear()
        spent.append(once())
    wait = Wait(what, promise_s, tuple(spent))
    print(f"{what}: {wait.longest_s:.3f} s, {wait.verdict}", flush=True)
    return wait


def measure(repeats: int, volume: Path, pictures: Path) -> list[Wait]:
    """Every promise, in the order of the page."""
    from bending import spline, wavy

    from Testing.Benchmarks import waits_panels, waits_scene

    rows: list[tuple[str, float, Callable[[], Spent]]] = [
        ("Cancel: work in a thread", CANCEL_S, waits_scene.cancel_task),
        ("Cancel: button of the Run panel, until Apply is back", CANCEL_S, waits_panels.cancel_panel),
        ("Cancel: shipped model, head of 1 mm slices, three planes", CANCEL_S, waits_scene.cancel_model),
        ("Longest step of publishing 240 x 240 x 155, three labels, surfaces and uncertainty", STEP_S, waits_scene.publish),
        ("Longest step of reading a volume under a grid transform, 1024 x 1024", TICK_S, partial(waits_scene.read_bent, wavy)),
        ("Longest step of reading a volume under a thin-plate spline, 1024 x 1024", TICK_S, partial(waits_scene.read_bent, spline)),
        ("Collecting a label map for a comparison, 240 x 240 x 155", TICK_S, partial(waits_scene.collect, "label map")),
        ("Collecting a segmentation for a comparison, 240 x 240 x 155", TICK_S, partial(waits_scene.collect, "segmentation")),
        ("Longest step of the inputs panel, four unnamed volumes, 160 x 240 x 200", TICK_S, waits_panels.inputs_steps),
        ("Longest round of events while the shipped model runs", TICK_S, waits_panels.rounds_while_a_model_runs),
    ]
    if sys.platform != "win32":  # no SIGINT for another process there
        rows += [
            ("Ctrl-C: `segment`, head of 1 mm slices, three planes", CTRL_C_S, partial(ctrl_c, ["--t1ce", str(volume), "--planes", "all"])),
            ("Ctrl-C: `segment`, folder of 300 pictures", CTRL_C_S, partial(ctrl_c, ["--t1ce", str(pictures)])),
        ]
    return [measured(*row, repeats) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "waits.md")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "Testing" / "Slicer"))  # for host.py and the other helpers
    import host

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has what it starts in the background ignore it, and children inherit that
    load = os.getloadavg if hasattr(os, "getloadavg") else None
    before = load()[0] if load else 0.0
    messages = host.VtkMessages()
    host.install()
    with tempfile.TemporaryDirectory() as folder:
        waits = measure(arguments.repeats, *write_inputs(Path(folder)))
    if messages.texts:
        raise RuntimeError(f"VTK reported: {messages.texts[0]}")
    machine = describe_machine(os.cpu_count() or 1)
    machine |= {"nice": os.nice(0) if hasattr(os, "nice") else 0, "load": (before, load()[0]) if load else None}
    arguments.output.write_text(page(waits, machine), encoding="utf-8")


if __name__ == "__main__":
    main()
