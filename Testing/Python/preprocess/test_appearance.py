"""Sequences told apart by gray values: on phantoms whose fluid, tissue and vessels have textbook contrasts, and on real heads."""

from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.preprocess.appearance import GROUPS, features, other_group, role_probabilities
from Testing.Python.heads import CONTRASTS, head

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"


@pytest.mark.parametrize("role", CONTRASTS)
def test_each_contrast_looks_like_its_group(role):
    probabilities = role_probabilities(head(role))
    best = max(probabilities, key=probabilities.get)
    assert next(group for group in GROUPS if best in group) == next(group for group in GROUPS if role in group)
    assert sum(probabilities.values()) == pytest.approx(1.0)


def test_a_t2_volume_in_the_place_of_another_sequence_is_noticed():
    assert other_group(head("t2"), "t1ce") == ("t2",)
    assert other_group(head("t2"), "t2") is None


def test_a_t1_volume_in_the_place_of_t2_is_noticed():
    assert other_group(head("t1"), "t2") == ("t1", "t1ce")
    assert other_group(head("t1"), "t1ce") is None  # contrast agent may enhance nothing


def test_scale_offset_and_turning_change_nothing():
    image = head("t2")
    expected = features(image)
    assert features(image * 7 + 40) == pytest.approx(expected, abs=1e-4)
    assert features(np.flip(image, 0).transpose(2, 0, 1)) == pytest.approx(expected, abs=0.05)


def test_nothing_is_said_of_an_image_without_a_head():
    assert role_probabilities(np.zeros((8, 8, 8))) is None
    assert role_probabilities(np.full((8, 8, 8), 5.0)) is None
    assert other_group(np.zeros((8, 8, 8)), "t2") is None


def test_a_shell_without_a_middle_says_nothing():
    image = np.zeros((20, 20, 20))
    image[[0, -1]] = 100
    assert role_probabilities(image) is None


@pytest.mark.skipif(not (DATA / "ms_heads").is_dir(), reason="the real scans of ../shared/data are not here")
@pytest.mark.parametrize("patient", ["patient01", "patient03", "patient04"])
def test_real_heads_are_told_apart(patient):
    import SimpleITK as sitk

    for role in ("t1", "t2", "flair"):
        image = sitk.GetArrayFromImage(sitk.ReadImage(str(DATA / "ms_heads" / patient / f"{role}.nii.gz")))
        probabilities = role_probabilities(image)
        assert max(probabilities, key=probabilities.get) == role
        assert other_group(image, role) is None
        if role == "t2":
            assert other_group(image, "t1ce") == ("t2",)
