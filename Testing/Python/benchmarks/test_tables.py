"""Tables and figures from stored results: what was not run says so, what was run stands beside the paper's figure."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from BrainTumorSegLib.training.paper_recipe import paper_recipe
from BrainTumorSegLib.training.recipes import PAPERS
from Testing.Benchmarks.figures import all_figures
from Testing.Benchmarks.results import add_export, add_run, load, mean
from Testing.Benchmarks.table_commands import commands
from Testing.Benchmarks.tables import all_tables, table_a, table_b, table_d
from Testing.Benchmarks.tables_c import table_c

ABOUT: dict[str, Any] = {"width": 0.5, "size": 224, "clahe": False, "epochs": 50, "epochs_run": 12, "n_training": 120}
ABOUT |= {"chosen_on": "next fold", "started_from": "random weights", "trained_on": "CPU"}


def score_a(mean_iou: float) -> dict[str, Any]:
    by_kind = {kind: {"dice": 0.5} for kind in ("glioma", "meningioma", "pituitary")}
    slices = {"n": 3, "dice": 0.75, "iou": 0.6}
    return {"averaged": "pooled", "n": 10, "mean_iou": mean_iou, "tumor_iou": 0.5, "tumor_slices": slices, "by_kind": by_kind, "false_positive_rate": 0.25}


def write_run(run: Path, recipe: str, variant: str, fold: int, scores: dict[str, Any], **about: Any) -> Path:
    run.mkdir(parents=True)
    drawn = {"slices_per_epoch": about.pop("slices_per_epoch", 0), "batch": 16}
    (run / "run.json").write_text(json.dumps({"fold": fold, "recipe": {"name": recipe, **drawn}}))
    (run / "scores.json").write_text(json.dumps({**ABOUT, "recipe": recipe, "variant": variant, "fold": fold, **about, "scores": scores}))
    columns = ["epoch", *[f"{part}_{key}" for part in ("training", "validation") for key in ("loss", "dice", "iou", "mean_iou")]]
    with (run / "log.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([columns, [1, *[0.5] * 8], [2, *[0.6] * 4, *[""] * 4]])
    labels = np.zeros((2, 16, 16), np.uint8)
    labels[:, 4:8, 4:8] = 1
    np.savez(run / "shown.npz", images=np.random.rand(2, 1, 16, 16), labels=labels, predicted=labels, case=np.array(["a", "b"]), kind=np.array(["glioma"] * 2))
    return run


def rows_of(text: str) -> dict[str, list[str]]:
    """First cell -> the other cells, of every line of a table."""
    lines = [line.strip("| \n").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return {cells[0]: cells[1:] for cells in lines}


def test_every_published_row_is_there_and_says_not_run(tmp_path: Path) -> None:
    text = all_tables(tmp_path)
    a, d = rows_of(table_a(tmp_path)), rows_of(table_d(tmp_path))
    assert [a[row][:2] for row in ("Res-UNet", "+ AG DRQ", "+ CBAM")] == [["0.8322", "not run"], ["0.8451", "not run"], ["0.8359", "not run"]]
    assert d["MA-Net"][:3] == ["0.928", "0.873", "not run"]
    assert rows_of(table_b(tmp_path))["full hybrid"][:5] == ["0.7636", "0.7357", "0.9736", "0.9756", "not run"]
    c = rows_of(table_c(tmp_path).split("###")[0])
    assert c["ResSE-LKA-UNet, with CLAHE"][:4] == ["85.72 ± 3.81", "78.62 ± 4.58", "82.56 ± 3.53", "not run"]
    assert text.count("## ") == 4 + 3  # four papers; C has three more tables
    assert "of ours too few rows have been run to compare" in text
    widths = {len(line.split(" | ")) for line in table_a(tmp_path).splitlines() if line.startswith("|")}
    assert len(widths) == 1


def test_folds_are_averaged_and_the_conditions_are_stated(tmp_path: Path) -> None:
    for fold, iou in ((1, 0.7), (2, 0.8)):
        write_run(tmp_path / "run" / f"fold{fold}", "paper-a", "ag", fold, score_a(iou), epochs_run=10 + fold)
    path = add_run(tmp_path / "run", tmp_path / "results")
    assert path.name == "paper-a-ag-width0.5-224px.json"
    row = rows_of(table_a(tmp_path / "results"))["+ AG"]
    assert row[:8] == ["0.8455", "0.7500", "0.500", "0.750", "0.500", "0.500", "0.500", "25.0 %"]
    assert row[-10:] == ["20", "pooled; mean of 2 folds", "0.5", "224 px", "11-12 of 50", "all 120", "16", "next fold", "random weights", "CPU"]
    assert mean(load("paper-a", "ag", results=tmp_path / "results")[0], "mean_iou") == pytest.approx(0.75)


def test_a_part_of_the_slices_is_stated(tmp_path: Path) -> None:
    add_run(write_run(tmp_path / "run", "paper-a", "ag", 1, score_a(0.7), slices_per_epoch=40), tmp_path / "results")
    assert rows_of(table_a(tmp_path / "results"))["+ AG"][-5:-3] == ["40 of 120", "16"]


def test_the_command_of_a_row_gives_its_recipe_again(tmp_path: Path) -> None:
    settings = ["variant=unet", "width=0.5", "epochs=8", "clahe=true", "schedule.warm_up=1", "choose_on=next fold", "augmentation.gamma=[0.8, 1.2]"]
    recipe = paper_recipe(PAPERS["paper-c"], settings)
    write_run(tmp_path / "run", "paper-c", "unet", 2, {"averaged": "per case", "n": 3, "classes": classes(0.8)}, clahe=True)
    (tmp_path / "run" / "run.json").write_text(json.dumps({"fold": 2, "recipe": json.loads(recipe.to_json())}))
    add_run(tmp_path / "run", tmp_path / "results")
    (line,) = [line for line in commands("paper-c", [("unet", False), ("unet", True)], tmp_path / "results").splitlines() if line.startswith("braintumorseg")]
    words = shlex.split(line)
    assert words[:8] == ["braintumorseg", "train", "paper-c", "--data", "DATA", "--fold", "2", "-o"]
    given = words[10::2]
    assert words[9::2] == ["--set"] * len(given) and len(given) == len(settings)
    assert paper_recipe(PAPERS["paper-c"], given) == recipe
    assert commands("paper-c", [("unet", False)], tmp_path / "results") == "No row has been run."


def test_an_order_that_differs_from_the_papers_is_said(tmp_path: Path) -> None:
    for variant, iou in (("none", 0.8), ("ag", 0.7), ("se", 0.75)):
        add_run(write_run(tmp_path / variant, "paper-a", variant, 1, score_a(iou)), tmp_path / "results")
    text = table_a(tmp_path / "results")
    assert "the paper has + AG > + SE > Res-UNet; ours differs: Res-UNet > + SE > + AG." in text
    for variant, iou in (("none", 0.6), ("ag", 0.9)):
        add_run(write_run(tmp_path / f"{variant}2", "paper-a", variant, 1, score_a(iou)), tmp_path / "results")
    assert "ours is the same." in table_a(tmp_path / "results")


def test_how_far_training_had_come_is_said_of_the_rows_that_were_run(tmp_path: Path) -> None:
    assert "last two epochs" not in table_a(tmp_path / "results")
    for fold, dice in ((1, 0.2), (2, 0.4)):
        run = write_run(tmp_path / "run" / f"fold{fold}", "paper-a", "ag", fold, score_a(0.7))
        lines = (run / "log.csv").read_text().splitlines()
        (run / "log.csv").write_text("\n".join([*lines[:2], lines[2].replace("0.6", str(dice))]) + "\n")
    add_run(tmp_path / "run", tmp_path / "results")
    add_run(write_run(tmp_path / "other", "paper-a", "se", 1, score_a(0.7)), tmp_path / "results")
    assert "training slices in the last two epochs: + AG 0.500 and 0.300, + SE 0.500 and 0.600. A row" in table_a(tmp_path / "results")


def test_exported_files_fill_the_quantized_rows(tmp_path: Path) -> None:
    results = tmp_path / "results"
    add_run(write_run(tmp_path / "run", "paper-a", "se", 1, score_a(0.8)), results)
    about = {key: value for key, value in json.loads((tmp_path / "run" / "scores.json").read_text()).items() if key != "scores"}
    out = tmp_path / "out"
    out.mkdir()
    rows = []
    for precision, iou in (("fp32", 0.8), ("dynamic", 0.79), ("int8", 0.78)):
        (out / f"{precision}.onnx").write_bytes(b"0" * 1_500_000)
        rows.append({"precision": precision, "file": f"{precision}.onnx", "scores": {**score_a(iou), "seconds_per_image": 0.125, "run": about}})
    (out / "models.json").write_text(json.dumps({"models": rows}))
    add_export(out, results)
    table = rows_of(table_a(results))
    assert table["+ SE"][1] == "0.8000"
    assert table["+ SE DRQ"][:2] == ["0.8384", "0.7900"]
    assert table["se, static int8"][:2] == ["-", "0.7800"]
    assert table["+ SE DRQ"][8:12] == ["32.38", "1.50", "0.1996", "0.1250"]
    add_run(write_run(tmp_path / "again", "paper-a", "se", 1, score_a(0.6), minutes=31), results)
    table = rows_of(table_a(results))
    assert table["+ SE"][1] == "0.6000"
    assert table["+ SE DRQ"][1] == "not run"  # the files at hand are the first run's
    (out / "models.json").write_text(json.dumps({"models": [{"scores": {}}]}))
    with pytest.raises(SystemExit, match="holds no scored files of a published system"):
        add_export(out, results)


def test_a_folder_without_scores_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"holds no scores.json, neither itself nor in fold1, fold2, ...; finish a run first"):
        add_run(tmp_path, tmp_path / "results")


def classes(dice: float | None) -> dict[str, Any]:
    row = {"n": 2, "not_applicable": 1, "dice": dice, "hd95_mm": 4.0, "hd95_undefined": 1}
    return dict.fromkeys(("NCR", "ED", "ET"), row)


def case(name: str, tumor_ml: float, dice: float | None) -> dict[str, Any]:
    return {"case": name, "tumor_ml": tumor_ml, "classes": {key: {"dice": dice} for key in ("NCR", "ED", "ET")}}


def test_c_gives_folds_sizes_and_single_cases(tmp_path: Path) -> None:
    scores = {"averaged": "per case", "n": 3, "classes": classes(0.8), "large": {"n": 2, "classes": classes(0.9)}, "small": {"n": 1, "classes": classes(0.6)}}
    scores["cases"] = [case("A", 50.0, 0.9), case("B", 5.0, None), case("C", 20.0, 0.7)]
    for fold in (1, 2):
        write_run(tmp_path / "run" / f"fold{fold}", "paper-c", "resse-lka", fold, scores)
    add_run(tmp_path / "run", tmp_path / "results")
    text = table_c(tmp_path / "results")
    rows = rows_of(text.split("###")[0])
    assert rows["ResSE-LKA-UNet, without CLAHE"][3:6] == ["80.00 ± 0.00"] * 3
    assert rows["ResSE-LKA-UNet, without CLAHE"][9:13] == ["4.00 ± 0.00 (2 missed)"] * 3 + ["NCR 2, ED 2, ET 2"]
    assert rows["ResSE-LKA-UNet, with CLAHE"][3] == "not run"
    assert "| 1 | 82.10 | 74.20 | 79.40 | 2.40 | 5.10 | 4.20 | without | 80.00 | 80.00 | 80.00 | 4.00 | 4.00 | 4.00 |" in text
    assert "| ResSE-LKA-UNet, without CLAHE | small | 2 | 60.00 ± 0.00 |" in text
    assert "| ours | large | A | 50.0 | not run | not run | 0.900 / 0.900 / 0.900 |" in text
    assert text.index("| ours | large | A |") < text.index("| ours | large | C |")
    assert "| ours | small | C |" not in text and "| ours | large | B |" not in text
    assert "| ours | small | B | 5.0 | not run | not run | not applicable / not applicable / not applicable |" in text
    assert "| paper | small | 106 | - | 0.000 / 0.000 / not applicable |" in text


def test_c_compares_the_order_of_methods_over_the_single_cases(tmp_path: Path) -> None:
    for variant, dice in (("unet", 0.6), ("resse-lka", 0.5)):
        scores = {
            "averaged": "per case",
            "n": 2,
            "classes": classes(dice),
            "large": {"n": 1, "classes": classes(dice)},
            "small": {"n": 1, "classes": classes(dice)},
        }
        scores["cases"] = [case("A", 50.0, dice), case("B", 5.0, dice)]
        add_run(write_run(tmp_path / variant, "paper-c", variant, 1, scores), tmp_path / "results")
    assert "the paper has ResSE-LKA-UNet > U-Net; ours differs: U-Net > ResSE-LKA-UNet." in table_c(tmp_path / "results")


def test_c_compares_methods_on_the_folds_that_all_of_them_have(tmp_path: Path) -> None:
    for variant, fold, dice, name in (("unet", 2, 0.6, "A"), ("resse-lka", 1, 0.9, "B"), ("resse-lka", 2, 0.5, "A")):
        by_size = {size: {"n": 1, "classes": classes(dice)} for size in ("large", "small")}
        scores = {"averaged": "per case", "n": 2, "classes": classes(dice), **by_size, "cases": [case(name, 50.0, dice), case(name + name, 60.0, dice)]}
        write_run(tmp_path / variant / f"fold{fold}", "paper-c", variant, fold, scores)
    for variant in ("unet", "resse-lka"):
        add_run(tmp_path / variant, tmp_path / "results")
    text = table_c(tmp_path / "results")
    rows = rows_of(text.split("###")[0])
    assert [rows[row][3] for row in ("U-Net, without CLAHE", "ResSE-LKA-UNet, without CLAHE")] == ["60.00", "50.00"]
    assert rows["ResSE-LKA-UNet, without CLAHE, all 2 folds"][3] == "70.00 ± 28.28"
    assert "U-Net, without CLAHE, all 1 folds" not in rows
    assert "| ResSE-LKA-UNet, without CLAHE | large | 1 | 50.00 |" in text  # not the mean with fold 1
    assert "ours differs: U-Net > ResSE-LKA-UNet." in text
    assert "| ours | large | AA | 60.0 | 0.600" in text and "BB" not in text  # a case of fold 1, which U-Net has not seen
    assert "| 1 | 82.10 | 74.20 | 79.40 | 2.40 | 5.10 | 4.20 | without | 90.00 | 90.00 | 90.00 |" in text


def test_figures_are_drawn_from_results_and_runs(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / variant, "paper-a", variant, 1, score_a(0.8)) for variant in ("none", "ag")]
    for run in runs:
        add_run(run, tmp_path / "results")
    (tmp_path / "out").mkdir()
    paths = all_figures(runs, tmp_path / "out", tmp_path / "results")
    assert [path.name for path in paths] == ["paper-a-curves.png", "paper-a-fold1-cases.png"]
    for path in paths:
        assert min(Image.open(path).size) > 400
    with np.load(runs[1] / "shown.npz") as stored:
        np.savez(runs[1] / "shown.npz", **{**stored, "case": np.array(["a", "other"])})
    with pytest.raises(SystemExit, match="shows other slices than the first run; give runs of one fold and one set"):
        all_figures(runs, tmp_path / "out", tmp_path / "results")
