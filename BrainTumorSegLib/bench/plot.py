"""The times of a benchmark as bars, an SVG drawn without any library."""

from __future__ import annotations

from html import escape
from typing import Any

_COLORS = {"fp32": "#0072b2", "dynamic": "#999999", "int8": "#d55e00"}  # told apart by color-blind readers too
_LEFT, _WIDTH, _BAR, _GAP, _TOP = 150, 460, 16, 14, 46


def draw_times(rows: list[dict[str, Any]], caption: str) -> str:
    """Milliseconds a slice of every model and precision, as SVG text; `rows` as `shipped.as_row` makes them."""
    longest = max((row[f"{name}_ms"] or 0.0 for row in rows for name in _COLORS), default=0.0) or 1.0
    parts, y = [], _TOP
    for row in rows:
        parts.append(_text(_LEFT - 8, y + 1.5 * _BAR + 5, row["name"], "end"))
        for name, color in _COLORS.items():
            milliseconds = row[f"{name}_ms"]
            if milliseconds is None:
                continue
            width = _WIDTH * milliseconds / longest
            parts.append(f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR - 2}" fill="{color}"/>')
            parts.append(_text(_LEFT + width + 5, y + _BAR - 4, f"{milliseconds:.1f} ms {name}", "start"))
            y += _BAR
        y += _GAP
    height = y + 16
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height}" font-family="sans-serif" font-size="12">'
    title = _text(12, 20, "Milliseconds a slice, median; shorter is faster", "start")
    return "\n".join([head, '<rect width="100%" height="100%" fill="#ffffff"/>', title, *parts, _text(12, height - 6, caption, "start"), "</svg>"]) + "\n"


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#000000">{escape(words)}</text>'
