"""The page of a model's robustness from what was measured: table, picture sheet, what is marked in heads without tumor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from Testing.Benchmarks.corruptions import CORRUPTIONS
from Testing.Benchmarks.table_text import markdown

TILE = 232
_BAR, _COLUMNS = 44, 7


def summarize(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    """Mean Dice by corruption and region over the cases that were measured under every one of `names`.

    Args:
        rows: one for each case and corruption: "case", "corruption", "dice" by region (None where the case has no such region).
        names: the corruptions, "none" among them.

    Returns:
        "n", "cases", and by corruption and region: "n", "dice", "difference" to "none" and "worst", the lowest difference of a case.
    """
    table = {(row["case"], row["corruption"]): row["dice"] for row in rows}
    cases = [case for case in dict.fromkeys(row["case"] for row in rows) if all((case, name) in table for name in names)]
    regions = list(table[cases[0], "none"]) if cases else []
    summary: dict[str, Any] = {"n": len(cases), "cases": cases, "corruptions": {}}
    for name in names:
        summary["corruptions"][name] = {}
        for region in regions:
            pairs = [(table[case, name][region], table[case, "none"][region]) for case in cases if table[case, "none"][region] is not None]
            if not pairs:
                continue
            found, before = np.array(pairs).T
            figures = {"dice": found.mean(), "difference": (found - before).mean(), "worst": (found - before).min()}
            summary["corruptions"][name][region] = {"n": len(pairs)} | {key: round(float(value), 4) for key, value in figures.items()}
    return summary


def dice_table(summary: dict[str, Any], left_out: Sequence[str] = ()) -> str:
    """A row for each corruption; `left_out` are those stated in mm where the spacing is unknown."""
    strength = {corruption.name: corruption.strength for corruption in CORRUPTIONS}
    regions = list(summary["corruptions"]["none"])
    header = ["corruption", "strength"]
    for region in regions:
        header += [f"{region} Dice (n = {summary['corruptions']['none'][region]['n']})", "difference", "worst case"]
    rows = []
    for name, scores in summary["corruptions"].items():
        cells = [f"{s['dice']:.3f} | {s['difference']:+.3f} | {s['worst']:+.3f}" for s in (scores[region] for region in regions)]
        rows.append([name, strength[name], *cells])
    rows += [[name, strength[name], *["spacing unknown | | "] * len(regions)] for name in left_out]
    return markdown(header, rows)


def false_table(rows: Sequence[dict[str, Any]]) -> str:
    """A row for each head or half head without tumor."""
    cells = [[row["case"], row["given"], f"{row['ml']:.2f}", "yes" if row["warnings"] else "no"] for row in rows]
    return markdown(["no tumor in", "given", "marked mL", "user warned"], cells)


def page(model: dict[str, Any], about: str, summary: dict[str, Any], false: Sequence[dict[str, Any]], picture: str | None, left_out: Sequence[str] = ()) -> str:
    """MODEL-robustness.md. `model`: "name", "sha256", "fold", "planes" as they were measured."""
    parts = [f"# {model['name']}: robustness\n"]
    parts.append(
        f"Measured on the shipped file (sha256 `{model['sha256'][:16]}…`), fold {model['fold']}, which it was not trained on, through the whole pipeline, "
        f"planes: {model['planes']}; `python -m Testing.Benchmarks.measure_robustness {model['name']}`.\n"
    )
    if summary["n"]:
        parts.append(
            f"{about}; mean 3-D Dice over {summary['n']} of the fold's cases ({', '.join(summary['cases'])}), difference to the same as they are, and the "
            "difference of the case that loses most. "
            "Under thick slices and turns the reference goes the same way as the image, and the result is scored on that grid. With so few cases "
            "differences below 0.01 say nothing, and a single case is an example, no mean.\n"
        )
        parts.append(dice_table(summary, left_out) + "\n")
    if picture:
        parts.append(f"![One case under each corruption: result in the labels' colors, reference in blue]({picture})\n")
    if false:
        parts.append("## Heads and halves of heads without tumor\n")
        clean = sum(row["ml"] <= 1 for row in false)
        parts.append(f"All that is marked here is false. At most 1 mL in {clean} of {len(false)}. A half begins 10 mm from the middle of the grid.\n")
        parts.append(false_table(false) + "\n")
    return "\n".join(parts)


def sheet(tiles: dict[str, Path], dice: dict[str, str], title: str) -> Image.Image:
    """The tiles of one case in rows of seven, each with its corruption and Dice."""
    rows = -(-len(tiles) // _COLUMNS)
    page = Image.new("RGB", (_COLUMNS * TILE, rows * (TILE + _BAR) + 30), (16, 18, 22))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(15)
    pen.text((8, 6), title, fill=(236, 238, 240), font=font)
    for i, (name, path) in enumerate(tiles.items()):
        left, top = i % _COLUMNS * TILE, 30 + i // _COLUMNS * (TILE + _BAR)
        page.paste(Image.open(path), (left, top + _BAR))
        pen.text((left + 8, top + 4), name, fill=(236, 238, 240), font=font)
        pen.text((left + 8, top + 23), dice.get(name, ""), fill=(150, 156, 164), font=font)
    return page
