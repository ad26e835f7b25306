"""What goes into a segmentation: several sequences, their grids, and what is refused or warned of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference.inputs import check_inputs
from BrainTumorSegLib.inference.options import SegmentOptions
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.pipeline import segment
from BrainTumorSegLib.progress import CancelToken
from BrainTumorSegLib.volume import Volume
from Testing.Python.tiny import CountingSession, ball_head, head_with_tumor, tiny_model


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """What is brighter than 1.8 times mean tissue is tumor."""
    return Session(tiny_model(tmp_path, edge=1.8), threads=1)


def test_several_sequences_are_channels_in_the_models_order_and_t1ce_gives_the_grid(session: Session, tmp_path: Path) -> None:
    model = tiny_model(tmp_path, inputs=["flair", "t1ce"])
    seen = []

    class Looking(CountingSession):
        def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
            seen.append(slices.max((0, 2, 3)))
            return super().run(slices, cancel)

    volume = head_with_tumor()
    plain = ball_head((24, 24, 24), (5.0, 5.0, 5.0))
    result = segment({"t1ce": volume, "flair": plain}, Looking(model), SegmentOptions(planes="axial"))  # type: ignore[arg-type]
    assert np.max(seen, 0) == pytest.approx([1.0, 300 / (volume.array.sum() / (volume.array > 0).sum())], rel=1e-3)
    assert (result.inputs, result.ignored) == (("flair", "t1ce"), ())
    assert result.labels.same_grid(volume)


def test_a_sequence_the_model_does_not_read_never_gives_the_grid(tmp_path: Path) -> None:
    session = Session(tiny_model(tmp_path, edge=1.8, inputs=["t1"]), threads=1)
    volume = head_with_tumor()
    result = segment({"t1ce": ball_head((20, 20, 20), (6.0, 6.0, 6.0)), "t1": volume}, session, SegmentOptions())
    assert result.labels.same_grid(volume)
    assert result.voxels == {"tumor": 120}


def test_sequences_of_different_places_are_refused(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, inputs=["t1ce", "flair"])
    volumes = {"t1ce": head_with_tumor(), "flair": ball_head((24, 24, 24), (5.0, 5.0, 5.0), origin=(0.0, 0.0, 111.0), name="flair.nii")}
    with pytest.raises(InputError, match=r"flair\.nii shows another place than volume.*; register"):  # 2 of 24 slices are shared
        check_inputs(volumes, model)


def test_pictures_of_different_sizes_are_refused(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, inputs=["t1ce", "flair"])
    arrays = {"t1ce": np.arange(900.0).reshape(1, 30, 30), "flair": np.arange(1200.0).reshape(1, 30, 40)}
    pictures = {role: Volume(array, has_millimeters=False, name=role) for role, array in arrays.items()}
    with pytest.raises(InputError, match="flair has another size than t1ce, but a picture has no millimeters"):
        check_inputs(pictures, model)


# --- bad input


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "head has 2 voxels that are NaN or infinite"), (np.inf, "head has 2 voxels that are NaN or infinite"), (None, "head is constant")],
)
def test_voxels_that_cannot_be_used_are_refused_with_their_count(session: Session, value: float | None, message: str) -> None:
    array = head_with_tumor().array.astype(np.float32) if value is not None else np.full((24, 24, 24), 7.0)
    array.flat[:2] = 7.0 if value is None else value
    with pytest.raises(InputError, match=message):
        segment({"t1ce": Volume(array, (5.0, 5.0, 5.0), name="head")}, session, SegmentOptions())


def test_a_role_that_does_not_exist_is_named(session: Session) -> None:
    volume = head_with_tumor()
    with pytest.raises(InputError, match="adc, dwi is no sequence, but inputs are t1, t1ce, t2, flair; name the volumes so"):
        segment({"t1ce": volume, "dwi": volume, "adc": volume}, session, SegmentOptions())


def test_a_missing_role_is_named(session: Session) -> None:
    with pytest.raises(InputError, match="tiny needs t1ce, which is not given; add it or choose another model"):
        segment({"t1": head_with_tumor()}, session, SegmentOptions())


@pytest.mark.parametrize(
    ("spacing_mm", "warning"),
    [
        ((5.0, 5.0, 5.0), []),
        ((1.0, 1.0, 1.0), ["head is 24 x 24 x 24 mm, which is no usual size of a head; check its spacing"]),
        ((1.0, 5.0, 5.0), []),  # a slab is thin in one direction
        ((22.0, 5.0, 5.0), ["head is 120 x 120 x 528 mm, which is no usual size of a head; check its spacing"]),
    ],
)
def test_a_doubtful_size_is_a_warning(session: Session, spacing_mm: tuple[float, float, float], warning: list[str]) -> None:
    volume = Volume(head_with_tumor().array, spacing_mm, name="head")
    assert check_inputs({"t1ce": volume}, session.model) == warning
