"""Whole heads become brains in one place: what moved is brought back, and the user is told."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.inference import whole_heads
from BrainTumorSegLib.inference.inputs import on_grid_of
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.inference.whole_heads import only_brains
from BrainTumorSegLib.progress import Cancelled, CancelToken
from BrainTumorSegLib.volume import Volume
from Testing.Python.inference.test_brain import head, silent, truth
from Testing.Python.tiny import tiny_model


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Brain is what is brighter than 1.2 times mean tissue."""
    pytest.importorskip("onnx")
    session = Session(tiny_model(tmp_path, edge=1.2), threads=1)
    monkeypatch.setattr(whole_heads, "open_brain_network", lambda beside: session)
    return session


def study(shift_mm: float) -> dict[str, Volume]:
    """T1 and FLAIR of a head, FLAIR as if it had been `shift_mm` further to the left."""
    t1 = Volume(head(), (5.0, 5.0, 4.0), name="T1")
    return {"t1": t1, "flair": replace(t1, origin=(shift_mm, 0.0, 0.0), name="FLAIR")}


def channels_of(volumes: dict[str, Volume], reference: Volume) -> dict[str, np.ndarray]:
    return {role: on_grid_of(reference, volume).array for role, volume in volumes.items()}


def test_all_but_the_brain_is_taken_away(session: Session) -> None:
    volumes = study(0.0)
    channels, brain, said = only_brains(volumes, ("t1", "flair"), volumes["flair"], channels_of(volumes, volumes["flair"]), session, silent)
    assert brain is not None and said == []
    np.testing.assert_array_equal(brain, truth())
    for channel in channels.values():
        np.testing.assert_array_equal(channel, np.where(truth(), head(), 0))


def test_what_moved_is_brought_back_and_told(session: Session) -> None:
    """FLAIR is the reference, so T1 moves: 15 mm are three voxels, of which it finds back to within one."""
    volumes = study(15.0)
    channels, brain, said = only_brains(volumes, ("t1", "flair"), volumes["flair"], channels_of(volumes, volumes["flair"]), session, silent)
    assert brain is not None
    (sentence,) = said
    assert re.fullmatch(
        r"T1 shows the brain in another place than FLAIR: it was turned by [01] degrees and shifted by 1\d mm to fit, so check that it does", sentence
    )
    np.testing.assert_array_equal(channels["flair"], np.where(truth(), head(), 0))
    found = channels["t1"] > 150
    assert (
        2 * np.count_nonzero(found & truth()) / (np.count_nonzero(found) + np.count_nonzero(truth())) > 0.95
    )  # 3 voxels off it would be 2 x 21 / (21 + 24) = 0.93


def test_bringing_back_can_be_cancelled(session: Session) -> None:
    volumes = study(15.0)
    cancel = CancelToken()

    def report(fraction: float, message: str) -> None:
        if fraction == 1.0:  # both brains are found
            cancel.cancel()

    with pytest.raises(Cancelled):
        only_brains(volumes, ("t1", "flair"), volumes["flair"], channels_of(volumes, volumes["flair"]), session, report, cancel)


def test_what_cannot_be_brought_back_stays_and_is_told(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_heads, "align", lambda moving, *_: moving)
    volumes = study(15.0)
    given = channels_of(volumes, volumes["flair"])
    channels, brain, said = only_brains(volumes, ("t1", "flair"), volumes["flair"], given, session, silent)
    assert brain is not None
    assert said == ["T1 shows the brain in another place than FLAIR; register one to the other first"]
    np.testing.assert_array_equal(channels["t1"], np.where(brain, given["t1"], 0))


def test_without_a_brain_the_head_stays_whole(session: Session) -> None:
    dark = Volume(np.minimum(head(), 100), (5.0, 5.0, 4.0), name="T1")
    channels, brain, said = only_brains({"t1": dark}, ("t1",), dark, {"t1": dark.array}, session, silent)
    assert brain is None and channels["t1"] is dark.array
    assert said == ["no brain was found in T1, so tiny saw the whole head; remove the skull and segment again"]
