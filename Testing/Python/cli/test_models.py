"""The list of models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from BrainTumorSegLib.cli.main import main


def test_json_has_the_keys_of_the_contract(resources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == ["bright", "slow"]
    row = rows[0]
    assert {"name", "task", "inputs", "labels", "precision", "size_mb", "sha256", "license", "scores"} <= row.keys()
    assert (row["inputs"], row["labels"], row["scores"]) == (["t1ce"], {"1": "tumor"}, {"dice": 0.5})


def test_the_text_names_license_and_scores(resources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    text = capsys.readouterr().out
    assert "bright: Threshold" in text
    assert "license  CC0-1.0: Made for tests." in text
    assert "score    dice: 0.5" in text


def test_a_damaged_table_is_one_line(resources: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (resources / "Models" / "models.json").write_text("{")
    assert main(["models"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
