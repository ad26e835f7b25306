"""Stored results: one small JSON file a run, made from a run folder or a folder of exported files."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results"
Result = dict[str, Any]


def add_run(run: Path, results: Path = RESULTS) -> Path:
    """Store the scores, logs and settings of a run of `braintumorseg train paper-...`, of one fold or of several below it."""
    folders = [run] if (run / "scores.json").is_file() else sorted(path.parent for path in run.glob("fold*/scores.json"))
    if not folders:
        raise SystemExit(f"{run} holds no scores.json, neither itself nor in fold1, fold2, ...; finish a run first")
    scores = [json.loads((folder / "scores.json").read_text()) for folder in folders]
    recipe = json.loads((folders[0] / "run.json").read_text())["recipe"]
    result = {
        "recipe": recipe,
        "folds": {str(s["fold"]): s for s in scores},
        "logs": {str(s["fold"]): _log(folder / "log.csv") for s, folder in zip(scores, folders)},
    }
    return _write(results / f"{slug(scores[0])}.json", result)


def add_export(folder: Path, results: Path = RESULTS) -> Path:
    """Store the scores, sizes and times of the files that `braintumorseg export` made of such a run."""
    rows = json.loads((folder / "models.json").read_text())["models"]
    scored = [row for row in rows if row["scores"].get("run")]
    if not scored:
        raise SystemExit(f"{folder} holds no scored files of a published system; export the run with --data")
    files = {row["precision"]: {**row["scores"], "size_mb": (folder / row["file"]).stat().st_size / 1e6} for row in scored}
    return _write(results / f"{slug(scored[0]['scores']['run'])}-export.json", {"files": files})


def slug(about: dict[str, Any]) -> str:
    """The name of a result: what is trained, how wide and on which slices."""
    clahe = "-clahe" if about["clahe"] else ""
    return f"{about['recipe']}-{about['variant']}{clahe}-width{about['width']:g}-{about['size']}px"


def load(recipe: str, variant: str, clahe: bool = False, results: Path = RESULTS) -> list[Result]:
    """All stored runs of a row, widest first; each has its exported files under "files" where they were stored.

    Files of another run of the row, trained before this one, are left out.
    """
    found = []
    for path in sorted(results.glob(f"{recipe}-{variant}{'-clahe' if clahe else ''}-width*px.json")):
        result = json.loads(path.read_text())
        export = path.with_name(f"{path.stem}-export.json")
        files = json.loads(export.read_text())["files"] if export.is_file() else {}
        runs = [{key: value for key, value in fold.items() if key != "scores"} for fold in result["folds"].values()]
        result["files"] = {precision: file for precision, file in files.items() if file["run"] in runs}
        found.append(result)
    return sorted(found, key=lambda result: (-first(result)["width"], -first(result)["size"]))


def first(result: Result) -> dict[str, Any]:
    """One fold's scores.json: what all folds share can be read from it."""
    return next(iter(result["folds"].values()))


def values(result: Result, *path: str) -> list[float]:
    """A number of every fold's scores, those that are undefined left out."""
    numbers = []
    for fold in result["folds"].values():
        node: Any = fold["scores"]
        for key in path:
            node = node.get(key) if isinstance(node, dict) else None
        if node is not None:
            numbers.append(float(node))
    return numbers


def mean(result: Result, *path: str) -> float | None:
    """Mean over the folds."""
    numbers = values(result, *path)
    return float(np.mean(numbers)) if numbers else None


def shown(number: float | None, digits: int = 3, scale: float = 1.0) -> str:
    return "-" if number is None else f"{number * scale:.{digits}f}"


def with_deviation(numbers: Sequence[float], digits: int = 3, scale: float = 1.0) -> str:
    """Mean, and the deviation where there is more than one fold."""
    if not numbers:
        return "-"
    text = shown(float(np.mean(numbers)), digits, scale)
    return f"{text} ± {float(np.std(numbers, ddof=1)) * scale:.{digits}f}" if len(numbers) > 1 else text


def _log(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, result: Result) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
    return path
