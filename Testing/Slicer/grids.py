"""Grids as scanners store them, by hand: one volume's place in the patient for each way its axes can lie."""

from __future__ import annotations

import numpy as np

COS, SIN = np.cos(np.deg2rad(20)), np.sin(np.deg2rad(20))
# Columns are the RAS directions of i, j, k. Scanners mostly store LPS, which is the first.
DIRECTIONS = {
    "lps": [[-1, 0, 0], [0, -1, 0], [0, 0, 1]],
    "ras": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "left-handed": [[-1, 0, 0], [0, -1, 0], [0, 0, -1]],
    "sagittal": [[0, 0, 1], [-1, 0, 0], [0, -1, 0]],
    "oblique": [[-COS, 0, SIN], [0, -1, 0], [SIN, 0, COS]],
}
SPACING = (0.5, 2.0, 3.0)  # i, j, k
ORIGIN = (11.0, -7.0, 5.0)  # RAS


def ijk_to_ras(directions):
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(directions) * SPACING
    matrix[:3, 3] = ORIGIN
    return matrix
