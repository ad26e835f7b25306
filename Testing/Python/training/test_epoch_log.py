"""log.csv of a run by epochs, and its picture."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from BrainTumorSegLib.training.epoch_log import draw_epoch_curves, read_rows, series, write_row


def row(epoch: int, validated: bool = True) -> dict[str, object]:
    parts = {f"{part}_{key}": 0.1 * epoch for part in ("training", "validation") for key in ("loss", "dice", "iou", "mean_iou")}
    return {"epoch": epoch, **{key: value if validated or key.startswith("training") else "" for key, value in parts.items()}}


def test_rows_are_added_and_replaced(tmp_path: Path) -> None:
    for epoch in (1, 2, 3, 2):
        write_row(tmp_path / "log.csv", row(epoch))
    assert [r["epoch"] for r in read_rows(tmp_path / "log.csv")] == ["1", "2"]
    assert read_rows(tmp_path / "nothing.csv") == []


def test_epochs_without_a_look_are_left_out_of_a_series(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        write_row(tmp_path / "log.csv", row(epoch, validated=epoch != 2))
    rows = read_rows(tmp_path / "log.csv")
    assert series(rows, "validation_dice") == ([1, 3], [0.1, 0.1 * 3])
    assert series(rows, "training_dice")[0] == [1, 2, 3]


def test_curves_are_drawn(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        write_row(tmp_path / "log.csv", row(epoch))
    width, height = Image.open(draw_epoch_curves(tmp_path)).size
    assert width > 1000
    assert height > 300
