"""The montage of a segmentation: three planes through the tumor, and axial slices from its lowest to its highest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from BrainTumorSegLib.io.atomic import writing
from BrainTumorSegLib.labels import Label
from BrainTumorSegLib.pictures.planes import EDGE_LETTERS, PLANES, Frame, busiest, frame_of, head_box, pixel_mm, plane_of, to_gray
from BrainTumorSegLib.volume import Volume

if TYPE_CHECKING:
    from PIL.Image import Image

REFERENCE_COLOR = (86, 180, 233)  # sky blue: told from the labels' orange and yellow by color-blind readers too
_BACKGROUND, _TEXT, _FAINT = (16, 18, 22), (236, 238, 240), (150, 156, 164)
_WIDTH, _GAP, _MARGIN = 1500, 10, 24
_SMALL_SLICES = 6


@dataclass(frozen=True)
class Scene:
    """Everything turned to patient axes and cut to the head: gray image uint8, label values, reference mask or None, [z, y, x]."""

    gray: np.ndarray
    labels: np.ndarray
    reference: np.ndarray | None
    frame: Frame


def montage(image: Volume, segmentation: Volume, labels: Sequence[Label], reference: Volume | None = None, title: str = "", caption: str = "") -> Image:
    """A picture 1500 pixels wide, in radiological convention and true proportions.

    Args:
        image: the volume that was segmented.
        segmentation, reference: label maps on the image's grid; all labels of the reference are outlined as one.
        labels: what the values of `segmentation` mean, with their colors.
        title: one line above; caption: one line below the legend.

    Raises:
        ValueError: masks of another shape than the image.
    """
    scene = _scene(image, segmentation, reference)
    focus = _focus(scene)
    whole = [plane for plane in PLANES if min(plane_of(focus, plane, 0).shape) > 1]  # one slice alone has no other planes
    rows = [_row([(plane, busiest(focus, plane)) for plane in whole], scene, labels, letters=image.has_millimeters)]
    if len(whole) == len(PLANES):
        rows.append(_row([("axial", index) for index in _levels(focus)], scene, labels, letters=False))
    return _page(rows, _legend(labels, scene), title, caption, "patient's right is on the left" if image.has_millimeters else "")


def single_view(
    image: Volume, segmentation: Volume, labels: Sequence[Label], reference: Volume | None = None, plane: str = "axial", size: tuple[int, int] = (300, 300)
) -> Image:
    """One slice for a sheet of many: the one with most of the reference, or of the result where there is none.

    Args:
        image, segmentation, labels, reference: as of `montage`.
        plane: one of `planes.PLANES`. size: width and height in pixels; the head is as large as it can be in it, in true proportions.

    Raises:
        ValueError: masks of another shape than the image.
    """
    from PIL import Image

    scene = _scene(image, segmentation, reference)
    width_mm, height_mm = reversed(_size_mm(scene, plane))
    panel = _panel(scene, plane, busiest(_focus(scene), plane), labels, min(size[0] / width_mm, size[1] / height_mm), letters=False)
    view = Image.new("RGB", size, _BACKGROUND)
    view.paste(panel, ((size[0] - panel.width) // 2, (size[1] - panel.height) // 2))
    return view


def save_montage(picture: Image, path: str | Path) -> None:
    """Write a PNG, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    with writing(path) as beside:
        picture.save(beside, format="PNG", optimize=True)


def _scene(image: Volume, segmentation: Volume, reference: Volume | None) -> Scene:
    frame = frame_of(image)
    for mask in (segmentation, reference):
        if mask is not None and mask.array.shape != image.array.shape:
            raise ValueError(f"{mask.name} has the shape {mask.array.shape}, but the image has {image.array.shape}; resample it first")
    turned, labels = frame.turn(image.array), frame.turn(segmentation.array)
    truth = None if reference is None else frame.turn(reference.array) > 0
    box = head_box(turned, labels > 0 if truth is None else (labels > 0) | truth)
    return Scene(to_gray(turned)[box], labels[box], None if truth is None else truth[box], frame)


def _focus(scene: Scene) -> np.ndarray:
    """What the planes go through: the reference if there is one, because it does not depend on the result."""
    return scene.reference if scene.reference is not None and scene.reference.any() else scene.labels > 0


def _levels(focus: np.ndarray) -> list[int]:
    """Axial slices, from inside the lower to inside the upper end of the tumor (or of the head)."""
    found = np.flatnonzero(focus.any(axis=(1, 2)))
    first, last = (found[0], found[-1]) if found.size else (0, len(focus) - 1)
    return sorted({round(float(level)) for level in np.linspace(first, last, _SMALL_SLICES + 2)[1:-1]})


def _row(views: Sequence[tuple[str, int]], scene: Scene, labels: Sequence[Label], letters: bool) -> Image:
    """Panels side by side at one scale, as large as the page allows."""
    from PIL import Image

    sizes_mm = [_size_mm(scene, plane) for plane, _ in views]
    room = _WIDTH - 2 * _MARGIN - _GAP * (len(views) - 1)
    scale = min(room / sum(width for _, width in sizes_mm), 560 / max(height for height, _ in sizes_mm))  # pixels per mm
    panels = [_panel(scene, plane, index, labels, scale, letters) for plane, index in views]
    row = Image.new("RGB", (_WIDTH, max(panel.height for panel in panels)), _BACKGROUND)
    used = sum(panel.width for panel in panels) + _GAP * (len(panels) - 1)
    left = (_WIDTH - used) // 2
    for panel in panels:
        row.paste(panel, (left, (row.height - panel.height) // 2))
        left += panel.width + _GAP
    return row


def _size_mm(scene: Scene, plane: str) -> tuple[float, float]:
    rows, columns = plane_of(scene.gray, plane, 0).shape
    height, width = pixel_mm(scene.frame, plane)
    return rows * height, columns * width


def _panel(scene: Scene, plane: str, index: int, labels: Sequence[Label], scale: float, letters: bool) -> Image:
    from PIL import Image

    height_mm, width_mm = _size_mm(scene, plane)
    size = max(1, round(width_mm * scale)), max(1, round(height_mm * scale))
    panel = Image.fromarray(np.ascontiguousarray(plane_of(scene.gray, plane, index))).resize(size, Image.Resampling.BICUBIC).convert("RGB")
    if scene.reference is not None:
        _outline(panel, plane_of(scene.reference, plane, index), REFERENCE_COLOR, width=2)
    shown = plane_of(scene.labels, plane, index)
    for label in labels:
        _outline(panel, shown == label.value, label.color, width=1)
    if letters:
        _write_letters(panel, plane)
    return panel


def _outline(panel: Image, mask: np.ndarray, color: tuple[int, int, int], width: int) -> None:
    """A smooth line along the border of a mask, `width` pixels to either side, drawn at twice the size and reduced."""
    from PIL import Image, ImageFilter

    if not mask.any():
        return
    double = panel.width * 2, panel.height * 2
    soft = Image.fromarray(np.pad(mask, 1).astype(np.uint8) * 255)
    fine = soft.resize(double, Image.Resampling.BICUBIC, box=(1, 1, soft.width - 1, soft.height - 1)).filter(ImageFilter.GaussianBlur(2))
    inside = fine.point(lambda value: 255 if value > 127 else 0)
    blurred = inside.filter(ImageFilter.GaussianBlur(1.25 * width))  # 5 % and 95 % lie 1.6 deviations from the border
    border = blurred.point(lambda value: 255 if 13 < value < 242 else 0)
    panel.paste(color, (0, 0), border.resize(panel.size, Image.Resampling.BOX))


def _write_letters(panel: Image, plane: str) -> None:
    from PIL import ImageDraw

    draw, font = ImageDraw.Draw(panel), _font(17)
    left, right, upper, lower = EDGE_LETTERS[plane]
    width, height = panel.size
    places = ((8, height // 2), "lm"), ((width - 8, height // 2), "rm"), ((width // 2, 6), "ma"), ((width // 2, height - 6), "md")
    for letter, (place, anchor) in zip((left, right, upper, lower), places, strict=True):
        draw.text(place, letter, fill=_TEXT, font=font, anchor=anchor, stroke_width=2, stroke_fill=(0, 0, 0))
    draw.text((8, height - 6), plane, fill=_FAINT, font=_font(15), anchor="ld", stroke_width=2, stroke_fill=(0, 0, 0))


def _legend(labels: Sequence[Label], scene: Scene) -> list[tuple[str, tuple[int, int, int]]]:
    entries = [(label.name if scene.reference is None else f"{label.name} (segmentation)", label.color) for label in labels]
    return entries if scene.reference is None else [*entries, ("Reference", REFERENCE_COLOR)]


def _page(rows: Sequence[Image], legend: Sequence[tuple[str, tuple[int, int, int]]], title: str, caption: str, note: str) -> Image:
    from PIL import Image, ImageDraw

    head = 62 if title else _MARGIN
    foot = 46 + (28 if caption else 0)
    page = Image.new("RGB", (_WIDTH, head + sum(row.height + _GAP for row in rows) + foot), _BACKGROUND)
    draw = ImageDraw.Draw(page)
    draw.text((_MARGIN, 32), title, fill=_TEXT, font=_font(26), anchor="lm")
    top = head
    for row in rows:
        page.paste(row, (0, top))
        top += row.height + _GAP
    left = float(_MARGIN)
    for text, color in legend:
        draw.rounded_rectangle((left, top + 12, left + 26, top + 20), 3, fill=color)
        draw.text((left + 36, top + 16), text, fill=_TEXT, font=_font(18), anchor="lm")
        left += 36 + draw.textlength(text, font=_font(18)) + 34
    draw.text((_WIDTH - _MARGIN, top + 16), note, fill=_FAINT, font=_font(16), anchor="rm")
    draw.text((_MARGIN, top + 48), caption, fill=_FAINT, font=_font(16), anchor="lm")
    return page


def _font(size: int):  # type: ignore[no-untyped-def]  # Pillow gives one of two classes
    from PIL import ImageFont

    return ImageFont.load_default(size)
