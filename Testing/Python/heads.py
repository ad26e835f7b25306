"""A head with the textbook contrasts of each sequence, for tests that tell sequences apart."""

from __future__ import annotations

import numpy as np

# Gray values of white matter, gray matter, fluid and vessels, as each sequence shows them (white matter of T1 = 1).
CONTRASTS = {
    "t1": {"white": 1.0, "gray": 0.8, "fluid": 0.35, "vessel": 1.05},
    "t1ce": {"white": 1.0, "gray": 0.85, "fluid": 0.35, "vessel": 2.2},
    "t2": {"white": 0.8, "gray": 1.1, "fluid": 2.6, "vessel": 0.5},
    "flair": {"white": 0.85, "gray": 1.25, "fluid": 0.12, "vessel": 1.5},
}


def head(role, shape=(40, 60, 50)):
    """An ellipsoid of white matter under a rim of gray matter, two ventricles in its middle, some vessels, and noise."""
    values = CONTRASTS[role]
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    radius = np.sqrt(x**2 + y**2 + z**2)
    image = np.where(radius < 0.95, values["gray"], 0.0)
    image[radius < 0.8] = values["white"]
    image[np.sin(14 * x) * np.sin(14 * y) > 0.75] *= values["gray"] / values["white"]
    for side in (-1, 1):
        image[np.sqrt(((x - side * 0.1) / 0.06) ** 2 + (y / 0.25) ** 2 + (z / 0.2) ** 2) < 1] = values["fluid"]
    vessels = (np.abs(x) < 0.03) & (y > 0.2) & (radius < 0.95)
    image[vessels] = values["vessel"]
    noise = np.random.default_rng(1).normal(0, 0.03, shape)
    return np.where(radius < 0.95, np.abs(image + noise), 0.0).astype(np.float32) * 300
