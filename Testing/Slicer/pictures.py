"""A panel as a picture, without a screen."""

from __future__ import annotations

from pathlib import Path

import slicer

WIDTH = 420
"""Pixels: about what Slicer's module panel has."""
_TALL = 3000


def grab(widget, path, width=WIDTH):
    """Write a widget as a PNG, as high as its contents need at this width; it is taken out of its layout."""
    import qt

    page = qt.QWidget()
    layout = qt.QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(widget)
    layout.addStretch(1)
    widget.show()
    page.setFixedSize(width, _TALL)
    page.show()
    for _ in range(3):  # a wrapped text tells its height once it knows its width
        slicer.app.processEvents()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if not page.grab(qt.QRect(0, 0, width, widget.height)).save(str(path)):
        raise OSError(f"{path} cannot be written")
    widget.setParent(None)
