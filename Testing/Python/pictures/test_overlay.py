"""The montage: its proportions, its colors, and what it leaves out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.labels import SCHEMES, TUMOR
from BrainTumorSegLib.pictures.overlay import REFERENCE_COLOR, _panel, _scene, montage, save_montage, single_view
from BrainTumorSegLib.volume import Volume

_LABELS = SCHEMES["tumor"]


def _head(spacing: tuple[float, float, float] = (2.0, 2.0, 4.0)) -> Volume:
    z, y, x = np.ogrid[-1:1:16j, -1:1:40j, -1:1:32j]
    return Volume((np.sqrt(x**2 + y**2 + z**2) < 0.95).astype(np.uint8) * 100, spacing)


def _ball(head: Volume, radius: float) -> Volume:
    z, y, x = np.ogrid[-1:1:16j, -1:1:40j, -1:1:32j]
    return head.like((np.sqrt((x + 0.3) ** 2 + y**2 + z**2) < radius).astype(np.uint8))


def _near(picture: Image.Image, color: tuple[int, int, int]) -> int:
    return int((np.abs(np.asarray(picture).astype(int) - color).max(axis=2) < 12).sum())


def test_segmentation_and_reference_are_outlined_in_their_colors() -> None:
    head = _head()
    both = montage(head, _ball(head, 0.3), _LABELS, _ball(head, 0.4), title="A", caption="b")
    empty = montage(head, _ball(head, 0.0), _LABELS)
    assert both.size[0] == 1500
    assert _near(both, REFERENCE_COLOR) > 2000
    assert _near(both, TUMOR.color) > 1000
    assert _near(empty, REFERENCE_COLOR) == 0
    assert _near(empty, TUMOR.color) < 300  # the legend only


@pytest.mark.parametrize(("slice_mm", "ratio"), [(2.0, 0.5), (6.0, 1.5)])  # 16 slices over 32 columns of 2 mm
def test_proportions_are_those_of_the_patient(slice_mm: float, ratio: float) -> None:
    head = _head((2.0, 2.0, slice_mm))
    panel = _panel(_scene(head, _ball(head, 0.3), None), "coronal", 20, _LABELS, scale=5.0, letters=True)
    assert panel.height / panel.width == pytest.approx(ratio, rel=0.05)


def test_a_picture_has_one_panel_and_no_sides() -> None:
    plane = Volume(_head().array[8:9], has_millimeters=False)
    picture = montage(plane, plane.like(_ball(_head(), 0.4).array[8:9]), _LABELS)
    assert _near(picture, TUMOR.color) > 300
    assert picture.height < 750


def test_a_single_view_goes_through_most_of_the_reference_and_fits_its_tile() -> None:
    head = _head((2.0, 2.0, 2.0))
    segmentation, reference = head.array * 0, head.array * 0
    segmentation[4, 15:25, 10:20] = 1
    reference[12, 15:25, 10:20] = 1
    view = single_view(head, head.like(segmentation), _LABELS, head.like(reference), size=(200, 150))
    alone = single_view(head, head.like(segmentation), _LABELS, size=(200, 150))
    assert view.size == alone.size == (200, 150)
    assert _near(view, REFERENCE_COLOR) > 50 and _near(view, TUMOR.color) == 0  # slice 12
    assert _near(alone, TUMOR.color) > 30  # slice 4
    columns = np.flatnonzero((np.asarray(view).max(axis=2) > 100).any(axis=0))
    assert columns[-1] - columns[0] == pytest.approx(84, abs=3)  # 45 mm wide in slice 12, where the tallest slice's 80 mm take 150 pixels


def test_masks_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="resample it first"):
        montage(_head(), Volume(np.zeros((2, 2, 2))), _LABELS)


def test_the_picture_is_saved_whole_or_not_at_all(tmp_path: Path) -> None:
    picture = Image.new("RGB", (30, 20))
    save_montage(picture, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as saved:
        assert saved.size == picture.size
    with pytest.raises(InputError, match="its folder does not exist"):
        save_montage(picture, tmp_path / "no" / "a.png")
