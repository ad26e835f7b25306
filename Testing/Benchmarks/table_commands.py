"""The commands that trained the rows of a table, worked out from the settings that were stored with them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from BrainTumorSegLib.training.paper_recipe import paper_recipe
from BrainTumorSegLib.training.recipes import PAPERS
from Testing.Benchmarks.results import Result, first, load


def commands(recipe: str, rows: list[tuple[str, bool]], results: Path) -> str:
    """A Markdown block of the commands of every row, (variant, CLAHE), that was run; a sentence where none was."""
    lines = [command(result) for variant, clahe in rows for result in load(recipe, variant, clahe, results)]
    if not lines:
        return "No row has been run."
    return "\n".join(["How the rows were trained; DATA is the folder that holds the sets:\n", "```", *lines, "```"])


def command(result: Result) -> str:
    """`braintumorseg train` with every setting that is not the published recipe's."""
    stored, about = result["recipe"], first(result)
    variant = f"variant={about['variant']}"
    published = _flat(json.loads(paper_recipe(PAPERS[stored["name"]], [variant]).to_json()))
    changed = [f"{key}={json.dumps(value)}" for key, value in _flat(stored).items() if value != published[key]]
    fold = next(iter(result["folds"])) if len(result["folds"]) == 1 else "all"
    out = f"runs/{stored['name']}-{about['variant']}{'-clahe' if about['clahe'] else ''}"
    sets = " ".join(f"--set {shlex.quote(text)}" for text in [variant, *changed])
    return f"braintumorseg train {stored['name']} --data DATA --fold {fold} -o {out} {sets}"


def _flat(values: dict[str, Any], above: str = "") -> dict[str, Any]:
    """Nested settings under dotted names."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{above}{key}."))
        else:
            flat[above + key] = value
    return flat
