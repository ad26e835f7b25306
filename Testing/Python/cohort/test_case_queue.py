"""The queue of cases: what counts as a case, where the annotator goes next, and what cases.csv says."""

from __future__ import annotations

import pytest

from BrainTumorSegLib.cohort.case_queue import Case, CaseQueue, find_cases
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.case_folder import CaseRow, read_cases, write_cases


def touch(folder, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "scans"
    touch(place, "b/t1ce.nii.gz", "a/t1ce.nii.gz", "a/flair.nrrd", "c/t1ce.mha")
    return place


def test_a_case_is_a_subfolder_with_images_or_a_single_image(folder) -> None:
    touch(folder, "alone.nii", "notes.txt", "empty/readme.txt", ".hidden/t1.nii.gz")
    assert find_cases(folder) == [
        Case("a", (folder / "a/flair.nrrd", folder / "a/t1ce.nii.gz")),
        Case("alone", (folder / "alone.nii",)),
        Case("b", (folder / "b/t1ce.nii.gz",)),
        Case("c", (folder / "c/t1ce.mha",)),
    ]


@pytest.mark.parametrize(
    "name", ["seg.nii.gz", "a_seg.nii.gz", "x.seg.nrrd", "Mask.nii", "a-label.mha", "labels.nii", "ai.nii.gz", "t1_uncertainty.nii.gz", "._t1.nii.gz"]
)
def test_masks_results_and_hidden_files_are_no_images(folder, name: str) -> None:
    touch(folder, f"a/{name}")
    assert folder / "a" / name not in find_cases(folder)[0].files


@pytest.mark.parametrize("name", ["segovia.nii.gz", "ai_001.nii.gz", "unmasked.nii"])
def test_a_word_that_only_begins_like_a_mask_is_an_image(folder, name: str) -> None:
    touch(folder, f"a/{name}")
    assert folder / "a" / name in find_cases(folder)[0].files


def test_a_folder_that_is_missing_or_has_no_case_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        find_cases(tmp_path / "absent")
    with pytest.raises(InputError, match="has no case"):
        find_cases(tmp_path)


def test_two_cases_of_one_name_are_refused(folder) -> None:
    touch(folder, "a.nii.gz")
    with pytest.raises(InputError, match="two cases with the name a"):
        find_cases(folder)


def test_nothing_is_written_before_something_changes(folder) -> None:
    before = sorted(folder.parent.rglob("*"))
    queue = CaseQueue(folder)
    assert queue.corrected == folder.parent / "scans_corrected"
    assert [row.state for row in queue.rows().values()] == ["to do"] * 3
    assert sorted(folder.parent.rglob("*")) == before


def test_the_corrected_folder_may_not_lie_among_the_cases(folder) -> None:
    for corrected in (folder, folder / "corrected"):
        with pytest.raises(InputError, match="lies in the folder of the cases"):
            CaseQueue(folder, corrected)


def test_an_unreadable_list_is_told_at_once(folder) -> None:
    touch(folder.parent, "scans_corrected/cases.csv")
    with pytest.raises(InputError, match="lacks the column"):
        CaseQueue(folder)


def test_next_and_previous_follow_the_names_and_end_at_the_ends(folder) -> None:
    queue = CaseQueue(folder)
    assert [queue.neighbor("a", 1), queue.neighbor("b", 1), queue.neighbor("c", 1)] == ["b", "c", None]
    assert [queue.neighbor("a", -1), queue.neighbor("c", -1)] == [None, "b"]


def test_work_goes_on_with_the_first_case_that_is_not_finished(folder) -> None:
    queue = CaseQueue(folder)
    assert queue.neighbor(None, 1) == "a"
    queue.change("a", state="reviewed")
    queue.change("b", state="AI done")
    assert queue.neighbor(None, 1) == "b"
    queue.change("b", state="doubtful")
    queue.change("c", state="reviewed")
    assert queue.neighbor(None, 1) == "a"


def test_a_state_and_the_time_are_kept_in_the_corrected_folder(folder) -> None:
    queue = CaseQueue(folder)
    queue.change("b", seconds=40)
    queue.change("b", state="AI done", seconds=2)
    assert read_cases(queue.corrected) == [CaseRow("b", "b", None, "AI done", 42)]
    assert CaseQueue(folder).row("b") == CaseRow("b", "b", None, "AI done", 42)


def test_a_finished_case_gets_a_fold_and_keeps_it(folder) -> None:
    queue = CaseQueue(folder)
    assert queue.change("b", state="AI done").fold is None
    assert queue.change("b", state="doubtful").fold == 1
    assert queue.change("a", state="reviewed").fold == 2
    assert queue.change("b", state="reviewed").fold == 1


def test_rows_that_somebody_else_has_written_meanwhile_are_kept(folder) -> None:
    queue, other = CaseQueue(folder), CaseQueue(folder)
    queue.change("a", state="reviewed")
    other.change("c", state="reviewed", seconds=5)
    queue.change("a", seconds=3)
    assert read_cases(queue.corrected) == [CaseRow("a", "a", 1, "reviewed", 3), CaseRow("c", "c", 2, "reviewed", 5)]


def test_a_patient_corrected_by_hand_is_kept(folder) -> None:
    queue = CaseQueue(folder)
    queue.corrected.mkdir()
    write_cases(queue.corrected, [CaseRow("a", "Miller", 4, "reviewed", 1), CaseRow("b", "Miller")])
    assert queue.change("b", state="reviewed") == CaseRow("b", "Miller", 4, "reviewed", 0)


def test_an_unknown_state_or_case_is_refused(folder) -> None:
    queue = CaseQueue(folder)
    with pytest.raises(ValueError, match="state is 'done'"):
        queue.change("a", state="done")
    with pytest.raises(InputError, match="x is no case"):
        queue.change("x", state="reviewed")


def test_what_is_done_is_counted(folder) -> None:
    queue = CaseQueue(folder)
    queue.change("a", state="reviewed", seconds=60)
    queue.change("b", state="doubtful", seconds=30)
    assert queue.count().states == {"to do": 1, "AI done": 0, "reviewed": 1, "doubtful": 1}
    assert queue.count().seconds == 90
