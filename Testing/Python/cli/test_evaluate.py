import argparse
import csv
import io
import json
import sys

import numpy as np
import pytest

from BrainTumorSegLib.cli import evaluate as command
from BrainTumorSegLib.errors import InputError

LINE = [0, 1, 1, 1, 1, 0, 0, 0]
SHIFTED = [0, 0, 0, 1, 1, 1, 1, 0]


def save(path, labels, spacing=(1.0, 1.0, 1.0)):
    import SimpleITK as sitk

    path.parent.mkdir(exist_ok=True)
    image = sitk.GetImageFromArray(np.asarray(labels, np.uint8).reshape(1, 1, -1))
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))


def run(*words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def folders(tmp_path):
    for case, prediction, reference in (("a", SHIFTED, LINE), ("b", [0] * 8, LINE)):
        save(tmp_path / "p" / f"{case}.nii.gz", prediction)
        save(tmp_path / "r" / f"{case}.nii.gz", reference)
    return tmp_path / "p", tmp_path / "r"


def test_json_is_one_document_and_nothing_else(folders, capsys):
    assert run("--prediction", folders[0], "--reference", folders[1], "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [(row["case"], row["class"], row["dice"], row["hd95_mm"], row["status"]) for row in document["cases"]] == [
        # ends at 1 and 4 against 3 and 6: distances 1 and 2, 95th percentile 1.95
        ("a", "tumor", 0.5, pytest.approx(1.95), "ok"),
        ("b", "tumor", 0.0, None, "missed"),
    ]
    summary = document["summary"]["tumor"]
    assert list(summary) == ["n", "dice", "iou", "hd95_mm", "hd95_undefined", "micro_iou", "mean_iou_with_background"]
    assert (summary["n"], summary["dice"], summary["hd95_mm"], summary["hd95_undefined"]) == (2, 0.25, pytest.approx(1.95), 1)


def test_the_text_is_aligned_and_says_how_the_means_were_taken(folders, capsys):
    run("--prediction", folders[0], "--reference", folders[1])
    cases, summary, averaging, convention = capsys.readouterr().out.strip().split("\n\n")
    assert cases.splitlines() == [
        "case  class    Dice     IoU    HD95 mm  status",
        "a     tumor  0.5000  0.3333       1.95  ok",
        "b     tumor  0.0000  0.0000  undefined  missed",
    ]
    # pooled: 2 voxels in both, 8 in one only, 6 in neither, so 2 / 10 and (2 / 10 + 6 / 14) / 2
    assert summary.splitlines()[1].split() == ["tumor", "2", "0.2500", "0.1667", "1.95", "1", "0.2000", "0.3143"]
    assert "means over 2 cases" in averaging and convention.startswith("Convention: ")


def test_a_single_case_has_no_summary_table(folders, capsys):
    run("--prediction", folders[0] / "a.nii.gz", "--reference", folders[1] / "a.nii.gz")
    assert len(capsys.readouterr().out.strip().split("\n\n")) == 2


def test_many_cases_are_summarized_only(tmp_path, capsys):
    for case in range(21):
        save(tmp_path / "p" / f"{case}.nii", LINE)
    run("--prediction", tmp_path / "p", "--reference", tmp_path / "p")
    assert capsys.readouterr().out.startswith("21 cases; --csv or --json lists each\n")


def test_notices_go_to_standard_error(tmp_path, capsys):
    save(tmp_path / "p" / "a.nii", LINE, spacing=(2.0, 1.0, 1.0))
    save(tmp_path / "r" / "a.nii", LINE)
    run("--prediction", tmp_path / "p", "--reference", tmp_path / "r", "--json")
    captured = capsys.readouterr()
    json.loads(captured.out)
    assert captured.err.startswith("notice: a: ") and "resampled" in captured.err


def test_the_csv_has_every_case_and_leaves_the_undefined_empty(folders, tmp_path, capsys):
    run("--prediction", folders[0], "--reference", folders[1], "--csv", tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["case"], row["class"], row["dice"], row["hd95_mm"], row["status"]) for row in rows] == [
        ("a", "tumor", "0.5", "1.95", "ok"),
        ("b", "tumor", "0.0", "", "missed"),
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p", "r", "scores.csv"]


def test_a_csv_that_cannot_be_written_is_an_error_and_leaves_nothing(folders, tmp_path, capsys):
    before = sorted(tmp_path.rglob("*"))
    for place in (tmp_path / "nowhere" / "scores.csv", tmp_path / "p", tmp_path / "p" / "a.nii.gz" / "scores.csv"):
        with pytest.raises(InputError, match="cannot be written"):
            run("--prediction", folders[0], "--reference", folders[1], "--csv", place)
    assert sorted(tmp_path.rglob("*")) == before
    assert capsys.readouterr().out == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_the_case_being_evaluated_is_shown_and_wiped(folders, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    run("--prediction", folders[0], "--reference", folders[1])
    assert "evaluating a" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
