"""Readers of whole cases and cubes, on files of the same form made by hand."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.data import glioma_cases
from BrainTumorSegLib.data.case_set import CaseSet
from BrainTumorSegLib.data.glioma_cases import inside_skull, load_cases, read_brats_cases, read_cubes, read_lgg_slices, read_ms_brains, split
from BrainTumorSegLib.data.slice_set import TUMOR_BIT, WHOLE_BIT, SliceSetBuilder
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.labels import ROLES
from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from Testing.Python.gliomas import case_set, labels, tissue


def silent(fraction: float, message: str) -> None:
    pass


@pytest.fixture
def brats(tmp_path: Path) -> Path:
    """One case as NIfTI, with enhancing tumor written as 4, as the challenge does."""
    sitk = pytest.importorskip("SimpleITK")
    folder = tmp_path / "brats"
    (folder / "full" / "a").mkdir(parents=True)
    truth = labels().copy()
    truth[truth == 3] = 4
    for name, array in [("seg", truth), *zip(ROLES, tissue(labels()) * 100)]:
        sitk.WriteImage(sitk.GetImageFromArray(array.astype(np.int16)), str(folder / "full" / "a" / f"{name}.nii.gz"))
    with (folder / "folds.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["case", "folder", "fold"], ["a", "full", 3]])
    return folder


@pytest.fixture
def cubes(tmp_path: Path) -> Path:
    """One cube of 6 x 5 x 4 voxels (x, y, z), of which x 1 to 4, y 0 to 4 and z 2 to 3 are known; level 81 is z = 1."""
    image = np.full((1, 4, 6, 5, 4), 81, np.uint8)
    image[0, :, 2, 3, 2] = 0  # air
    image[0, 0, 1, 0, 2] = 1  # z = -4: below air
    seg = np.zeros((1, 6, 5, 4), np.uint8)
    seg[0, 4, 1, 3] = 3
    folder = tmp_path / "brats" / "cubes"
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"case": np.array(["p"]), "fold": np.array([2]), "valid": np.array([[1, 5, 0, 5, 2, 4]], np.uint8), "spacing": np.array([1.9, 1.8, 1.2])}
    np.savez(folder / "cubes.npz", image=image, seg=seg, **columns)
    return folder


def test_a_whole_case_is_cut_to_its_brain_in_tissue_units(brats: Path) -> None:
    (case,) = read_brats_cases(brats)
    assert (case.name, case.source, case.fold, case.whole, case.tissue.shape) == ("a", "brats", 3, True, (4, 32, 40, 36))
    np.testing.assert_array_equal(case.labels, labels()[4:-4, 4:-4, 4:-4])
    for channel, volume in zip(case.tissue, tissue(labels()) * 100):
        np.testing.assert_allclose(channel * 0.02, fit_tissue_scale(volume).apply(volume)[4:-4, 4:-4, 4:-4], atol=0.011)


def test_one_fold_may_be_read_alone(brats: Path) -> None:
    assert [case.name for case in read_brats_cases(brats, 3)] == ["a"]
    assert read_brats_cases(brats, 2) == []


def test_a_cube_is_cut_to_what_is_known_of_it(cubes: Path) -> None:
    (case,) = read_cubes(cubes)
    assert (case.name, case.source, case.fold, case.whole, case.spacing_mm) == ("p", "cubes", 2, False, (1.2, 1.8, 1.9))
    assert (case.tissue.shape, case.labels.shape) == ((4, 2, 5, 4), (2, 5, 4))
    np.testing.assert_allclose(case.tissue[:, 1, 0, 0] * 0.02, [1.25, 1.25, 1.33, 1.3], atol=0.011)  # one standard deviation above the mean
    assert case.tissue[:, 0, 3, 1].tolist() == [0, 0, 0, 0]
    assert case.tissue[0, 0, 0, 0] == 0
    assert np.argwhere(case.labels == 3).tolist() == [[1, 1, 3]]


def head(tumor: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
    """A head of 184 x 184 pixels of gray 100 in a picture of 224, with a tumor of gray 200, and its mask."""
    image, mask = np.zeros((224, 224), np.uint8), np.zeros((224, 224), np.uint8)
    image[20:204, 20:204] = 100
    mask[tumor], image[tumor] = 1, 200
    return image, mask


def test_of_a_head_what_is_deep_is_brain() -> None:
    image, mask = head(np.s_[90:120, 60:100])
    inside = inside_skull(image / 100, mask > 0)
    assert np.argwhere(inside)[[0, -1]].tolist() == [[31, 31], [192, 192]]  # 11 pixels lie outside of it all around
    image, mask = head(np.s_[90:120, 25:37])  # half of this tumor is less deep, a quarter of it less than 8 pixels
    assert np.argwhere(inside_skull(image / 100, mask > 0))[[0, -1]].tolist() == [[28, 28], [195, 195]]
    assert not inside_skull(np.zeros((224, 224)), np.zeros((224, 224), bool)).any()


def test_flair_slices_are_cases_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    builder = SliceSetBuilder()
    scale = fit_tissue_scale(head(np.s_[90:120, 60:100])[0][None])
    for name, kind, tumor in [("TCGA_A", "none", None), ("TCGA_A", "glioma", np.s_[90:120, 60:100]), ("TCGA_B", "glioma", np.s_[90:93, 60:63])]:
        image, mask = head(tumor or np.s_[0:0, 0:0])
        builder.add(image, mask * (TUMOR_BIT | WHOLE_BIT), scale, source="lgg", kind=kind, fold=2, case=name)
    image, mask = head(np.s_[90:120, 60:100])
    builder.add(image, mask * (TUMOR_BIT | WHOLE_BIT), scale, source="lgg", kind="glioma", fold=3, case="TCGA_CS_1")  # a patient of brats
    monkeypatch.setattr(glioma_cases, "read_lgg_flair", lambda folder: builder.build())
    (case,) = read_lgg_slices(Path("lgg"))  # the tumor of TCGA_B is too small
    assert (case.name, case.source, case.whole, case.told, case.axial_only) == ("TCGA_A", "lgg", True, 1, True)
    assert (case.tissue.shape, case.labels.shape) == ((4, 2, 162, 162), (2, 162, 162))
    assert case.channels().tolist() == [False, False, False, True]
    assert {kind: indices.tolist() for kind, indices in case.slices_by_kind("axial").items()} == {"none": [0], "glioma": [1]}
    assert np.argwhere(case.labels == 2)[[0, -1]].tolist() == [[1, 59, 29], [1, 88, 68]]
    assert np.count_nonzero(case.labels) == 30 * 40
    np.testing.assert_allclose(case.tissue[3, 0] * 0.02, 1, atol=0.011)
    tumor = case.tissue[3, 1, 70, 50] * 0.02
    assert tumor == pytest.approx(2 / (1 + 1200 / 162**2), abs=0.02)  # the mean of the brain with its tumor is 1
    for fold in range(6):
        training, validation = split(CaseSet([case]), fold)
        assert (len(training), len(validation)) == (1, 0)


def test_heads_with_plaques_are_brains_without_tumor(tmp_path: Path) -> None:
    sitk = pytest.importorskip("SimpleITK")
    for name, masked in [("patient01", True), ("patient02", False), ("patient03", True)]:
        (tmp_path / name).mkdir()
        arrays = {"flair": np.full((6, 50, 60), 80, np.uint8)}
        if masked:
            arrays["flair_brainmask"] = np.zeros((6, 50, 60), np.uint8)
            arrays["flair_brainmask"][1:5, 10:40, 10:50] = 1
        for kind, array in arrays.items():
            image = sitk.GetImageFromArray(array)
            image.SetSpacing((0.5, 0.5, 3.0))
            sitk.WriteImage(image, str(tmp_path / name / f"{kind}.nii.gz"))
    cases = read_ms_brains(tmp_path)  # the second has no mask
    assert [(case.name, case.source, case.fold, case.spacing_mm) for case in cases] == [
        ("patient01", "ms_heads", 1, (3.0, 0.5, 0.5)),
        ("patient03", "ms_heads", 2, (3.0, 0.5, 0.5)),
    ]
    assert cases[0].tissue.shape == (4, 4, 30, 40)
    assert (cases[0].tissue[3] == 50).all()  # 1 in tissue units
    assert not cases[0].tissue[:3].any()
    assert not cases[0].labels.any()
    assert [len(part) for part in split(CaseSet(cases), 1)] == [1, 0]  # kept out, and no case to score
    with pytest.raises(InputError, match=r"holds no CASE/flair_brainmask\.nii\.gz, but this recipe trains on it"):
        read_ms_brains(tmp_path / "patient01")


def test_sets_are_read_once_and_kept(brats: Path, cubes: Path, tmp_path: Path) -> None:
    sets, cache = ("brats", "brats/cubes"), tmp_path / "caches" / "cases.npz"
    assert [case.name for case in load_cases(sets, tmp_path, cache, silent)] == ["a", "p"]
    (cubes / "cubes.npz").unlink()
    assert [case.name for case in load_cases(sets, tmp_path, cache, silent)] == ["a", "p"]
    assert [case.name for case in load_cases(("brats",), tmp_path, cache, silent)] == ["a"]  # made for other sets
    with pytest.raises(InputError, match=r"cubes\.npz is missing"):
        load_cases(sets, tmp_path, cache, silent)


def test_missing_and_unknown_sets_are_named_first(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="brats is missing, but this recipe trains on it"):
        load_cases(("brats",), tmp_path, tmp_path / "cases.npz", silent)
    with pytest.raises(InputError, match="asks for the set 'cheng', but readers exist for brats, brats/cubes"):
        load_cases(("cheng",), tmp_path, tmp_path / "cases.npz", silent)


def test_a_fold_is_kept_out_and_only_whole_cases_are_validated_on() -> None:
    training, validation = split(case_set(), 2)
    assert {case.name for case in validation} == {"with2", "without2"}
    assert len(training) == 12 and all(case.fold != 2 for case in training)
    training, validation = split(case_set(), 0)
    assert (len(training), len(validation)) == (15, 0)
