"""Keeping ITK's own words off standard error while it reads and writes; what matters in them is an error of ours."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

_STDERR = 2


@contextlib.contextmanager
def itk_warnings_off() -> Iterator[None]:
    """ITK's warnings off inside the block, and then as they were."""
    import SimpleITK

    before = SimpleITK.ProcessObject.GetGlobalWarningDisplay()
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        SimpleITK.ProcessObject.SetGlobalWarningDisplay(before)


@contextlib.contextmanager
def stderr_off() -> Iterator[None]:
    """The file descriptor itself, because ITK's NIfTI and MetaImage code print a full disk from C.

    It holds for the whole process, so it is meant for the moment of a write.
    """
    try:
        saved = os.dup(_STDERR)
    except OSError:  # a program without a console has no such descriptor
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDERR)
        yield
    finally:
        os.dup2(saved, _STDERR)
        os.close(saved)
