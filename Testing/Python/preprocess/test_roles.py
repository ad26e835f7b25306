"""Which sequence is which: words, DICOM attributes, gray values, in this order, each with its reason."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.preprocess.roles import RoleGuess, assign_roles, guess_role, guess_roles
from BrainTumorSegLib.volume import Volume
from Testing.Python.heads import head

NAMES = {
    "t1": ["t1", "T1w", "sub-01_T1w", "AX T1 PRE", "t1_mprage_sag", "T1 without contrast", "T1 non-contrast", "T1 native", "BraTS-GLI-00000-000-t1n"],
    "t1ce": [
        "T1ce", "t1c", "T1Gd", "T1_GD_1", "T1-CE", "t1wCE", "t1w_gad", "AX T1 POST", "AxT1+C", "T1 +Gd", "t1_mprage_sag_km", "sub-01_ce-gadolinium_T1w",
        "MPRAGE post contrast", "BraTS20_Training_001_t1ce", "BraTS-GLI-00000-000-t1c", "MRBrainTumor1",
    ],
    "t2": ["T2", "t2_tse_tra", "BraTS-GLI-00000-000-t2w", "4: AX T2"],
    "flair": ["FLAIR", "AXT2FLAIR", "t2_tirm_tra_dark-fluid", "BraTS-GLI-00000-000-t2f", "flair_1"],
}  # fmt: skip


@pytest.mark.parametrize(("role", "name"), [(role, name) for role, names in NAMES.items() for name in names])
def test_a_name_that_tells_is_believed(role: str, name: str) -> None:
    guess = guess_role(None, name)
    assert (guess.role, guess.source) == (role, "name")
    assert name in guess.reason


@pytest.mark.parametrize("name", ["patient1", "subject12", "set1", "head", "T10", "ct1", ""])
def test_a_name_that_tells_nothing_is_not_believed(name: str) -> None:
    assert guess_role(None, name) == RoleGuess(None, "", "", 0.0)


@pytest.mark.parametrize("name", ["T2*", "t2star", "SWI", "DWI t2", "T1ce segmentation", "t1_mask", "FLAIR uncertainty"])
def test_maps_and_masks_are_no_sequence(name: str) -> None:
    volume = Volume(head("t2"), name=name)
    assert guess_role(volume, name).role is None


@pytest.mark.parametrize(
    ("role", "dicom"),
    [
        ("t1", {"RepetitionTime": "500", "EchoTime": "10"}),
        ("t1ce", {"RepetitionTime": "500", "EchoTime": "10", "ContrastBolusAgent": "Gadovist"}),
        ("t1", {"RepetitionTime": "2300", "EchoTime": "3", "InversionTime": "900"}),  # MPRAGE
        ("t2", {"RepetitionTime": "4000", "EchoTime": "90"}),
        ("flair", {"RepetitionTime": "9000", "EchoTime": "120", "InversionTime": "2500"}),
        (None, {"RepetitionTime": "3000", "EchoTime": "20"}),  # proton density
        (None, {"RepetitionTime": "4000", "EchoTime": "90", "ScanningSequence": "EP"}),  # diffusion
        (None, {"RepetitionTime": "four", "EchoTime": "90"}),
        ("t1ce", {"SeriesDescription": "sT1W_3D post Gd"}),
        ("flair", {"ProtocolName": "FLAIR long TR"}),
    ],
)
def test_dicom_tells_where_the_name_does_not(role: str | None, dicom: dict[str, str]) -> None:
    guess = guess_role(None, "series 4", {"Modality": "MR", **dicom})
    assert guess.role == role
    assert role is None or guess.source == "dicom"


def test_the_times_are_in_the_reason() -> None:
    guess = guess_role(None, "4", {"RepetitionTime": "500", "EchoTime": "10", "ContrastBolusAgent": "Gadovist"})
    assert guess.reason == "DICOM (TR 500 ms, TE 10 ms, contrast agent Gadovist) says T1 with contrast"


def test_the_name_goes_before_dicom_and_the_contrast_agent_completes_it() -> None:
    assert guess_role(None, "FLAIR", {"RepetitionTime": "500", "EchoTime": "10"}).role == "flair"
    assert guess_role(None, "T1", {"ContrastBolusAgent": "Gadovist"}).role == "t1ce"
    assert guess_role(None, "T1 pre", {"ContrastBolusAgent": "Gadovist"}).role == "t1"


def test_another_modality_is_no_sequence() -> None:
    guess = guess_role(Volume(head("t2")), "head", {"Modality": "CT"})
    assert (guess.role, guess.source) == (None, "dicom")


def test_gray_values_tell_where_nothing_else_does() -> None:
    guess = guess_role(Volume(head("t2")), "head", {"Modality": "MR"})
    assert (guess.role, guess.source) == ("t2", "appearance")
    assert "its gray values look most like T2" in guess.reason
    assert guess.certainty <= 0.5  # words and DICOM go first


def test_hounsfield_units_are_no_mri() -> None:
    assert guess_role(Volume(head("t2") - 1000), "head").role is None


def test_an_empty_image_tells_nothing() -> None:
    assert guess_role(Volume(np.zeros((4, 4, 4))), "head") == RoleGuess(None, "", "", 0.0)


def test_each_volume_and_each_role_is_taken_once_the_surest_first() -> None:
    guesses = {
        "a": RoleGuess("flair", "appearance", "60%", 0.3),
        "b": RoleGuess("flair", "name", "flair", 1.0),
        "c": RoleGuess("t1", "dicom", "", 0.8),
        "d": RoleGuess(None, "", "", 0.0),
    }
    assert assign_roles(guesses) == {"t1": "c", "flair": "b"}


def test_a_folder_of_volumes_gets_its_roles() -> None:
    volumes = {"1": Volume(head("t1"), name="T1 post"), "2": Volume(head("t2"), name="unnamed"), "3": Volume(head("flair"), name="4")}
    found = guess_roles(volumes, {"3": {"SeriesDescription": "FLAIR"}})
    assert {role: key for role, (key, _) in found.items()} == {"t1ce": "1", "t2": "2", "flair": "3"}
    assert [found[role][1].source for role in ("t1ce", "t2", "flair")] == ["name", "appearance", "dicom"]
