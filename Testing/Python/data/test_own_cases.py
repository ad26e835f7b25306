"""Cases of one's own: a folder or a table, checked by name before anything is trained."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.data.own_case_list import is_own, list_own_cases
from BrainTumorSegLib.data.own_cases import read_own_cases
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.preprocess.views import View
from Testing.Python.examples import phantom, write_case

GRAY = View("gray", 32)
FOUR = ("flair", "t1", "t1ce", "t2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Cases a, b and c with a T1ce."""
    for name in "abc":
        image, mask = phantom()
        write_case(tmp_path / name, {"t1ce": image}, mask)
    return tmp_path


def table(folder: Path, text: str) -> Path:
    (folder / "cases.csv").write_text(text)
    return folder


def read(data: Path, inputs: tuple[str, ...] = ("t1ce",), scheme: str = "tumor", view: View = GRAY, required: tuple[str, ...] | None = None):
    return read_own_cases(data, inputs, required or inputs, scheme, view, lambda fraction, message: None)


def test_a_folder_of_cases_needs_no_table(folder: Path) -> None:
    (folder / "notes").mkdir()  # not a case
    cases = list_own_cases(folder, ["t1ce"])
    assert [(case.case, case.patient, case.fold, case.kind) for case in cases] == [("a", "a", 1, "tumor"), ("b", "b", 2, "tumor"), ("c", "c", 3, "tumor")]
    assert cases[0].images == {"t1ce": folder / "a" / "t1ce.nii.gz"}
    assert cases[0].mask == folder / "a" / "seg.nii.gz"


def test_folds_are_given_out_by_patient_whatever_the_order(folder: Path) -> None:
    forward = list_own_cases(table(folder, "case,patient\na,P\nb,Q\nc,P\n"), ["t1ce"])
    backward = list_own_cases(table(folder, "case,patient\nb,Q\nc,P\na,P\n"), ["t1ce"])
    folds = {case.case: case.fold for case in forward}
    assert folds == {case.case: case.fold for case in backward}
    assert folds["a"] == folds["c"] != folds["b"]


def test_a_table_says_fold_kind_and_paths(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "a" / "t1ce.nii.gz").rename(folder / "elsewhere" / "x.nii.gz")
    (folder / "list.csv").write_text("case;fold;kind;t1ce;reference\na;7;glioma;elsewhere/x.nii.gz;b/seg.nii.gz\nb;2;;;\n", encoding="utf-8-sig")
    first, second = list_own_cases(folder / "list.csv", ["t1ce"])
    assert (first.fold, first.kind, second.fold, second.kind) == (7, "glioma", 2, "tumor")
    assert first.images["t1ce"] == folder / "elsewhere" / "x.nii.gz"
    assert first.mask == folder / "b" / "seg.nii.gz"
    assert second.mask == folder / "b" / "seg.nii.gz"


def test_of_a_case_queue_only_reviewed_cases_are_taken(folder: Path) -> None:
    queue = table(folder, "case,patient,fold,state,seconds\na,a,1,reviewed,10\nb,b,2,doubtful,5\nc,c,,AI done,0\n")
    assert [case.case for case in list_own_cases(queue, ["t1ce"])] == ["a"]
    with pytest.raises(InputError, match="has no case whose state is reviewed, and a mask that nobody approved teaches its own mistakes"):
        list_own_cases(table(folder, "case,state\na,to do\n"), ["t1ce"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\na\n", "has no column case, but every row names its case there"),
        ("case\na\na\n", "lists the case a twice, but each has one row"),
        ("case,fold\na,0\n", "gives a the fold '0', but a fold is a whole number from 1 on, or empty"),
        ("case,patient,fold\na,P,1\nb,P,2\n", "has the patient P in the folds 1 and 2, but scores of patients that were trained on are worth nothing"),
        ("case,t1ce\na,no.nii.gz\n", "no.nii.gz as its t1ce, but there is no such file; correct the table"),
        ("case,fold\n,1\n", "has a row without a case"),
        ("case\nd\n", "the case d has no image t1ce, which this recipe reads; add t1ce.nii.gz to"),
        ("case\n", "holds no case to train on; give a folder with a subfolder for each case"),
    ],
)
def test_a_table_that_cannot_be_is_refused_by_name(folder: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        list_own_cases(table(folder, text), ["t1ce"])


def test_a_missing_mask_is_refused_by_name_before_any_case_is_read(folder: Path) -> None:
    (folder / "c" / "seg.nii.gz").unlink()
    (folder / "a" / "t1ce.nii.gz").write_bytes(b"no image")  # would be refused if it were read
    with pytest.raises(InputError, match="the case c has no mask, but training needs one; add seg.nii.gz to"):
        read(folder)


def test_what_is_ones_own_and_what_are_public_sets(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    public = tmp_path_factory.mktemp("public")
    (public / "cheng").mkdir()
    assert is_own(folder, ["cheng"])
    assert not is_own(public, ["cheng"])
    assert not is_own(tmp_path_factory.mktemp("empty"), ["cheng"])
    assert is_own(table(public, "case\n"), ["cheng"])  # a table decides
    assert is_own(public / "cases.csv", ["cheng"])


def test_a_volume_becomes_its_slices_with_their_labels(folder: Path) -> None:
    examples = read(folder)
    assert examples.images.shape == (3 * 6, 1, 32, 32)
    assert (set(examples.source), examples.case.tolist()[::6]) == ({"own"}, ["a", "b", "c"])
    assert examples.kind.tolist()[:6] == ["none", "none", "tumor", "tumor", "none", "none"]
    # 20 x 24 mm on 32 x 32 pixels of 24 / 32 mm; the box of 4 x 8 mm is 5.3 x 10.7 pixels
    assert examples.labels[2].sum() == pytest.approx(4 * 8 * (32 / 24) ** 2, rel=0.15)
    bright = 300 / (209440 / 1920) * 74 / 255  # the mean of the phantom's tissue, box included, has the gray value 74
    assert 0.9 * bright < examples.intensities(np.array([2]))[0, 0][examples.labels[2] > 0].mean() < bright
    assert examples.spacing_mm[0].tolist() == pytest.approx([1, 0.75, 0.75])


def test_gray_slices_are_of_the_plane_they_were_taken_in(tmp_path: Path) -> None:
    image, mask = phantom((20, 6, 24))
    write_case(tmp_path / "coronal", {"t1ce": image}, mask, spacing_xyz=(1, 5, 1))
    assert len(read(tmp_path)) == 6
    assert read(tmp_path).spacing_mm[0, 0] == 5
    assert len(read(tmp_path, view=View("slice-zscore", 32))) == 20


def test_turned_files_give_the_same_slices(tmp_path: Path) -> None:
    import SimpleITK as sitk

    image, mask = phantom()
    write_case(tmp_path / "one" / "a", {"t1ce": image}, mask)
    write_case(tmp_path / "two" / "a", {}, None)
    for name in ("t1ce", "seg"):
        turned = sitk.Flip(sitk.ReadImage(str(tmp_path / "one" / "a" / f"{name}.nii.gz")), (True, False, True))
        sitk.WriteImage(turned, str(tmp_path / "two" / "a" / f"{name}.nii.gz"))
    first, second = read(tmp_path / "one"), read(tmp_path / "two")
    assert np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.images, second.images)


def test_four_sequences_stand_in_the_recipes_order_and_4_is_read_as_et(tmp_path: Path) -> None:
    image, mask = phantom(tumor=4)
    write_case(tmp_path / "a", {role: image + i * (image == 300) for i, role in enumerate(FOUR)}, mask)
    view = View("crop-zscore", 32)
    examples = read(tmp_path, FOUR, "glioma", view)
    assert examples.images.shape == (6, 4, 32, 32)
    assert set(np.unique(examples.labels)) == {0, 3}
    reverse = read(tmp_path, FOUR[::-1], "glioma", view)
    assert np.array_equal(reverse.images, examples.images[:, ::-1])


def test_a_sequence_that_may_be_missing_is_zero(tmp_path: Path) -> None:
    image, mask = phantom()
    write_case(tmp_path / "a", {"flair": image}, mask)
    examples = read(tmp_path, ("t1", "flair", "t1ce"), view=View("slice-zscore", 32), required=("flair",))
    assert not examples.images[:, [0, 2]].any()
    assert examples.images[:, 1].any()


def test_other_grids_strange_labels_and_unusable_images_are_refused_by_case(tmp_path: Path) -> None:
    image, mask = phantom()
    write_case(tmp_path / "small" / "a", {"t1ce": image}, mask[:, :-1])
    with pytest.raises(InputError, match=r"in the case a, seg.nii.gz and t1ce.nii.gz lie on different grids \(24 x 19 x 6 and 24 x 20 x 6 voxels\)"):
        read(tmp_path / "small")
    write_case(tmp_path / "label" / "b", {"t1ce": image}, mask * 2)
    with pytest.raises(InputError, match="the mask of the case b has the label 2, but the scheme tumor has 0, 1 only"):
        read(tmp_path / "label")
    write_case(tmp_path / "flat" / "c", {"t1ce": image * 0}, mask)
    with pytest.raises(InputError, match="t1ce.nii.gz is constant"):
        read(tmp_path / "flat")


def test_pictures_may_be_cases_too(tmp_path: Path) -> None:
    from PIL import Image

    (tmp_path / "a").mkdir()
    picture = np.zeros((40, 40), np.uint8)
    picture[10:20, 10:20] = 204
    Image.fromarray(picture).save(tmp_path / "a" / "t1ce.png")
    Image.fromarray(np.where(picture, 255, 0).astype(np.uint8)).save(tmp_path / "a" / "seg.png")
    examples = read(tmp_path, view=View("gray", 40))
    assert examples.intensities(np.array([0]))[0, 0, 15, 15] == pytest.approx(0.8)
    assert np.array_equal(examples.labels[0], picture > 0)
