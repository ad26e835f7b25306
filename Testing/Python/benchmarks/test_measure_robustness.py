"""Measuring robustness: what is compared with what, what is kept, and what the page says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from BrainTumorSegLib.inference.options import SegmentOptions
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.volume import Volume
from Testing.Benchmarks.corruptions import CORRUPTIONS, find_corruptions
from Testing.Benchmarks.measure_robustness import Record, left_out, measure, measure_case, write_pages
from Testing.Benchmarks.robustness_page import dice_table, summarize
from Testing.Benchmarks.robustness_subjects import SUBJECTS, Case
from Testing.Python.tiny import ball_head, tiny_model

SUBJECT = SUBJECTS["t1ce-tumor"]
OPTIONS = SegmentOptions(threads=1)
HERE = {"sha256": "0" * 64, "fold": 4, "planes": "auto"}


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """What is brighter than 1.8 times mean tissue is tumor."""
    return Session(tiny_model(tmp_path, edge=1.8), threads=1)


@pytest.fixture
def case() -> Case:
    """A head of gray 100 with a cube of 6 voxels of gray 300, of which the reference has the upper half."""
    head = ball_head((24, 24, 24), (5.0, 5.0, 5.0))
    head.array[9:15, 9:15, 9:15] = 300
    truth = np.zeros(head.array.shape, bool)
    truth[9:12, 9:15, 9:15] = True
    return Case("ball", {"t1ce": head}, {"TC": truth})


def by_name(name: str):
    return next(corruption for corruption in CORRUPTIONS if corruption.name == name)


def test_a_result_is_scored_against_the_reference_of_its_own_grid(session: Session, case: Case, tmp_path: Path) -> None:
    """The whole cube is found and half of it is right: 2 * 108 / (216 + 108)."""
    for name in ("none", "scale-up", "scale-down"):
        assert measure(case, by_name(name), SUBJECT, session, OPTIONS, None)["dice"] == {"TC": pytest.approx(2 / 3, abs=1e-4)}
    tile = tmp_path / "turn.png"
    turned = measure(case, by_name("turn-z-plus"), SUBJECT, session, OPTIONS, tile)
    assert turned["dice"]["TC"] == pytest.approx(2 / 3, abs=0.08)  # the cube's edges are smeared
    assert turned["drawn"] and Image.open(tile).size == (232, 232)
    empty = Case("none", case.volumes, {"TC": np.zeros_like(case.truth["TC"])})
    assert measure(empty, by_name("none"), SUBJECT, session, OPTIONS, None)["dice"] == {"TC": None}


def test_a_stopped_run_goes_on_and_another_files_lines_are_not_used(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    Record(path, HERE | {"sha256": "old"}).add({"case": "a", "corruption": "none"})
    record = Record(path, HERE)
    assert not record.has(case="a", corruption="none")
    record.add({"case": "a", "corruption": "none"})
    again = Record(path, HERE)
    assert again.has(case="a", corruption="none") and not again.has(case="a", corruption="blur-1")
    assert again.of("corruption") == [HERE | {"case": "a", "corruption": "none"}] and again.of("ml") == []


def test_only_what_is_missing_is_measured_and_the_pages_are_written(session: Session, case: Case, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    record = Record(tmp_path / "m.jsonl", HERE)
    record.add({"case": "ball", "corruption": "none", "dice": {"TC": 0.5}, "drawn": False})
    tiles = tmp_path / "m-tiles"
    tiles.mkdir()
    measure_case("ball", lambda: case, find_corruptions("scale-up"), SUBJECT, session, OPTIONS, record, tiles)
    measure_case("ball", lambda: pytest.fail("nothing is missing"), find_corruptions("scale-up"), SUBJECT, session, OPTIONS, record, tiles)
    assert capsys.readouterr().out.splitlines() == ["ball scale-up {'TC': 0.6667}"]
    record.add({"case": "head", "given": "t1", "ml": 1.5, "by_label": {"1": 1.5}, "warnings": ["a warning"]})
    write_pages({"name": "m", **HERE}, SUBJECT, record, tmp_path)
    text = (tmp_path / "m-robustness.md").read_text()
    assert "| scale-up | times 3, plus 200 | 0.667 | +0.167 | +0.167 |" in text
    assert "At most 1 mL in 0 of 1." in text and "| head | t1 | 1.50 | yes |" in text
    assert json.loads((tmp_path / "m-robustness.json").read_text())["corruptions"]["scale-up"]["TC"]["difference"] == 0.1667
    assert Image.open(tmp_path / "m-robustness.png").width == 7 * 232


def test_millimeters_are_left_out_where_the_spacing_is_unknown(session: Session, tmp_path: Path) -> None:
    picture = Volume(ball_head((24, 24, 24), (5.0, 5.0, 5.0)).array[12:13], has_millimeters=False)
    case = Case("picture", {"t1ce": picture}, {"TC": picture.array > 0})
    record = Record(tmp_path / "m.jsonl", HERE)
    measure_case("picture", lambda: case, find_corruptions("blur-1,scale-up"), SUBJECT, session, OPTIONS, record, None)
    assert [row["corruption"] for row in record.rows] == ["none", "scale-up"]


def row(case: str, corruption: str, wt: float, et: float | None) -> dict:
    return {"case": case, "corruption": corruption, "dice": {"WT": wt, "ET": et}}


def test_means_are_over_the_cases_that_have_every_corruption_and_the_region() -> None:
    rows = [row("a", "none", 0.9, None), row("a", "blur-1", 0.7, None), row("b", "none", 0.8, 0.5), row("b", "blur-1", 0.8, 0.0), row("c", "none", 0.1, 0.1)]
    summary = summarize(rows, ["none", "blur-1"])
    assert summary["cases"] == ["a", "b"]
    assert summary["corruptions"]["blur-1"]["WT"] == {"n": 2, "dice": 0.75, "difference": -0.1, "worst": -0.2}
    assert summary["corruptions"]["blur-1"]["ET"] == {"n": 1, "dice": 0.0, "difference": -0.5, "worst": -0.5}
    lines = dice_table(summary).splitlines()
    assert lines[0].startswith("| corruption | strength | WT Dice (n = 2) | difference | worst case | ET Dice (n = 1) |")
    assert lines[3] == "| blur-1 | Gaussian, sigma 1 mm (FWHM 2.4 mm) | 0.750 | -0.100 | -0.200 | 0.000 | -0.500 | -0.500 |"
    assert len({line.count("|") for line in dice_table(summary, ["slices-5"]).splitlines()}) == 1


def test_what_could_not_be_done_for_want_of_millimeters_is_said() -> None:
    others = [corruption.name for corruption in CORRUPTIONS if not corruption.needs_mm]
    assert left_out(others, {"n": 1}) == [corruption.name for corruption in CORRUPTIONS if corruption.needs_mm]
    assert left_out(["none", "scale-up"], {"n": 1}) == []


def test_each_subject_compares_what_its_model_can_find() -> None:
    found = {name: list(subject.found) for name, subject in SUBJECTS.items()}
    assert found == {"t1ce-tumor": ["TC"], "glioma-regions": ["WT", "TC", "ET"], "flair-tumor": ["WT"]}
