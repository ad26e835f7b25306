"""A published system's model sees slices through its view, and its maps come back to the volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.inference.view_predictor import predict_view
from BrainTumorSegLib.preprocess.views import View
from Testing.Python.tiny import CountingSession, tiny_model


@pytest.fixture
def session(tmp_path: Path) -> Any:
    """Marks what is brighter than half of a tissue's gray value in volumes."""
    return CountingSession(tiny_model(tmp_path), edge=(10 + 200) / 2 / 200 * 74 / 255)


def volume() -> np.ndarray:
    array = np.full((10, 16, 20), 10.0)
    array[:2] = 0
    array[4:7, 5:9, 8:16] = 200
    return array


def test_bright_voxels_are_found_in_every_plane_and_fused(session: Any) -> None:
    told: list[float] = []
    maps = predict_view([volume()], (1, 1, 1), ("axial", "sagittal"), View("gray", 64), cast(Session, session), lambda fraction, message: told.append(fraction))
    assert maps.shape == (1, 10, 16, 20)
    assert maps.dtype == np.float32
    assert np.array_equal(maps[0] > 0.5, volume() == 200)
    assert [shape[1:] for shape in session.shapes] == [(1, 64, 64)] * 5
    assert [shape[0] for shape in session.shapes] == [8, 2, 8, 8, 4]
    assert told == sorted(told)
    assert told[-1] == 1


def test_planes_are_averaged(session: Any) -> None:
    answers = iter([1.0, 1.0, 0.0, 0.0])
    session.run = lambda slices, cancel=None: np.full((len(slices), 1, 16, 16), next(answers), np.float32)
    maps = predict_view([volume()], (1, 1, 1), ("axial", "coronal"), View("gray", 16), cast(Session, session), lambda fraction, message: None)
    assert maps[0, 5, 8, 10] == pytest.approx(0.5)


def test_a_picture_has_no_spacing(session: Any) -> None:
    picture = np.zeros((1, 30, 40), np.uint8)
    picture[0, 10:20, 10:30] = 204
    maps = predict_view([picture], None, ("axial",), View("gray", 80), cast(Session, session), lambda fraction, message: None)
    assert np.array_equal(maps[0] > 0.5, picture > 0)
