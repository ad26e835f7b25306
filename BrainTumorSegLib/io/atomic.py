"""Writing beside, then renaming: a file is there whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from BrainTumorSegLib.errors import InputError

_REASONS = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the disk quota is used up; free some space or choose another folder",
    errno.EFBIG: "it would become larger than this system allows; choose another folder or raise the limit",
    errno.EACCES: "permission is denied; choose a folder that you may write to",
    errno.EPERM: "permission is denied; choose a folder that you may write to",
    errno.EROFS: "the file system is read-only; choose a folder that you may write to",
    errno.ENOENT: "its folder does not exist; create it or correct the path",
    errno.ENOTDIR: "a part of its path is not a folder; correct the path",
    errno.EISDIR: "it is a folder; give a file name",
    errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
}


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[Path]:
    """Gives a hidden path beside `path`, with the same suffixes, to be written; it becomes `path` only if all went well.

    Whatever ends the block early (an error, Ctrl-C) leaves neither the hidden file nor a change of `path`.

    Raises:
        InputError: the file cannot be written, for instance because the disk is full.
    """
    path = Path(path)
    hidden = path.parent / _hidden_name(path)
    try:
        _refuse_folder(path)
        yield hidden
        _force_to_disk(hidden)
        hidden.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            hidden.unlink()


@contextlib.contextmanager
def writing_folder(folder: str | Path) -> Iterator[Path]:
    """Gives a hidden folder beside `folder`, to be filled with files; `folder` gets them only if all went well.

    A new folder appears at once, with all its files. In one that is there already, files of the same name are replaced one by
    one and others stay.

    Raises:
        InputError: the folder cannot be written.
    """
    folder = Path(folder).absolute()
    hidden = folder.parent / f".{_random_name()}"
    try:
        hidden.mkdir()
        yield hidden
        if folder.exists():
            for path in sorted(hidden.iterdir()):
                path.replace(folder / path.name)
        else:
            hidden.replace(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        import shutil

        shutil.rmtree(hidden, ignore_errors=True)


def check_folder_writable(folder: str | Path) -> None:
    """Refuse, before hours of work, a folder that can neither be filled nor made; it is not made here.

    Raises:
        InputError: a file of that name, no permission, no folder to make it in.
    """
    folder = Path(folder).absolute()
    try:
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file, but a folder is needed for the results; choose another name")
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise cannot_write(folder, error) from error
    check_writable(folder.parent / "trial")
    if folder.is_dir():
        check_writable(folder / "trial")


def check_writable(path: str | Path) -> None:
    """Refuse, before hours of work, a path at which no file can be made; an existing file is left as it is.

    Raises:
        InputError: no folder, no permission, a folder of that name.
    """
    path = Path(path)
    try:
        _refuse_folder(path)
        trial = path.parent / _hidden_name(path)
        with trial.open("xb"):
            pass
        trial.unlink()
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: Exception) -> InputError:
    """The sentence for an error of the operating system."""
    number = error.errno if isinstance(error, OSError) else None
    reason = _REASONS.get(number or 0, f"the system says '{getattr(error, 'strerror', None) or error}'; choose another file name or folder")
    return InputError(f"{path} cannot be written: {reason}")


def _random_name() -> str:
    return os.urandom(6).hex()


def _hidden_name(path: Path) -> str:
    """Short whatever the name is, and with its suffixes, which tell SimpleITK the format."""
    return f".{_random_name()}{''.join(path.suffixes[-2:])}"


def _refuse_folder(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder")


def _force_to_disk(path: Path) -> None:
    """Some file systems report a full disk only here."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
