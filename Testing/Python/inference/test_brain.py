"""The brain in a whole head, by a network worked out by hand: what is bright is brain."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.errors import ModelError
from BrainTumorSegLib.inference import brain
from BrainTumorSegLib.inference.brain import brain_model, find_brain, find_brains, open_brain_network, outside_removed
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.progress import Cancelled, CancelToken
from BrainTumorSegLib.resources import ENVIRONMENT_VARIABLE
from Testing.Python.tiny import model_row, tiny_model, write_models

SPACING = (4.0, 5.0, 5.0)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A head's mean tissue is about 1: scalp of gray 100 lies below 1.2, brain of gray 200 above."""
    pytest.importorskip("onnx")
    return Session(tiny_model(tmp_path, edge=1.2), threads=1)


def head() -> np.ndarray:
    """Scalp of 100 about a brain of 200 that is 20 x 26 x 24 voxels (1248 mL), with a dark ventricle in it, and an eye as bright as the brain."""
    array = np.zeros((30, 44, 40), np.int16)
    array[1:28, 3:42, 3:37] = 100
    array[5:25, 10:36, 8:32] = 200
    array[12:16, 20:24, 18:22] = 20
    array[6:9, 4:7, 10:13] = 200
    return array


def truth() -> np.ndarray:
    mask = np.zeros((30, 44, 40), bool)
    mask[5:25, 10:36, 8:32] = True
    return mask


def silent(fraction: float, message: str) -> None:
    pass


def edges_apart(found: np.ndarray | None) -> int:
    """Voxels that differ, all of them beside an edge in plane, where the resampling to the network's pixels blurs."""
    assert found is not None
    return int(np.count_nonzero(found != truth()))


def test_the_largest_island_is_the_brain_and_its_ventricles_are_part_of_it(session: Session) -> None:
    found = find_brain(head(), SPACING, session, silent)
    assert found is not None and found.dtype == bool and found.shape == head().shape
    assert edges_apart(found) == 0
    assert not found[6:9, 4:7, 10:13].any()  # the eye
    assert found[12:16, 20:24, 18:22].all()  # the ventricle


def test_thin_slices_are_left_out_and_filled_in(session: Session) -> None:
    """Slices of 1 mm: every fourth is run, 1 + 4 k, so that the brain from slice 20 to 99 is seen in 21, 25, ... 97."""
    thin = np.repeat(head(), 4, axis=0)
    told: list[str] = []
    found = find_brain(thin, (1.0, 5.0, 5.0), session, lambda fraction, message: told.append(message))
    assert told[-1] == "finding the brain: axial slices, 30 of 30"
    assert found is not None
    where = np.flatnonzero(found.any(axis=(1, 2)))
    assert (where[0], where[-1]) == (19, 99)  # half-way between the first slice with brain, 21, and the last without, 17; and between 97 and 101
    np.testing.assert_array_equal(found[21:98:4], truth()[5:25])


def test_too_small_for_a_brain_is_none(session: Session) -> None:
    assert find_brain(head(), (1.0, 3.0, 3.0), session, silent) is None  # 12480 voxels of 9 mm3 are 112 mL
    assert find_brain(np.where(head() == 200, 100, head()), SPACING, session, silent) is None  # nothing is bright


def test_a_brain_in_another_place_is_noticed(session: Session) -> None:
    """The brain is 24 voxels wide: moved by 2 it overlaps by 22 / 24 = 0.92, by 3 by 0.875; where none is found nothing is said."""
    told: list[float] = []
    heads = {"t1": head(), "t2": np.roll(head(), 2, axis=2), "flair": np.roll(head(), -3, axis=2), "t1ce": np.minimum(head(), 100)}
    found, moved = find_brains(heads, SPACING, session, lambda fraction, message: told.append(fraction))
    assert edges_apart(found) == 0
    assert list(moved) == ["flair"]
    np.testing.assert_array_equal(moved["flair"], np.roll(truth(), -3, axis=2))
    assert told == sorted(told) and told[-1] == 1.0
    assert find_brains({"t1ce": heads["t1ce"], "t1": heads["t1"]}, SPACING, session, silent) == (None, {})


def test_it_can_be_cancelled(session: Session) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        find_brain(head(), SPACING, session, silent, cancel)


def test_outside_the_brain_is_air() -> None:
    channel = np.array([[[-5.0, 3.0, 9.0]]])
    np.testing.assert_array_equal(outside_removed(channel, np.array([[[False, True, False]]])), [[[-5.0, 3.0, -5.0]]])


def test_its_network_runs_as_the_other_one_does(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brain, "brain_model", lambda: session.model)
    opened = open_brain_network(session)
    assert (opened.model, opened.threads, opened.provider) == (session.model, 1, "cpu")


def test_the_network_is_the_entry_brain_of_models_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Models").mkdir()
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path))
    write_models(tmp_path / "Models")
    said = r"does not tell where the network is that finds the brain \(KeyError\('brain'\)\); install the extension again"
    with pytest.raises(ModelError, match=said):
        brain_model()
    row = model_row(tmp_path / "Models" / "tiny.onnx", name="brain-mask", inputs=["any"])
    del row["scheme"], row["postprocess"]  # it has no labels
    (tmp_path / "Models" / "models.json").write_text(json.dumps({"format": 1, "models": [], "brain": row}))
    model = brain_model()
    assert (model.name, model.maps, model.unknown, model.path) == ("brain-mask", 1, (), tmp_path / "Models" / "tiny.onnx")
