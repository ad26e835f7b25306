"""The model card of a model of nested regions: what it finds with each subset of sequences, and what it was trained on."""

from __future__ import annotations

from typing import Any

from BrainTumorSegLib.export.learned_from import loss_sentence, not_run
from BrainTumorSegLib.labels import REGIONS


def card_text(row: dict[str, Any]) -> str:
    """The card in Markdown, from a row of models.json with scores; cross-validated ones come first where there are any."""
    scores = row["scores"]
    data = "\n".join(f"| {entry['name']} | {entry['what']} | {entry['license']} |" for entry in row["training_data"])
    lost = f"{sentence}\n" if (sentence := loss_sentence(scores)) else ""
    return f"""# {row["name"]}: {row["title"]}

{row["task"]} **Research only, not a medical device.**

- Network: {row["network"]}
- Input: any of {", ".join(row["inputs"])}, aligned with one another (other grids are resampled), without skull or [cut out](brain-mask.md) of whole heads
- Slices: {", ".join(row["planes"])}, resampled to {240 / 224:.2f} mm
- Output: 1 necrotic and non-enhancing core, 2 edema, 3 enhancing tumor; without T1ce enhancement cannot be seen, and what would be 3 is written as 1
- File: `{row["file"]}`, {row["precision"]}, sha256 `{row["sha256"]}`
- License of the weights: {row["license"]}. {row["license_note"]}

## Scores
{_cross_validation(scores)}
### {_place(scores)}

{_means(scores)}
{lost}{_by_subset(scores["subsets"])}
## Trained on

| set | what | license |
|---|---|---|
{data}

## Not for

Children, brains after surgery or radiation, other diseases (multiple sclerosis, stroke, infection), CT, tumors other than glioma,
and T1 without contrast agent in the place of T1ce were not trained on or not scored. A volume with more than
2 L of tissue is taken for a whole head, its brain is [cut out](brain-mask.md) first, and the user is told: of 156 volumes of brains none was
so taken, of 22 volumes of heads all were. Wrong sequences and missing contrast agent are noticed in most volumes, but not in all ([how many](../scope.md)).
A result is a proposal that a person has to check.
"""


def _cross_validation(scores: dict[str, Any]) -> str:
    if "cross_validation" not in scores:
        return ""
    result = scores["cross_validation"]
    return f"""
### {result["folds"]}-fold cross-validation by patient{not_run(result.get("left_out", ()))}, {result["through"]}

{_means(result)}
{_by_subset(result["subsets"])}"""


def _place(scores: dict[str, Any]) -> str:
    return f"On {scores['split']}" if "learned from all" in scores["split"] else f"This file, on {scores['split']}"


def _by_subset(scores: dict[str, dict[str, float]]) -> str:
    return f"\nBy sequences given, axial slices only:\n\n{_subsets(scores)}\n" if scores else ""


def _means(scores: dict[str, Any]) -> str:
    dice = ", ".join(f"{region.name} ({region.key}) {scores['dice_by_kind'][region.key]:.3f}" for region in _regions(scores["dice_by_kind"]))
    without = scores["n"] - scores["n_et"]
    false_et = f" Falsely enhancing in the {without} that have none: {scores['false_et_ml']:.2f} mL on average." if without else ""
    return f"Mean 3-D Dice over {scores['n']} cases, {scores['n_et']} of them with enhancing tumor: {dice}.{false_et}"


def _subsets(by_subset: dict[str, dict[str, float]]) -> str:
    keys = [region.key for region in REGIONS["glioma"]]
    lines = [f"| sequences | {' | '.join(keys)} |", f"|---|{'---|' * len(keys)}"]
    for name, dice in by_subset.items():
        cells = [f"{dice[key]:.3f}" if key in dice else "not visible" for key in keys]
        lines.append(f"| {name.replace('+', ', ')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _regions(dice: dict[str, float]) -> list[Any]:
    return [region for region in REGIONS["glioma"] if region.key in dice]
