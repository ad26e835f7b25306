"""The process that runs one network and nothing else: `python -m BrainTumorSegLib.bench.worker`.

It reads one JSON document a line from standard input and answers each with one line. The first is
{"file", "shape" (of one image, [C, H, W]), "threads", "provider"}; each later one is {"batch", "repeats"}, answered by
{"seconds": [of every repeat], "peak_mb"}. It ends with its input.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib.bench.machine import peak_mb
from BrainTumorSegLib.errors import BrainTumorSegError
from BrainTumorSegLib.inference.session import open_network


def main() -> int:
    """Serve until the input ends; an error is one line {"error": text}."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; whoever started this ends it
    try:
        answer = _open(json.loads(sys.stdin.readline()))
        _say({"ready": True})
        for line in sys.stdin:
            _say(answer(json.loads(line)))
    except BrainTumorSegError as error:
        _say({"error": str(error)})
    except Exception as error:  # onnxruntime's share no base
        _say({"error": f"the network cannot be run ({str(error).splitlines()[0][:160]}); give a file made by `braintumorseg export`"})
    return 0


def _open(spec: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    session = open_network(Path(spec["file"]).read_bytes(), spec["threads"], spec["provider"])
    numbers = np.random.default_rng(0)
    name = session.get_inputs()[0].name

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        images = numbers.uniform(0, 2, (request["batch"], *spec["shape"])).astype(np.float32)
        seconds = []
        for _ in range(request["repeats"]):
            began = time.perf_counter()
            session.run(None, {name: images})
            seconds.append(time.perf_counter() - began)
        return {"seconds": seconds, "peak_mb": peak_mb()}

    return answer


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
