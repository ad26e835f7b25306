"""The process that segments one volume, from files to a file: `python -m BrainTumorSegLib.bench.volume_worker MODEL FOLDER THREADS PROVIDER`.

FOLDER holds ROLE.nii.gz for each sequence that the model reads. One line of JSON tells the seconds of each stage and the
most memory held by the end of each.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from BrainTumorSegLib.bench.machine import peak_mb
from BrainTumorSegLib.errors import BrainTumorSegError


def main(words: list[str]) -> int:
    """Run, and print one JSON document; an error is {"error": text}."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started this ends it
    name, folder, threads, provider = words
    try:
        print_line(run(name, Path(folder), int(threads), provider))
    except BrainTumorSegError as error:
        print_line({"error": str(error)})
    return 0


def run(name: str, folder: Path, threads: int, provider: str) -> dict[str, Any]:
    """Segment the case in `folder`.

    Returns:
        "seconds" of "load" (reading the images and opening the model), "preprocess", "inference", "postprocess",
        "write" and "total"; "peak_mb", and "peak_mb_by_stage", the most held so far at the end of each stage.
    """
    from BrainTumorSegLib.inference.models import find_model, list_models
    from BrainTumorSegLib.inference.options import SegmentOptions
    from BrainTumorSegLib.inference.session import Session
    from BrainTumorSegLib.io.images import read_volumes, write_volume
    from BrainTumorSegLib.pipeline import segment

    began = time.perf_counter()
    model = find_model(name, list_models())
    volumes = read_volumes({role: folder / f"{role}.nii.gz" for role in model.inputs})
    session = Session(model, threads, provider)
    loaded = time.perf_counter()
    peaks = {"load": peak_mb()}

    def watch(fraction: float, message: str) -> None:
        if fraction < 0.96:  # the pipeline's word that it cleans up
            peaks["inference"] = peak_mb()

    # no early exit: a time that does not depend on what the image shows
    options = SegmentOptions(threads=threads, early_exit=None if model.step_mm else False)
    result = segment(volumes, session, options, watch)
    peaks["postprocess"] = peak_mb()
    segmented = time.perf_counter()
    write_volume(result.labels, folder / "tumor.nii.gz")
    ended = time.perf_counter()
    peaks["write"] = peak_mb()
    seconds = {**result.seconds, "load": loaded - began, "write": ended - segmented, "total": ended - began}
    return {
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "peak_mb": round(peaks["write"]),
        "peak_mb_by_stage": {stage: round(value) for stage, value in peaks.items()},
    }


def print_line(document: dict[str, Any]) -> None:
    """To standard output, whatever libraries have printed before."""
    sys.stdout.write("\n" + json.dumps(document) + "\n")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
