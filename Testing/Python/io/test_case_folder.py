"""The list of one's own cases: what is written comes back, and what cannot be meant is refused by name."""

from __future__ import annotations

import pytest

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.case_folder import CaseRow, image_file, patient_of, read_cases, with_fold, write_cases

HEADER = "case,patient,fold,state,seconds\n"


def write(folder, text: str) -> None:
    (folder / "cases.csv").write_bytes(text.encode())


def test_the_file_has_the_columns_that_training_reads(tmp_path) -> None:
    write_cases(tmp_path, [CaseRow("a", "p", 2, "reviewed", 61), CaseRow("b", "b")])
    assert (tmp_path / "cases.csv").read_bytes() == (HEADER + "a,p,2,reviewed,61\nb,b,,to do,0\n").encode()


def test_what_is_written_comes_back(tmp_path) -> None:
    rows = [CaseRow("case, with comma", 'p "q"', 5, "doubtful", 7), CaseRow("ä", "ä")]
    write_cases(tmp_path, rows)
    assert read_cases(tmp_path) == rows


def test_a_folder_without_a_list_has_no_cases(tmp_path) -> None:
    assert read_cases(tmp_path) == []


def test_a_spreadsheets_mark_and_semicolons_are_accepted_and_empty_cells_have_their_meaning(tmp_path) -> None:
    write(tmp_path, "\ufeffcase;patient;fold;state;seconds\r\nsub-1_ses-2;;;to do;\r\n")
    assert read_cases(tmp_path) == [CaseRow("sub-1_ses-2", "sub-1")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a,a,1,done,0", r"line 2 of .* has the state 'done', but a state is one of to do, AI done, reviewed, doubtful"),
        ("a,a,6,to do,0", "has the fold '6'"),
        ("a,a,1,to do,soon", "has 'soon' seconds"),
        ("../a,a,1,to do,0", "has the case '../a'"),
        (",a,1,to do,0", "has the case ''"),
        ("..,a,1,to do,0", "has the case '..'"),
        ("a,a,1", "has the state ''"),
        ("a,a,1,to do,0\na,a,1,to do,0", "lists the case a twice"),
        ("a,p,1,to do,0\nb,p,2,to do,0", "has the patient p in the folds 1 and 2"),
    ],
)
def test_a_cell_that_cannot_be_meant_is_refused_by_name(tmp_path, line: str, message: str) -> None:
    write(tmp_path, HEADER + line + "\n")
    with pytest.raises(InputError, match=message):
        read_cases(tmp_path)


@pytest.mark.parametrize("text", ["", "case,patient,state,seconds\n"])
def test_a_missing_column_is_named(tmp_path, text: str) -> None:
    write(tmp_path, text)
    with pytest.raises(InputError, match="lacks the column .*fold.*correct its first line"):
        read_cases(tmp_path)


def test_a_file_that_is_no_text_is_refused(tmp_path) -> None:
    (tmp_path / "cases.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        read_cases(tmp_path)


@pytest.mark.parametrize(
    ("case", "patient"),
    [
        ("BraTS-GLI-00005-100", "BraTS-GLI-00005"),
        ("sub-01_ses-02", "sub-01"),
        ("BraTS2021_00001", "BraTS2021_00001"),
        ("Miller-1", "Miller-1"),
    ],
)
def test_a_name_that_holds_a_time_point_tells_the_patient(case: str, patient: str) -> None:
    assert patient_of(case) == patient


def test_a_fold_once_given_stays() -> None:
    assert with_fold(CaseRow("a", "p", 4), []) == CaseRow("a", "p", 4)


def test_a_patients_cases_share_a_fold() -> None:
    others = [CaseRow("a", "p", 3), CaseRow("b", "q", 1)]
    assert with_fold(CaseRow("c", "p"), others).fold == 3


def test_a_new_patient_goes_to_the_fold_with_the_fewest_patients() -> None:
    rows: list[CaseRow] = []
    for number in range(7):
        rows.append(with_fold(CaseRow(f"c{number}", f"p{number}"), rows))
    assert [row.fold for row in rows] == [1, 2, 3, 4, 5, 1, 2]
    # Fold 1 has two cases of one patient and fold 2 two patients: patients count, not cases.
    rows = [CaseRow("a", "p", 1), CaseRow("b", "p", 1), *(CaseRow(f"x{number}", f"x{number}", fold) for number, fold in enumerate((2, 2, 3, 4, 5)))]
    assert with_fold(CaseRow("new", "new"), rows).fold == 1


def test_an_image_is_named_by_its_role() -> None:
    assert image_file("t1ce") == "t1ce.nii.gz"
