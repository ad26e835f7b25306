"""A few scored slices with what a run predicted, the same ones for every variant, kept for figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from BrainTumorSegLib.data.example_set import ExampleSet

SHOWN = "shown.npz"
_MOST = 6


def choose_shown(examples: ExampleSet) -> np.ndarray:
    """Indices of at most six tumor slices: of each tumor type, and within it from small to large tumors, of different cases.

    Only the reference decides, so that every variant shows the same slices.
    """
    areas = (examples.labels > 0).sum((1, 2))
    kinds = sorted(set(examples.kind[areas > 0].tolist()))
    chosen: list[int] = []
    for i, kind in enumerate(kinds):
        members = np.flatnonzero((areas > 0) & (examples.kind == kind))
        members = members[np.argsort(areas[members], kind="stable")]
        wanted = _MOST // len(kinds) + (i < _MOST % len(kinds))
        for share in np.linspace(0, 1, wanted + 2)[1:-1]:
            used = {(examples.source[j], examples.case[j]) for j in chosen}
            left = [j for j in members if (examples.source[j], examples.case[j]) not in used]
            if left:
                chosen.append(int(left[round(float(share) * (len(left) - 1))]))
    return np.array(chosen, int)


def save_shown(path: Path, examples: ExampleSet, predicted: np.ndarray) -> None:
    """Write images, reference and prediction of the chosen slices, compressed."""
    chosen = choose_shown(examples)
    np.savez_compressed(
        path,
        images=examples.intensities(chosen),
        labels=examples.labels[chosen],
        predicted=predicted[chosen],
        case=examples.case[chosen],
        kind=examples.kind[chosen],
    )
