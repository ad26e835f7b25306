"""Heads with the masks that HD-BET made of their brains, from a made-up copy of the set's folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from BrainTumorSegLib.data.brain_heads import MASKS, like_t2, read_lgg_brain
from BrainTumorSegLib.data.slice_set import TUMOR_BIT
from BrainTumorSegLib.data.sources import load_slices, split
from BrainTumorSegLib.errors import InputError
from Testing.Python.data.test_public_sets import mosaic, write_table


def head(slices: int) -> np.ndarray:
    """Heads of gray 100 with a bright scalp of 200 in pictures of 56 x 56; the last slice shows air alone."""
    stack = np.zeros((slices, 56, 56), np.uint8)
    stack[:-1, 6:50, 6:50] = 200
    stack[:-1, 10:46, 10:46] = 100
    return stack


def brain(slices: int) -> np.ndarray:
    """From the second slice on."""
    mask = np.zeros((slices, 56, 56), bool)
    mask[1:-1, 14:42, 14:42] = True
    return mask


def write_case(folder: Path, case: str, slices: int, roles: tuple[str, ...]) -> None:
    (folder / "lgg" / case).mkdir(parents=True)
    meta = {"shape_zyx": (slices, 56, 56), "box_lo_zyx": [0, 0, 0], "box_hi_zyx": [slices, 56, 56], "columns": 3}
    (folder / "lgg" / case / "meta.json").write_text(json.dumps(meta))
    for role in roles:
        Image.fromarray(mosaic(head(slices), 3)).convert("RGB").save(folder / "lgg" / case / f"{role}.webp", lossless=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Case "a" has all sequences and 5 slices, "b" FLAIR alone and 60, "c" no mask."""
    write_case(tmp_path, "a", 5, ("t1", "t1ce", "flair"))
    write_case(tmp_path, "b", 60, ("flair",))
    rows = [{"case": name, "repeats_flair": repeats, "fold": fold} for name, repeats, fold in (("a", "", 1), ("b", "t1 t1ce", 2), ("c", "", 3))]
    write_table(tmp_path / "lgg" / "folds.csv", *rows)
    (tmp_path / MASKS).mkdir()
    for name, slices in (("a", 5), ("b", 60)):
        np.savez_compressed(tmp_path / MASKS / f"{name}.npz", mask=brain(slices))
    return tmp_path


def test_every_sequence_of_who_has_a_mask_is_read(folder: Path) -> None:
    slices = read_lgg_brain(folder / "lgg")
    own = slices.case == "a"
    brain, inverted, black, faint = ["none"] + ["brain"] * 3, ["none"] + ["inverted"] * 3, ["faint"] * 3, ["none"] + ["faint"] * 3
    # T1, which is turned into T2, T1ce and FLAIR; air alone is left out, also where all but the brain is black
    assert slices.kind[own].tolist() == [*brain, *inverted, *black, *brain, *faint, *brain, *black]
    assert slices.kind[~own].tolist() == [*(["none"] + ["brain"] * 29), *(["none"] + ["faint"] * 29)]  # every second of 60
    scalp, inside = (slice(None), 30, 112), (slice(None), 112, 112)
    black, faint = slices.images[np.flatnonzero(own & (slices.kind == "faint"))][6:9], slices.images[slices.case == "b"][31:]
    assert not black[scalp].any() and set(faint[scalp].tolist()) == {60}  # of 200
    assert set(black[inside].tolist()) == set(faint[inside].tolist()) == {100}
    assert (set(slices.source), set(slices.case), set(slices.fold[own])) == ({"lgg_brain"}, {"a", "b"}, {1})
    rows = np.flatnonzero((slices.targets[1] & TUMOR_BIT).any(axis=1))
    assert (rows[0], rows[-1], len(rows)) == (56, 167, 112)  # 28 of 56 pixels
    assert not slices.targets[0].any()


def test_patients_of_a_fold_are_kept_out(folder: Path) -> None:
    slices = load_slices(("lgg_brain",), folder, folder / "cache.npz", lambda fraction, message: None)
    training, validation = split(slices, 1)
    assert (set(training.case), set(validation.case)) == ({"b"}, {"a"})


def test_t1_is_turned_into_something_like_t2() -> None:
    """Mean tissue of 100: fluid of 40 becomes 2.2 - 0.4 = 1.8, white matter of 120 becomes 1.0, fat of 250 dark; air stays."""
    t1 = np.full((4, 50, 50), 100, np.float32)
    t1[:, :20], t1[:, 20:22], t1[:, 22:24], t1[:, 24:26] = 0, 40, 120, 140
    t1[0, 40:] = 250
    found = like_t2(t1)
    tissue = t1[t1 > 25].mean()  # a tenth of the range and more
    np.testing.assert_allclose(found[1, 20, 0], 220 - 40 * 100 / tissue, rtol=0.01)
    np.testing.assert_allclose(found[1, 22, 0], 220 - 120 * 100 / tissue, rtol=0.01)
    assert found[1, 20, 0] > found[1, 40, 0] > found[1, 22, 0]
    assert found[0, 45, 0] == pytest.approx(15) and not found[:, :20].any()


def test_without_masks_it_says_how_they_are_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no CASE\.npz, but this recipe trains on it; run python -m Testing\.Benchmarks\.make_brain_masks"):
        read_lgg_brain(tmp_path / "lgg")
