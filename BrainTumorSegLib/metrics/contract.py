"""What every metric says when a mask is empty: the one place where it is decided.

| status         | prediction | reference | Dice, IoU, NSD | precision | recall    | HD95, ASSD |
|----------------|------------|-----------|----------------|-----------|-----------|------------|
| both empty     | empty      | empty     | 1              | 1         | 1         | 0          |
| missed         | empty      | not       | 0              | undefined | 0         | undefined  |
| false positive | not        | empty     | 0              | 0         | undefined | undefined  |
| ok             | not        | not       | computed       | computed  | computed  | computed   |

Undefined is None: it is counted and shown, never dropped in silence and never NaN. A penalty in its place is an
option that has to be named.
"""

from __future__ import annotations

from dataclasses import dataclass

OK = "ok"
BOTH_EMPTY = "both empty"
MISSED = "missed"
FALSE_POSITIVE = "false positive"

BRATS_PENALTY_MM = 374.0
"""What BraTS puts for an undefined HD95: the diagonal of its 240 x 240 x 155 mm grid, rounded up."""


@dataclass(frozen=True)
class EmptyScores:
    """The scores of a pair of which at least one mask is empty; None is undefined."""

    overlap: float
    precision: float | None
    recall: float | None
    distance: float | None


WHEN_EMPTY: dict[str, EmptyScores] = {
    BOTH_EMPTY: EmptyScores(overlap=1.0, precision=1.0, recall=1.0, distance=0.0),
    MISSED: EmptyScores(overlap=0.0, precision=None, recall=0.0, distance=None),
    FALSE_POSITIVE: EmptyScores(overlap=0.0, precision=0.0, recall=None, distance=None),
}


def status_of(prediction_voxels: int, reference_voxels: int) -> str:
    """`OK`, `BOTH_EMPTY`, `MISSED` or `FALSE_POSITIVE`, from the number of voxels (or border voxels) of each mask."""
    if prediction_voxels and reference_voxels:
        return OK
    if prediction_voxels:
        return FALSE_POSITIVE
    return MISSED if reference_voxels else BOTH_EMPTY
