"""However an array is stored, it is turned to [z up, y back, x left], and results are turned back."""

from __future__ import annotations

import numpy as np
import pytest

from BrainTumorSegLib.preprocess.orientation import Orientation, orientation_of
from BrainTumorSegLib.volume import Volume
from Testing.Python.tiny import TURNS, Turn, positions, rotation, turn_array, turn_volume

NUMBERED = Volume(np.arange(2 * 3 * 4).reshape(2, 3, 4), (1.0, 2.0, 3.0), (5.0, -6.0, 7.0))


def test_there_are_48_turns_and_each_keeps_every_voxel_in_its_place() -> None:
    assert len(set(TURNS)) == 48
    for turn in TURNS:
        turned = turn_volume(NUMBERED, turn)
        assert np.allclose(positions(turned), turn_array(positions(NUMBERED), turn))


@pytest.mark.parametrize("turn", TURNS)
def test_every_turn_comes_back_to_the_same_array_and_spacing(turn: Turn) -> None:
    turned = turn_volume(NUMBERED, turn)
    orientation = orientation_of(turned)
    assert np.array_equal(orientation.canonical(turned.array), NUMBERED.array)
    assert orientation.canonical_spacing(turned) == (3.0, 2.0, 1.0)  # z, y, x
    assert np.array_equal(orientation.restore(NUMBERED.array), turned.array)


def test_a_head_first_supine_radiologic_array_is_worked_out_by_hand() -> None:
    # index x runs down, index y to the right, index z to the front of the patient (LPS: left, posterior, superior)
    volume = Volume(np.zeros((2, 3, 4)), (1.0, 2.0, 3.0), direction=(0, -1, 0, 0, 0, -1, -1, 0, 0))
    # up is along array axis 2 (index x) reversed, back along axis 0 (z) reversed, left along axis 1 (y) reversed
    assert orientation_of(volume) == Orientation((2, 0, 1), (True, True, True))
    assert orientation_of(volume).canonical_spacing(volume) == (1.0, 3.0, 2.0)
    assert orientation_of(volume).canonical(volume.array).shape == (4, 2, 3)


def test_canonical_is_a_view() -> None:
    turned = turn_volume(NUMBERED, ((2, 0, 1), (True, False, True)))
    assert np.shares_memory(orientation_of(turned).canonical(turned.array), turned.array)


@pytest.mark.parametrize("degrees", [(20, 0, 0), (0, -25, 0), (0, 0, 30), (15, 20, -25)])
def test_an_oblique_volume_goes_to_the_nearest_axes(degrees: tuple[float, float, float]) -> None:
    tilt = rotation(*degrees)
    for turn in TURNS:
        straight = turn_volume(NUMBERED, turn)
        oblique = Volume(straight.array, straight.spacing_mm, straight.origin, tuple((tilt @ straight.matrix).ravel().tolist()))
        assert orientation_of(oblique) == orientation_of(straight)


def test_two_axes_never_claim_the_same_direction() -> None:
    # turned 50 degrees about x and 40 about y: taken one by one, two array axes have their largest part along the same patient axis
    for degrees in [(50, 40, 0), (44, 44, 44), (50, 50, 50), (40, -50, 46)]:
        orientation = orientation_of(Volume(NUMBERED.array, direction=tuple(rotation(*degrees).ravel().tolist())))
        assert sorted(orientation.axes) == [0, 1, 2]
        assert np.array_equal(orientation.restore(orientation.canonical(NUMBERED.array)), NUMBERED.array)
