"""`benchmark`, from the command line to the files, with small networks and few passes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from BrainTumorSegLib.cli.main import main

Capture = pytest.CaptureFixture[str]


def test_json_has_the_keys_of_the_contract(resources: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["benchmark", "bright", "--passes", "2", "--threads", "1", "-o", str(tmp_path / "out"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {"models", "volumes", "machine"} <= document.keys()
    row = document["models"][0]
    assert {"fp32_ms", "dynamic_ms", "int8_ms", "int8_speedup", "int8_size_ratio", "dice_fp32", "dice_int8"} <= row.keys()
    assert (row["name"], row["dice_fp32"], row["int8_ms"], document["volumes"]) == ("bright", 0.5, None, [])
    assert document["machine"]["threads"] == 1
    assert document["machine"]["rates"]["int8_macs"] > 0 and set(row["limits"]) == {"fp32", "dynamic"}
    assert document["command"] == "braintumorseg benchmark bright --passes 2 --threads 1"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["benchmark.json", "benchmark.svg", "benchmarks.md"]
    assert json.loads((tmp_path / "out" / "benchmark.json").read_text()) == document


def test_the_text_is_the_page(resources: Path, capsys: Capture) -> None:
    assert main(["benchmark", "bright", "--passes", "1"]) == 0
    assert "| bright | trained | fp32 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["other"], "there is no model 'other'; choose among bright, slow, resunet, resunet-ag"),
        (["bright", "--provider", "cuda2"], "provider is 'cuda2'"),
        (["bright", "--fp32", "nowhere"], "nowhere is no folder"),
        (["bright", "--data", "nowhere"], "nowhere is no folder"),
        (["bright", "--passes", "0"], "'0' is no whole number"),
    ],
)
def test_bad_usage_is_one_line(resources: Path, tmp_path: Path, capsys: Capture, words: list[str], message: str) -> None:
    assert main(["benchmark", *words, "-o", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1) and message in err
    assert not (tmp_path / "out").exists()


def test_a_fresh_installation_without_torch_and_onnx_can_time_its_models(resources: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['torch', 'onnx', 'monai', 'matplotlib', 'onnxscript']))\n"  # importing one of them fails
        "from BrainTumorSegLib.cli.main import main\n"
        "sys.exit(main(['benchmark', 'bright', 'resunet', '--passes', '1', '--json']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [row["name"] for row in document["models"]] == ["bright"]
    assert document["skipped"][0]["name"] == "resunet" and "braintumorseg[train]" in document["skipped"][0]["reason"]
