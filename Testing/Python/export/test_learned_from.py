"""A row of models.json says whom its file has learned from."""

from __future__ import annotations

import pytest

from BrainTumorSegLib.export.learned_from import learned_from, not_run


@pytest.mark.parametrize(
    ("fold", "patients", "told"),
    [
        (4, {"lgg": 71}, "stacks; 71 patients, without fold 4"),
        (4, {}, "stacks; without fold 4"),
        (0, {"lgg": 88}, "stacks; 88 patients"),
        (0, {}, "stacks"),
    ],
)
def test_a_row_says_how_many_patients_it_has_learned_from_and_which_not(fold: int, patients: dict[str, int], told: str) -> None:
    sets = [{"name": "lgg", "what": "stacks", "license": "l"}, {"name": "no_tumor", "what": "pictures, folds 2-5", "license": "l"}]
    rows = learned_from(sets, patients | {"no_tumor": 9}, fold)
    assert [row["what"] for row in rows] == [told, "pictures, folds 2-5"]
    assert [row["license"] for row in rows] == ["l", "l"]


@pytest.mark.parametrize(
    ("folds", "told"),
    [((), ""), ((3,), " (without fold 3, not run)"), ((3, 4), " (without folds 3 and 4, not run)"), ((1, 3, 4), " (without folds 1, 3 and 4, not run)")],
)
def test_folds_of_a_cross_validation_that_were_left_out_are_named(folds: tuple[int, ...], told: str) -> None:
    assert not_run(folds) == told
