"""Each public set through its view, from made-up copies of its folder, and from the real one where it is there."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from BrainTumorSegLib.data import paper_sets
from BrainTumorSegLib.data.paper_sets import read_brats, read_cheng, read_lgg, read_no_tumor
from BrainTumorSegLib.data.public_sets import read_gray
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.preprocess.views import View
from Testing.Python.data.test_public_sets import glioma, mosaic, picture, save_mask, write_packed, write_table

REAL = Path(__file__).resolve().parents[4] / "shared" / "data"


def silent(fraction: float, message: str) -> None:
    pass


def write_cheng(folder: Path) -> None:
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    Image.fromarray(picture(64, 64)).save(folder / "images" / "7.jpg", quality=95)
    save_mask(picture(64, 64) == 220, folder / "masks" / "7.png")
    write_table(folder / "slices.csv", {"id": "7", "tumor": "glioma_tumor", "fold": 3})


def test_cheng_is_gray_of_0_to_255_with_its_mask(tmp_path: Path) -> None:
    write_cheng(tmp_path)
    examples = read_cheng(tmp_path, View("gray", 64), silent)
    assert np.array_equal(examples.images[0, 0], read_gray(tmp_path / "images" / "7.jpg"))
    assert np.array_equal(examples.labels[0], picture(64, 64) == 220)
    assert (examples.case[0], examples.patient[0], examples.fold[0], examples.kind[0], examples.source[0]) == ("7", "", 3, "glioma", "cheng")


def test_a_missing_file_and_another_size_are_named(tmp_path: Path) -> None:
    write_cheng(tmp_path)
    save_mask(picture(32, 64) == 220, tmp_path / "masks" / "7.png")
    with pytest.raises(InputError, match=r"the mask of cheng's 7 has \(32, 64\) pixels and its image \(64, 64\), but both lie on one grid"):
        read_cheng(tmp_path, View("gray", 64), silent)
    (tmp_path / "masks" / "7.png").unlink()
    with pytest.raises(InputError, match="7.png is missing, but the table of its set lists it; download the set again"):
        read_cheng(tmp_path, View("gray", 64), silent)
    with pytest.raises(InputError, match="splits.csv is missing, but this recipe trains on it; give the folder that holds it with --data"):
        read_no_tumor(tmp_path, View("gray", 64), silent)


def test_tumor_free_slices_have_empty_masks_and_groups_for_patients(tmp_path: Path) -> None:
    Image.fromarray(picture(100, 80)).save(tmp_path / "a.jpg")
    rows = [{"file": "a.jpg", "group": 12, "fold": 1, "excluded": ""}, {"file": "b.jpg", "group": 3, "fold": 2, "excluded": "ct"}]
    write_table(tmp_path / "splits.csv", *rows)
    examples = read_no_tumor(tmp_path, View("gray", 64), silent)
    assert (examples.case.tolist(), examples.patient.tolist(), examples.kind.tolist()) == (["a.jpg"], ["group 12"], ["none"])
    assert not examples.labels.any()


def test_brats_stacks_flair_t1_t1ce_t2_in_the_box_of_the_brain(tmp_path: Path) -> None:
    image, labels = glioma()
    write_packed(tmp_path / "packed" / "A", image, labels)
    case = tmp_path / "packed" / "A"
    for role in ("flair", "t1", "t2"):
        (case / f"{role}.webp").write_bytes((case / "t1ce.webp").read_bytes())
    low, high = [1, 3, 5], [43, 61, 55]
    flair = np.where(labels == 2, 240, image)[tuple(slice(a, b) for a, b in zip(low, high))]
    Image.fromarray(mosaic(flair.astype(np.uint8), 7)).convert("RGB").save(case / "flair.webp", lossless=True)
    write_table(tmp_path / "folds.csv", {"case": "A", "folder": "packed", "fold": 5})
    examples = read_brats(tmp_path, View("crop-zscore", 32), silent)
    assert examples.images.shape == (41, 4, 32, 32)  # brain in slices 2 to 42
    assert np.array_equal(examples.images[:, 1], examples.images[:, 2])
    edema, rest = examples.labels[16] == 2, examples.labels[16] == 0
    seen = examples.intensities(np.array([16]))[0]
    assert seen[0][edema].mean() > seen[0][rest].mean() + 1  # bright on FLAIR only
    assert seen[1][edema].mean() < seen[0][edema].mean() - 1
    # the brain is 56 x 48 mm; the edema of slice 18 is 30 x 24 mm with a core of 18 x 16
    assert edema.sum() == pytest.approx((30 * 24 - 18 * 16) * 32 * 32 / (56 * 48), rel=0.1)
    assert set(np.unique(examples.labels)) == {0, 1, 2, 3}
    assert examples.spacing_mm[0].tolist() == pytest.approx([1, 56 / 32, 48 / 32])
    assert (set(examples.patient), set(examples.fold)) == ({"A"}, {5})


def test_lgg_channels_that_repeat_flair_are_missing(tmp_path: Path) -> None:
    image, labels = glioma()
    for name in ("A", "B"):
        write_packed(tmp_path / name, image, labels)
        for role in ("flair", "t1"):
            (tmp_path / name / f"{role}.webp").write_bytes((tmp_path / name / "t1ce.webp").read_bytes())
    rows = [{"case": "A", "repeats_flair": "", "fold": 1}, {"case": "B", "repeats_flair": "t1 t1ce", "fold": 2}]
    write_table(tmp_path / "folds.csv", *rows)
    examples = read_lgg(tmp_path, View("slice-zscore", 64), silent)
    assert examples.images.shape == (88, 3, 64, 64)
    assert [bool(channel.any()) for channel in examples.images[:44].transpose(1, 0, 2, 3)] == [True, True, True]
    assert [bool(channel.any()) for channel in examples.images[44:].transpose(1, 0, 2, 3)] == [False, True, False]
    assert set(np.unique(examples.labels)) == {0, 1}
    assert examples.labels[:44].sum() == (labels > 0).sum()  # the whole tumor
    assert np.isnan(examples.spacing_mm).all()


@pytest.mark.skipif(not REAL.is_dir(), reason="the public sets are not on this machine (../shared/data)")
@pytest.mark.parametrize(("name", "view"), [("cheng", View("gray", 224)), ("no_tumor", View("gray", 224)), ("lgg", View("slice-zscore", 256))])
def test_a_real_case_of_each_set_is_read(name: str, view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = paper_sets.read_table(REAL / name / ("folds.csv" if name == "lgg" else "slices.csv" if name == "cheng" else "splits.csv"))
    row = next(row for row in rows if not row.get("excluded"))
    monkeypatch.setattr(paper_sets, "read_table", lambda path: [row])
    examples = paper_sets.READERS[name](REAL / name, view, silent)
    assert examples.images.shape[2:] == (view.size, view.size)
    assert examples.fold[0] == int(row["fold"])
    if name == "lgg":
        assert examples.labels.sum() == int(row["tumor_voxels"])
        assert len(examples) == int(row["slices"])
    else:
        assert examples.labels.any() == (name == "cheng")


@pytest.mark.skipif(not REAL.is_dir(), reason="the public sets are not on this machine (../shared/data)")
def test_no_patient_of_the_real_sets_is_in_two_folds() -> None:
    for path, patient in ((REAL / "no_tumor" / "splits.csv", "group"), (REAL / "brats" / "folds.csv", "case"), (REAL / "lgg" / "folds.csv", "case")):
        with path.open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if not row.get("excluded")]
        folds = {(row[patient], row["fold"]) for row in rows}
        assert len(folds) == len({name for name, _ in folds}), path
