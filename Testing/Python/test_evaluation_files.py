from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.evaluation_files import evaluate_files, pair_files, stem_of


def touched(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return folder


def save_volume(path, labels, spacing=(1.0, 1.0, 1.0)):
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(np.asarray(labels, np.uint8).reshape(2, 2, -1))
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path))


def save_mask(path, pixels):
    from PIL import Image

    Image.fromarray(np.asarray(pixels, np.uint8)).save(path)


@pytest.mark.parametrize("name", ["a.b.nii.gz", "a.b.nii", "a.b.nrrd", "a.b.seg.nrrd", "a.b.mha", "a.b.png", "a.b.NII.GZ", "a.b.jpeg"])
def test_the_stem_is_the_name_without_the_whole_suffix(name):
    assert stem_of(Path("folder") / name) == "a.b"


def test_two_files_are_one_case_named_after_the_reference(tmp_path):
    touched(tmp_path, "out.nii.gz", "patient7.nrrd")
    (pair,) = pair_files(tmp_path / "out.nii.gz", tmp_path / "patient7.nrrd")
    assert (pair.case, pair.prediction.name, pair.reference.name) == ("patient7", "out.nii.gz", "patient7.nrrd")


def test_folders_are_matched_by_stem_whatever_the_suffix_and_the_other_files(tmp_path):
    predictions = touched(tmp_path / "p", "b.nii.gz", "a.mha", "table.csv", ".b.nii")
    references = touched(tmp_path / "r", "a.nii.gz", "b.seg.nrrd", "README.txt")
    (predictions / "sub").mkdir()
    assert [(pair.case, pair.prediction.name, pair.reference.name) for pair in pair_files(predictions, references)] == [
        ("a", "a.mha", "a.nii.gz"),
        ("b", "b.nii.gz", "b.seg.nrrd"),
    ]


def test_stems_without_a_partner_are_refused_by_name_on_both_sides(tmp_path):
    predictions = touched(tmp_path / "p", "a.png", "extra.png")
    references = touched(tmp_path / "r", "a.png", "lost1.png", "lost2.png")
    with pytest.raises(InputError, match="no prediction for lost1, lost2 and no reference for extra, but"):
        pair_files(predictions, references)
    touched(predictions, "lost1.png", "lost2.png")
    with pytest.raises(InputError, match="there is no reference for extra, but"):
        pair_files(predictions, references)


def test_many_names_are_cut_off_with_their_number(tmp_path):
    predictions = touched(tmp_path / "p", "a.png")
    references = touched(tmp_path / "r", "a.png", *[f"x{n:02}.png" for n in range(13)])
    with pytest.raises(InputError, match="x08, x09 and 3 more, but"):
        pair_files(predictions, references)


def test_two_files_of_one_stem_are_refused_by_name(tmp_path):
    predictions = touched(tmp_path / "p", "a.png", "a.nii")
    with pytest.raises(InputError, match="both a.nii and a.png"):
        pair_files(predictions, touched(tmp_path / "r", "a.png"))


def test_a_file_against_a_folder_is_refused(tmp_path):
    touched(tmp_path, "a.png")
    with pytest.raises(InputError, match="give two files or two folders"):
        pair_files(tmp_path / "a.png", tmp_path)


def test_a_missing_path_and_a_folder_without_masks_are_refused(tmp_path):
    with pytest.raises(InputError, match="the reference .*nowhere does not exist"):
        pair_files(tmp_path, tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no mask"):
        pair_files(tmp_path, tmp_path)


def test_one_glioma_reference_makes_the_whole_folder_glioma(tmp_path):
    for side in ("p", "r"):
        (tmp_path / side).mkdir()
        save_volume(tmp_path / side / "a.nii.gz", [1, 1, 0, 0, 0, 0, 0, 0])
        save_volume(tmp_path / side / "b.nii.gz", [4, 2, 1, 0, 0, 0, 0, 0])
    evaluations = evaluate_files(tmp_path / "p", tmp_path / "r")
    assert [evaluation.scheme for evaluation in evaluations] == ["glioma", "glioma"]
    assert {row.dice for evaluation in evaluations for row in evaluation.rows} == {1.0}


def test_each_picture_of_a_folder_is_a_case_and_255_is_one(tmp_path):
    for side, value in (("p", 1), ("r", 255)):
        (tmp_path / side).mkdir()
        save_mask(tmp_path / side / "s1.png", [[0, value, value], [0, 0, 0]])
        save_mask(tmp_path / side / "s2.png", [[value, 0, 0], [0, 0, 0]])
    rows = [row for evaluation in evaluate_files(tmp_path / "p", tmp_path / "r") for row in evaluation.rows]
    assert [(row.case, row.class_, row.dice, row.hd95_px, row.hd95_mm) for row in rows] == [("s1", "tumor", 1.0, 0.0, None), ("s2", "tumor", 1.0, 0.0, None)]


def test_progress_rises_to_one(tmp_path):
    save_volume(tmp_path / "a.nii.gz", [1, 0, 0, 0, 0, 0, 0, 0])
    seen = []
    evaluate_files(tmp_path / "a.nii.gz", tmp_path / "a.nii.gz", lambda fraction, message: seen.append((fraction, message)))
    assert seen == [(0.0, "evaluating a"), (1.0, "evaluated")]
