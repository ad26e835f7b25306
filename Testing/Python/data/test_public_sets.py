"""Each public set is read from made-up copies of its folder, and from the real one where it is there."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from BrainTumorSegLib.data.public_sets import (
    _read_full,
    read_brats,
    read_cheng,
    read_gray,
    read_lgg_flair,
    read_lgg_tumor_free,
    read_ms_heads,
    read_no_tumor,
    read_packed,
    read_t1ce_slices,
)
from BrainTumorSegLib.data.slice_set import TUMOR_BIT, WHOLE_BIT, SliceSet
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.images import write_volume
from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from BrainTumorSegLib.volume import Volume

REAL = Path(__file__).resolve().parents[4] / "shared" / "data" / "brats"
BOTH = TUMOR_BIT | WHOLE_BIT
PIXELS_PER_MM2 = (224 / 240) ** 2


def write_table(path: Path, *rows: dict[str, object]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def picture(height: int, width: int) -> np.ndarray:
    """A head of gray 120 on black with a bright box in its upper left quarter."""
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    gray = np.where(y**2 + x**2 < 0.8, 120, 0).astype(np.uint8)
    gray[height // 4 : height // 2, width // 4 : width // 2] = 220
    return gray


def save_mask(mask: np.ndarray, path: Path) -> None:
    Image.fromarray(np.where(mask, 255, 0).astype(np.uint8)).convert("1").save(path)


def test_cheng_gives_both_bits_the_kind_and_the_fold(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for case, shape in (("1", (256, 256)), ("20", (320, 512))):
        Image.fromarray(picture(*shape)).save(tmp_path / "images" / f"{case}.jpg", quality=95)
        save_mask(picture(*shape) == 220, tmp_path / "masks" / f"{case}.png")
    write_table(tmp_path / "slices.csv", {"id": "1", "tumor": "glioma_tumor", "fold": 3}, {"id": "20", "tumor": "pituitary", "fold": 1})
    slices = read_cheng(tmp_path)
    assert slices.images.shape == slices.targets.shape == (2, 224, 224)
    assert slices.images.dtype == np.uint8
    assert (slices.source.tolist(), slices.kind.tolist(), slices.fold.tolist(), slices.case.tolist()) == (
        ["cheng", "cheng"],
        ["glioma", "pituitary"],
        [3, 1],
        ["1", "20"],
    )
    assert set(np.unique(slices.targets)) == {0, BOTH}
    # 64 x 64 of 256 become 56 x 56 from row and column 56 on; 80 x 128 of 512 become 35 x 56 from row 42 + 35 on
    assert np.array_equal(np.argwhere(slices.targets[0])[[0, -1]], [[56, 56], [111, 111]])
    assert np.array_equal(np.argwhere(slices.targets[1])[[0, -1]], [[77, 56], [111, 111]])
    assert slices.images[0][60:108, 60:108].mean() == pytest.approx(220, abs=2)
    scale = fit_tissue_scale(read_gray(tmp_path / "images" / "1.jpg"))  # of the picture, before it is resampled
    assert (slices.low[0], slices.high[0], slices.mean[0]) == pytest.approx((scale.low, scale.high, scale.mean))


def test_no_tumor_leaves_out_what_is_excluded(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        Image.fromarray(picture(100, 80)).convert("RGB").save(tmp_path / name)
    rows = [{"file": name, "fold": fold, "excluded": why} for name, fold, why in (("a.jpg", 1, ""), ("b.jpg", 2, "lesion"), ("c.jpg", 5, ""))]
    write_table(tmp_path / "splits.csv", *rows)
    slices = read_no_tumor(tmp_path)
    assert (slices.case.tolist(), slices.fold.tolist(), slices.kind.tolist()) == (["a.jpg", "c.jpg"], [1, 5], ["none", "none"])
    assert not slices.targets.any()
    assert slices.images[0].max() > 200


def test_t1ce_slices_know_the_whole_tumor_only(tmp_path: Path) -> None:
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    for case, suffix in (("BraTS20_Training_001", "_z73"), ("BraTS20_Training_002", "")):
        Image.fromarray(picture(224, 224)).save(tmp_path / "images" / f"{case}{suffix}.webp", lossless=True)
        save_mask(picture(224, 224) == 220, tmp_path / "masks" / f"{case}{suffix}.png")
    write_table(tmp_path / "slices.csv", {"brats20_case": "BraTS20_Training_002", "fold": 5}, {"brats20_case": "BraTS20_Training_001", "fold": 2})
    slices = read_t1ce_slices(tmp_path)
    assert (slices.case.tolist(), slices.fold.tolist()) == (["BraTS20_Training_002", "BraTS20_Training_001"], [5, 2])
    assert (set(slices.source), set(slices.kind)) == ({"t1ce_slices"}, {"glioma"})
    assert np.array_equal(slices.images[0], picture(224, 224))
    assert np.array_equal(slices.targets[0], np.where(picture(224, 224) == 220, WHOLE_BIT, 0))


# --- BraTS volumes


def glioma() -> tuple[np.ndarray, np.ndarray]:
    """Image and labels [z, y, x] of 44 x 64 x 60 mm: brain of 100 in air, edema 2 around a core of 1 and 3."""
    image, labels = np.zeros((44, 64, 60), np.uint8), np.zeros((44, 64, 60), np.uint8)
    image[2:42, 4:60, 6:54] = 100
    image[42, 20:50, 20:50] = 100  # the vertex
    labels[10:30, 20:50, 20:44], image[10:30, 20:50, 20:44] = 2, 80
    labels[14:26, 26:44, 24:40], image[14:26, 26:44, 24:40] = 3, 250
    labels[18:22, 32:38, 28:36], image[18:22, 32:38, 28:36] = 1, 60
    return image, labels


def mosaic(volume: np.ndarray, columns: int) -> np.ndarray:
    """Slice k at row k // columns, column k % columns."""
    depth, height, width = volume.shape
    page = np.zeros((-(-depth // columns) * height, columns * width), volume.dtype)
    for k, tile in enumerate(volume):
        top, left = k // columns * height, k % columns * width
        page[top : top + height, left : left + width] = tile
    return page


def write_packed(case: Path, image: np.ndarray, labels: np.ndarray, columns: int = 7) -> None:
    case.mkdir(parents=True)
    low, high = [1, 3, 5], [43, 61, 55]
    box = tuple(slice(a, b) for a, b in zip(low, high))
    (case / "meta.json").write_text(json.dumps({"shape_zyx": image.shape, "box_lo_zyx": low, "box_hi_zyx": high, "columns": columns}))
    Image.fromarray(mosaic(image[box], columns)).convert("RGB").save(case / "t1ce.webp", lossless=True)
    Image.fromarray(mosaic(labels[box], columns)).save(case / "seg.png")


def test_a_packed_case_unpacks_to_its_full_grid(tmp_path: Path) -> None:
    image, labels = glioma()
    image[5, 30, 30], image[5, 30, 31] = 3, 4  # up to 3 is the halo of lossy coding
    write_packed(tmp_path / "case", image, labels)
    image[5, 30, 30] = 0
    assert np.array_equal(read_packed(tmp_path / "case", "t1ce"), image)
    assert np.array_equal(read_packed(tmp_path / "case", "seg"), labels)


def test_a_full_case_takes_label_4_as_3_and_scales_to_8_bits(tmp_path: Path) -> None:
    import SimpleITK as sitk

    image, labels = glioma()
    case = tmp_path / "case"
    case.mkdir()
    sitk.WriteImage(sitk.GetImageFromArray(image.astype(np.int16) * 7), str(case / "t1ce.nii.gz"))
    sitk.WriteImage(sitk.GetImageFromArray(np.where(labels == 3, 4, labels).astype(np.uint8)), str(case / "seg.nii.gz"))
    read, read_labels = _read_full(case)
    assert np.array_equal(read_labels, labels)
    assert read[image == 250] == pytest.approx(255)  # the 99.9 percentile of the brain is 7 * 250
    assert read[image == 100] == pytest.approx(102)


def test_brats_volumes_become_every_fourth_slice_of_three_planes(tmp_path: Path) -> None:
    image, labels = glioma()
    write_packed(tmp_path / "packed" / "A", image, labels)
    write_table(tmp_path / "folds.csv", {"case": "A", "folder": "packed", "fold": 5})
    slices = read_brats(tmp_path)
    # a slice needs 0.03 * 224^2 = 1505.3 mm2 of brain. Axial: 56 x 48 in slices 2 to 41, of which 2, 6, ... 38 are seen: 10; of slice 42, 900
    # Coronal: 40 x 48 = 1920 in rows 4 to 59, seen 6, 10, ... 58: 14. Sagittal: 40 x 56 in columns 6 to 53, seen 6, ... 50: 12
    assert len(slices) == 10 + 14 + 12
    assert (set(slices.source), set(slices.fold), set(slices.case)) == ({"brats"}, {5}, {"A"})
    scale = fit_tissue_scale(image)
    assert set(slices.mean) == {np.float32(scale.mean)}  # of the volume, not of the slice
    # tumor in axial slices 10, 14, 18, 22, 26; coronal 22, ... 46; sagittal 22, ... 42
    assert (slices.kind == "glioma").tolist() == [False] * 2 + [True] * 5 + [False] * 3 + [False] * 4 + [True] * 7 + [False] * 3 + [False] * 4 + [True] * 6 + [
        False
    ] * 2
    assert np.array_equal(slices.targets.any((1, 2)), slices.kind == "glioma")
    axial = slices.targets[4]  # slice 18: edema 30 x 24, core 18 x 16 of labels 1 and 3
    assert (axial == BOTH).sum() == pytest.approx(18 * 16 * PIXELS_PER_MM2, rel=0.06)
    assert (axial > 0).sum() == pytest.approx(30 * 24 * PIXELS_PER_MM2, rel=0.06)
    assert not (axial == TUMOR_BIT).any()
    coronal = slices.targets[10 + 8]  # row 38: edema 20 x 24 and core 12 x 16 mm, high by wide
    high, wide = (np.ptp(np.nonzero(coronal == BOTH)[axis]) + 1 for axis in (0, 1))
    assert (high, wide) == (pytest.approx(12 * 224 / 240, abs=1), pytest.approx(16 * 224 / 240, abs=1))
    # the tumor's middle is 1.5 mm below the middle of the volume: head up, so further down the picture
    assert np.nonzero(coronal == BOTH)[0].mean() == pytest.approx(111.5 + 2 * 224 / 240, abs=0.6)


def test_flair_stacks_keep_every_slice_in_order_with_the_scale_of_the_stack(tmp_path: Path) -> None:
    case = tmp_path / "TCGA_A"
    case.mkdir()
    stack, mask = np.zeros((3, 256, 256), np.uint8), np.zeros((3, 256, 256), np.uint8)
    stack[:, 16:240, 16:240] = 100
    stack[2] //= 2
    mask[1, 64:128, 64:128], stack[1, 64:128, 64:128] = 1, 220
    (case / "meta.json").write_text(json.dumps({"shape_zyx": stack.shape, "box_lo_zyx": [0, 0, 0], "box_hi_zyx": [3, 256, 256], "columns": 2}))
    Image.fromarray(mosaic(stack, 2)).convert("RGB").save(case / "flair.webp", lossless=True)
    Image.fromarray(mosaic(mask, 2)).save(case / "seg.png")
    write_table(tmp_path / "folds.csv", {"case": "TCGA_A", "fold": 5})
    slices = read_lgg_flair(tmp_path)
    assert (slices.kind.tolist(), set(slices.fold), set(slices.case), set(slices.source)) == (["none", "glioma", "none"], {5}, {"TCGA_A"}, {"lgg"})
    # 64 of 256 pixels become 56 of 224
    assert np.array_equal(np.argwhere(slices.targets[1])[[0, -1]], [[56, 56], [111, 111]])
    assert set(np.unique(slices.targets[1])) == {0, BOTH}
    assert not slices.targets[[0, 2]].any()
    assert set(slices.mean) == {np.float32(fit_tissue_scale(stack).mean)}  # of all three: a dark slice stays dark
    assert slices.tissue(np.array([2]))[0, 112, 112] == pytest.approx(slices.tissue(np.array([0]))[0, 112, 112] / 2, rel=0.03)


def test_tumor_free_heads_are_slices_without_tumor_of_the_sequences_a_patient_has(tmp_path: Path) -> None:
    box = {"shape_zyx": [4, 256, 256], "box_lo_zyx": [0, 0, 0], "box_hi_zyx": [4, 256, 256], "columns": 2}
    mask = np.zeros((4, 256, 256), np.uint8)
    mask[1, 64:70, 64:70] = 1
    for name in ("TCGA_A", "TCGA_B"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "meta.json").write_text(json.dumps(box))
        Image.fromarray(mosaic(mask, 2)).save(tmp_path / name / "seg.png")
        for gray, role in ((60, "t1"), (120, "t1ce")):
            stack = np.zeros((4, 256, 256), np.uint8)
            stack[:3, 16:240, 16:240] = np.array([gray, gray, 2 * gray])[:, None, None]
            stack[3, :20, :20] = gray  # the last tip of the head: too little to learn from
            Image.fromarray(mosaic(stack, 2)).convert("RGB").save(tmp_path / name / f"{role}.webp", lossless=True)
    write_table(tmp_path / "folds.csv", {"case": "TCGA_A", "fold": 5, "repeats_flair": ""}, {"case": "TCGA_B", "fold": 2, "repeats_flair": "t1ce"})
    slices = read_lgg_tumor_free(tmp_path)
    assert slices.case.tolist() == ["TCGA_A"] * 4 + ["TCGA_B"] * 2
    assert (slices.fold.tolist(), set(slices.kind), set(slices.source)) == ([5] * 4 + [2] * 2, {"none"}, {"lgg_tumor_free"})
    assert not slices.targets.any()
    assert slices.images[:, 112, 112].tolist() == [60, 120, 120, 240, 60, 120]  # slices 0 and 2 of T1, then of T1ce


def test_heads_with_multiple_sclerosis_are_turned_resampled_and_one_of_each_fold(tmp_path: Path) -> None:
    head = np.zeros((5, 100, 120), np.uint8)  # [z, y, x] with y to the front and x to the right, 2.4 mm apart
    head[1:, 10:90, 12:108] = 100
    head[2, 70:80, 90:100] = 250  # a lesion in front and on the right
    for i in range(6):
        (tmp_path / f"patient{i}").mkdir()
        write_volume(Volume(head, (2.4, 2.4, 3.0), direction=(-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)), tmp_path / f"patient{i}" / "flair.nii.gz")
    slices = read_ms_heads(tmp_path)
    assert slices.case.tolist() == [f"patient{i}" for i in range(6) for _ in range(4)]  # the empty slice is left out
    assert slices.fold.tolist() == [fold for fold in (1, 2, 3, 4, 5, 1) for _ in range(4)]
    assert (set(slices.source), set(slices.kind), slices.targets.any()) == ({"ms_heads"}, {"none"}, False)
    # 240 x 288 mm are 224 x 268.8 pixels of 240 / 224 mm, of which 224 x 224 are kept about the center. Turned, the lesion is in front and on the right,
    # which a picture has above and on the left: rows 20 to 29 of 100 and columns 20 to 29 of 120 are rows 44.8 to 67.2 and columns 22.4 to 44.8
    rows, columns = (np.flatnonzero((slices.images[1] > 175).any(axis)) for axis in (1, 0))
    assert (rows.tolist(), columns.tolist()) == (list(range(45, 67)), list(range(22, 45)))
    assert slices.images[1][112, 112] == 100


def test_a_folder_without_heads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ms_heads holds no CASE/flair.nii.gz, but this recipe trains on it; give the folder that holds it with --data"):
        read_ms_heads(tmp_path / "ms_heads")


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (read_cheng, "slices.csv"),
        (read_no_tumor, "splits.csv"),
        (read_brats, "folds.csv"),
        (read_t1ce_slices, "slices.csv"),
        (read_lgg_flair, "folds.csv"),
        (read_lgg_tumor_free, "folds.csv"),
    ],
)
def test_a_missing_table_is_named(tmp_path: Path, read: Callable[[Path], SliceSet], name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is missing, but this recipe trains on it; give the folder that holds it with --data"):
        read(tmp_path)


@pytest.mark.skipif(not REAL.is_dir(), reason="the public sets are not on this machine (../shared/data/brats)")
def test_the_real_cases_have_one_grid_and_the_labels_that_folds_csv_counts() -> None:
    with (REAL / "folds.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for folder, count in (("packed", 2), ("full", 2)):
        for row in [row for row in rows if row["folder"] == folder][:count]:
            case = REAL / folder / row["case"]
            image, labels = (read_packed(case, "t1ce"), read_packed(case, "seg")) if folder == "packed" else _read_full(case)
            assert image.shape == labels.shape == (155, 240, 240)
            expected = [int(row[name]) for name in ("ncr_voxels", "ed_voxels", "et_voxels")]
            assert np.bincount(labels.ravel(), minlength=4)[1:].tolist() == expected
            assert 200 < np.percentile(image[image > 0], 99.9) <= 255.1
            assert (image[labels > 0] > 0).mean() > 0.99
