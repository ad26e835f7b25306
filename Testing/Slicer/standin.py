"""A hand-written stand-in for `api.segment`: everything brighter than 100 is tumor."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np

from BrainTumorSegLib.api import CancelToken, SegmentOptions, Volume


@dataclass(frozen=True)
class Result:
    """The fields of `api.Segmentation` that the module reads."""

    labels: Volume
    scheme: str = "tumor"
    found: bool = True
    model: str = "stand-in"
    sha256: str = "0" * 64
    precision: str = "int8"
    inputs: tuple[str, ...] = ("t1ce",)
    planes: tuple[str, ...] = ("axial",)
    every_slice: bool = True
    mirrored: bool = False
    volumes_ml: dict[str, float] | None = None
    warnings: tuple[str, ...] = field(default=())
    uncertainty: Volume | None = None
    brain: Volume | None = None


def segmentBright(volumes, model=None, *, options: SegmentOptions, progress, cancel: CancelToken) -> Result:
    volume = volumes["t1ce"]
    progress(0.5, "thresholding")
    mask = (volume.array > 100).astype(np.uint8)
    return Result(volume.like(mask), found=bool(mask.any()))


class SegmentForever:
    """Works until it is cancelled, and tells when it has begun.

    Attributes:
        begun: set in the thread.
        interrupted: `cancel` ended the wait, as it ends a network's run; None before the end.
    """

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.interrupted: bool | None = None

    def __call__(self, volumes, model=None, *, options: SegmentOptions, progress, cancel: CancelToken) -> Result:
        asked = threading.Event()
        cancel.on_cancel(asked.set)
        progress(0.25, "working")
        self.begun.set()
        self.interrupted = asked.wait(30)
        cancel.raise_if_cancelled()
        raise AssertionError("nobody cancelled")
