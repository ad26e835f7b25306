"""Which planes are segmented: those whose slices look like slices, else those the scanner took."""

from __future__ import annotations

import re

import pytest

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference.planes import acquisition_plane, choose_planes

ALL = ("axial", "coronal", "sagittal")
CUBE = (200, 200, 200)


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "plane"),
    [
        (CUBE, (5.0, 1.0, 1.0), "axial"),
        (CUBE, (1.0, 5.0, 1.0), "coronal"),
        (CUBE, (1.0, 1.0, 5.0), "sagittal"),
        (CUBE, (1.0, 1.0, 1.0), "axial"),
        (CUBE, (1.0, 1.2, 1.2), "coronal"),  # the first of the coarsest
        (CUBE, (1.0, 1.0, 1.0004), "axial"),  # rounding in a header is no anisotropy
        ((200, 1, 200), (5.0, 1.0, 1.0), "coronal"),  # a single slice lies where it lies
    ],
)
def test_the_acquisition_plane_is_stacked_along_the_coarsest_axis(shape: tuple[int, ...], spacing_mm: tuple[float, float, float], plane: str) -> None:
    assert acquisition_plane(shape, spacing_mm) == plane


@pytest.mark.parametrize(
    ("shape", "spacing_mm", "planes"),
    [
        (CUBE, (1.0, 1.0, 1.0), ALL),
        (CUBE, (1.9, 1.0, 1.0), ALL),
        (CUBE, (2.0, 1.0, 1.0), ("axial",)),  # not less than 2 times
        (CUBE, (6.0, 0.5, 0.5), ("axial",)),
        (CUBE, (0.5, 6.0, 0.5), ("coronal",)),
        (CUBE, (0.5, 0.5, 6.0), ("sagittal",)),
        (CUBE, (1.0, 1.5, 2.5), ("axial", "sagittal")),  # 1.5 to 2.5 and 1 to 1.5; coronal is 1 to 2.5
        ((60, 200, 200), (1.0, 1.0, 1.0), ("axial",)),  # a slab of 60 mm shows no head across
        ((80, 200, 200), (1.0, 1.0, 1.0), ALL),
        ((1, 200, 200), (5.0, 1.0, 1.0), ("axial",)),
        (CUBE, (4.0, 1.0, 9.0), ("sagittal",)),  # no plane is fit: the acquisition plane
        ((20, 20, 20), (1.0, 1.0, 1.0), ("axial",)),  # nowhere 80 mm: the acquisition plane
    ],
)
def test_auto_takes_every_plane_that_looks_like_one(shape: tuple[int, ...], spacing_mm: tuple[float, float, float], planes: tuple[str, ...]) -> None:
    assert choose_planes("auto", ALL, shape, spacing_mm) == planes


def test_auto_stays_with_the_planes_the_model_knows() -> None:
    assert choose_planes("auto", ("axial",), CUBE, (1.0, 1.0, 1.0)) == ("axial",)
    assert choose_planes("auto", ("sagittal", "axial"), CUBE, (1.0, 1.0, 1.0)) == ("sagittal", "axial")
    assert choose_planes("auto", ("axial", "coronal"), CUBE, (1.0, 1.0, 6.0)) == ("axial",)  # acquired sagittally, which it does not know


def test_a_choice_overrides() -> None:
    thick = (6.0, 1.0, 1.0)
    assert choose_planes("all", ALL, CUBE, thick) == ALL
    assert choose_planes("all", ("axial", "coronal"), CUBE, thick) == ("axial", "coronal")
    assert choose_planes("axial", ALL, CUBE, (1.0, 6.0, 1.0)) == ("axial",)
    assert choose_planes("acquisition", ALL, CUBE, (1.0, 6.0, 1.0)) == ("coronal",)


def test_a_plane_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(InputError, match="the coronal plane was asked for, but this model knows axial only; choose planes=auto"):
        choose_planes("acquisition", ("axial",), CUBE, (1.0, 6.0, 1.0))
    with pytest.raises(InputError, match="the axial plane was asked for, but this model knows coronal, sagittal only"):
        choose_planes("axial", ("coronal", "sagittal"), CUBE, (1.0, 1.0, 1.0))


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(InputError, match=re.escape("planes is 'both', but it must be one of auto, all, axial, acquisition")):
        choose_planes("both", ALL, CUBE, (1.0, 1.0, 1.0))
