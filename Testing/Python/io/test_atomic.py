"""A file is there whole, or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.atomic import check_folder_writable, check_writable, writing, writing_folder


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_only_at_the_end(tmp_path: Path) -> None:
    with writing(tmp_path / "case.nii.gz") as beside:
        assert beside.parent == tmp_path and beside.name.startswith(".") and beside.name.endswith(".nii.gz")
        beside.write_text("new")
        assert not (tmp_path / "case.nii.gz").exists()
    assert (tmp_path / "case.nii.gz").read_text() == "new"
    assert _files(tmp_path) == ["case.nii.gz"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("broken"), InputError("bad")])
def test_an_error_inside_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(type(error)), writing(tmp_path / "a.csv") as beside:
        beside.write_text("half")
        raise error
    assert (tmp_path / "a.csv").read_text() == "old"
    assert _files(tmp_path) == ["a.csv"]


def test_a_full_disk_is_one_sentence_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.csv cannot be written: the disk is full; free some space"), writing(tmp_path / "a.csv") as beside:
        beside.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert _files(tmp_path) == []


def test_a_device_that_is_full_is_noticed(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("/dev/full is there on Linux only")
    with pytest.raises(InputError, match="the disk is full"), writing(tmp_path / "a.csv"), open("/dev/full", "w") as stream:
        stream.write("x")
        stream.flush()


def test_a_block_that_wrote_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"), writing(tmp_path / "a.csv"):
        pass


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("missing/a.csv", "its folder does not exist"),
        ("file/a.csv", "a part of its path is not a folder"),
        ("folder", "it is a folder"),
        ("a" * 300, "its name is too long"),
        ("nul\0l", "null"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_and_at_writing(tmp_path: Path, place: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=reason):
        check_writable(tmp_path / place)
    if "\0" not in place:
        with pytest.raises(InputError, match=reason), writing(tmp_path / place) as beside:
            beside.write_text("x")
    assert _files(tmp_path) == ["file", "folder"]


def test_checking_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text("old")
    check_writable(tmp_path / "new.csv")
    check_writable(tmp_path / "old.csv")
    assert _files(tmp_path) == ["old.csv"]
    assert (tmp_path / "old.csv").read_text() == "old"


def test_a_new_folder_appears_with_all_its_files(tmp_path: Path) -> None:
    with writing_folder(tmp_path / "out") as hidden:
        (hidden / "a.png").write_text("a")
        assert not (tmp_path / "out").exists()
        (hidden / "b.png").write_text("b")
    assert _files(tmp_path) == ["out"]
    assert _files(tmp_path / "out") == ["a.png", "b.png"]


def test_in_an_old_folder_files_are_replaced_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_text("old")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with writing_folder(tmp_path / "out") as hidden:
        (hidden / "a.png").write_text("new")
    assert _files(tmp_path) == ["out"]
    assert _files(tmp_path / "out") == ["a.png", "notes.txt"]
    assert (tmp_path / "out" / "a.png").read_text() == "new"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), InputError("bad")])
def test_an_error_while_filling_a_folder_leaves_nothing(tmp_path: Path, error: BaseException) -> None:
    with pytest.raises(type(error)), writing_folder(tmp_path / "out") as hidden:
        (hidden / "a.png").write_text("a")
        raise error
    assert _files(tmp_path) == []


def test_a_folder_that_cannot_be_filled_is_refused_before_and_is_not_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file, but a folder is needed"):
        check_folder_writable(tmp_path / "file")
    with pytest.raises(InputError, match="its folder does not exist"):
        check_folder_writable(tmp_path / "no" / "out")
    check_folder_writable(tmp_path / "out")
    assert _files(tmp_path) == ["file"]
