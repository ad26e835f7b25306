"""List the models on this machine: what they find, what they need, how good they are, and what their license allows."""

from __future__ import annotations

import argparse
import json
from typing import Any

NAME = "models"
HELP = "list the models on this machine"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of the text")


def run(arguments: argparse.Namespace) -> int:
    """The list to standard output.

    Raises:
        ModelError: models.json is missing or damaged.
    """
    from BrainTumorSegLib import api

    rows = [as_row(model) for model in api.list_models()]
    print(json.dumps(rows, indent=2, allow_nan=False) if arguments.json else "\n\n".join(map(as_text, rows)) or "no models")
    return 0


def as_row(model: Any) -> dict[str, Any]:
    """One model (`api.ModelInfo`) as the JSON document holds it."""
    return {
        "name": model.name,
        "title": model.title,
        "task": model.task,
        "network": model.network,
        "inputs": list(model.inputs),
        "any_inputs": model.any_inputs,
        "labels": {str(value): key for value, key in model.labels.items()},
        "planes": list(model.planes),
        "precision": model.precision,
        "size_mb": model.size_mb,
        "sha256": model.sha256,
        "license": model.license,
        "license_note": model.license_note,
        "training_data": list(model.training_data),
        "scores": model.scores,
    }


def as_text(row: dict[str, Any]) -> str:
    """One model for people."""
    labels = ", ".join(f"{value} = {key}" for value, key in row["labels"].items())
    lines = [
        f"{row['name']}: {row['title']}",
        f"  task     {row['task']}",
        f"  needs    {'any of ' if row['any_inputs'] else ''}{', '.join(row['inputs'])}",
        f"  writes   {labels}",
        f"  network  {row['network']}, {row['precision']}, {row['size_mb']:g} MB",
        f"  license  {row['license']}: {row['license_note']}",
        *(f"  score    {name}: {_shown(value)}" for name, value in row["scores"].items()),
        f"  sha256   {row['sha256']}",
    ]
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_shown(inner)}" for name, inner in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
