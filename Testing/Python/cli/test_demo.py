"""The demo, with a network that marks what is bright; the shipped model's score on the phantom has a test of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from BrainTumorSegLib.cli.main import main
from BrainTumorSegLib.io.images import read_label_volume, read_volume


def test_the_demo_scores_and_draws_the_phantom_and_calls_it_one(resources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("head phantom (made up, no patient), segmented by bright")
    assert all(word in text for word in ("Dice", "IoU", "HD95", "mm", "mL, reference 23.7 mL", "threads", "not how well it does on patients"))
    assert sorted(path.name for path in out.iterdir()) == ["overlay.png", "tumor.nii.gz"]
    assert Image.open(out / "overlay.png").width == 1500
    assert read_label_volume(out / "tumor.nii.gz").same_grid(read_volume(resources / "Phantom" / "t1ce.nii.gz"))


def test_a_folder_that_cannot_be_made_is_refused(resources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path / "no" / "demo")]) == 2
    assert "its folder does not exist" in capsys.readouterr().err
