"""Masks of brains are made where they are missing, and what is measured on them is counted right."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.data.brain_heads import MASKS
from BrainTumorSegLib.io.images import write_volume
from BrainTumorSegLib.volume import Volume
from Testing.Benchmarks import measure_brain
from Testing.Benchmarks.make_brain_masks import make, spacing_of
from Testing.Python.data.test_brain_heads import write_case
from Testing.Python.data.test_public_sets import save_mask, write_table

SESSION = None
"""The brain is found by a function here, which needs no network."""


def test_what_is_missing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for case in ("a", "b"):
        write_case(tmp_path, case, 5, ("flair",))
    write_table(tmp_path / "lgg" / "folds.csv", {"case": "a", "fold": 1}, {"case": "b", "fold": 2})
    seen: list[tuple[tuple[int, ...], tuple[float, float, float]]] = []

    def find(image: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
        seen.append((image.shape, spacing_mm))
        return image > 150

    make(tmp_path, find)
    assert seen == [((5, 56, 56), (7.5, 240 / 56, 240 / 56))] * 2
    with np.load(tmp_path / MASKS / "b.npz") as arrays:
        mask = arrays["mask"]
    assert mask.dtype == bool and np.count_nonzero(mask) == 4 * (44 * 44 - 36 * 36)  # the scalp of four slices
    assert sorted(path.name for path in (tmp_path / MASKS).iterdir()) == ["a.npz", "b.npz"]
    (tmp_path / MASKS / "a.npz").unlink()
    make(tmp_path, find)
    assert len(seen) == 3
    assert "b: 16% of (5, 56, 56) is brain" in capsys.readouterr().out


def test_a_stack_covers_a_head_and_slices_are_no_thicker_than_usual() -> None:
    assert spacing_of((40, 256, 256)) == (4.0, 0.9375, 0.9375)
    assert spacing_of((20, 256, 512))[0] == 7.5
    assert spacing_of((20, 256, 512))[2] == 0.46875


def test_agreement_and_what_is_kept_of_tumors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HD-BET's brain has 28 x 28 pixels in 3 slices, ours the upper half of them; of a tumor of 4 rows in the middle 2 are kept."""
    monkeypatch.setattr(measure_brain, "find_brain", lambda head, *_: half(head.shape))
    write_case(tmp_path, "a", 5, ("t1", "flair"))
    write_case(tmp_path, "b", 5, ("flair",))
    write_table(tmp_path / "lgg" / "folds.csv", *({"case": case, "repeats_flair": "t1ce", "fold": fold} for case, fold in (("a", 5), ("b", 1))))
    tumor = np.zeros((112, 168), bool)  # a mosaic of 56 x 56 pixels, three in a row
    tumor[26:30, 56 + 20 : 56 + 30] = True  # slice 1
    for case in ("a", "b"):
        save_mask(tumor, tmp_path / "lgg" / case / "seg.png")
    (tmp_path / MASKS).mkdir()
    reference = np.zeros((5, 56, 56), bool)
    reference[1:4, 14:42, 14:42] = True
    np.savez_compressed(tmp_path / MASKS / "a.npz", mask=reference)
    rows = list(measure_brain.lgg(tmp_path, 5, SESSION))  # type: ignore[arg-type]
    assert [(row["case"], row["role"]) for row in rows] == [("a", "t1"), ("a", "flair")]
    assert rows[0]["dice"] == pytest.approx(2 / 3)  # 2 x 1/2 / (1 + 1/2)
    assert (rows[0]["tumor_kept"], rows[0]["tumor_kept_by_hd_bet"]) == (0.5, 1.0)


def half(shape: tuple[int, ...]) -> np.ndarray:
    found = np.zeros(shape, bool)
    found[1:4, 14:28, 14:42] = True
    return found


def test_heads_with_masks_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure_brain, "find_brain", lambda head, *_: None)
    (tmp_path / "ms_heads" / "patient01").mkdir(parents=True)
    volume = Volume(np.arange(60, dtype=np.uint8).reshape(3, 4, 5))
    write_volume(volume, tmp_path / "ms_heads" / "patient01" / "t2.nii.gz")
    write_volume(volume.like((volume.array > 30).astype(np.uint8)), tmp_path / "ms_heads" / "patient01" / "t2_brainmask.nii.gz")
    assert list(measure_brain.ms_heads(tmp_path, SESSION)) == [{"case": "patient01", "role": "t2", "dice": 0.0, "kept": 0.0}]  # type: ignore[arg-type]
