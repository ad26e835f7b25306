"""The model card: what a model finds, was trained on and scores, with pictures of best, median and worst cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from BrainTumorSegLib.data.slice_set import TUMOR_BIT, SliceSet
from BrainTumorSegLib.export.learned_from import loss_sentence, not_run
from BrainTumorSegLib.labels import SCHEMES
from BrainTumorSegLib.metrics.overlap import dice
from BrainTumorSegLib.training.validation import FALSE_POSITIVE_PIXELS, Predictor, predict_slices

_REFERENCE_COLOR = (86, 180, 233)
_TILE, _ZOOM, _BAR = 288, 3, 26
_RANKS = (("best", 1.0), ("good", 0.75), ("median", 0.5), ("poor", 0.25), ("worst", 0.0))


def write_card(folder: Path, row: dict[str, Any], validation: SliceSet | None, predict: Predictor) -> None:
    """Write NAME-card.md to `folder` from a row of models.json, and NAME-cases.png where there are slices of patients not trained on."""
    picture = None
    if validation is not None:
        picture = f"{row['name']}-cases.png"
        page = draw_cases(predict_slices(predict, validation, threshold=row["threshold"]), validation, SCHEMES[row["scheme"]][0].color)
        page.save(folder / picture, optimize=True)
    (folder / f"{row['name']}-card.md").write_text(card_text(row, picture))


def draw_cases(masks: np.ndarray, slices: SliceSet, color: tuple[int, int, int]) -> Image.Image:
    """One row per tumor type, from the best scored slice to the worst; prediction in `color`, reference in blue."""
    truth = (slices.targets & TUMOR_BIT) > 0
    tumors = np.flatnonzero(truth.any((1, 2)))
    scores = np.array([dice(masks[i], truth[i]) for i in tumors])
    kinds = sorted(set(slices.kind[tumors].tolist()))
    page = Image.new("RGB", (_TILE * len(_RANKS), (_TILE + _BAR) * len(kinds) + _BAR), (16, 18, 22))
    for r, kind in enumerate(kinds):
        members = tumors[slices.kind[tumors] == kind]
        ranked = members[np.argsort(scores[slices.kind[tumors] == kind], kind="stable")]
        for c, (rank, share) in enumerate(_RANKS):
            i = ranked[round(share * (len(ranked) - 1))]
            left, top = c * _TILE, r * (_TILE + _BAR)
            page.paste(_tile(slices.tissue(np.array([i]))[0], masks[i], truth[i], color), (left, top + _BAR))
            _write(page, (left + 6, top + 5), f"{kind}, {rank}: Dice {dice(masks[i], truth[i]):.2f}")
    _legend(page, color)
    return page


def _tile(tissue: np.ndarray, mask: np.ndarray, truth: np.ndarray, color: tuple[int, int, int]) -> Image.Image:
    gray = np.clip(tissue / max(float(np.percentile(tissue, 99.5)), 1e-6) * 255, 0, 255).astype(np.uint8)
    size = (gray.shape[1] * _ZOOM, gray.shape[0] * _ZOOM)
    large = np.array(Image.fromarray(gray).resize(size, Image.Resampling.BICUBIC).convert("RGB"))
    for area, outline in ((truth, _REFERENCE_COLOR), (mask, color)):
        large[_outline(np.array(Image.fromarray(area).resize(size, Image.Resampling.NEAREST)))] = outline
    return Image.fromarray(large).resize((_TILE, _TILE), Image.Resampling.LANCZOS)


def _outline(area: np.ndarray, width: int = 4) -> np.ndarray:
    from scipy import ndimage

    return area & ~ndimage.binary_erosion(area, iterations=width)


def _write(page: Image.Image, place: tuple[int, int], text: str, fill: tuple[int, int, int] = (236, 238, 240)) -> None:
    ImageDraw.Draw(page).text(place, text, fill=fill, font=ImageFont.load_default(15))


def _legend(page: Image.Image, color: tuple[int, int, int]) -> None:
    top = page.height - _BAR + 5
    _write(page, (6, top), "reference", _REFERENCE_COLOR)
    _write(page, (90, top), "model", color)
    _write(page, (150, top), "ranked by Dice within each tumor type, on slices of patients not trained on", (150, 156, 164))


def card_text(row: dict[str, Any], picture: str | None) -> str:
    """The card in Markdown."""
    scores = row["scores"]
    kinds = "\n".join(f"| {kind} | {value:.3f} |" for kind, value in scores["dice_by_kind"].items())
    data = "\n".join(f"| {entry['name']} | {entry['what']} | {entry['license']} |" for entry in row["training_data"])
    marked = f"{100 * scores['false_positive_rate']:.1f} % of {scores['n_tumor_free']} tumor-free slices"
    shown = f"![Best to worst cases of each tumor type]({picture})\n" if picture else ""
    return f"""# {row["name"]}: {row["title"][0].lower()}{row["title"][1:]}

{row["task"]} **Research only, not a medical device.**

- Network: {row["network"]}
- Input: {", ".join(row["inputs"])}; slices in the {", ".join(row["planes"])} plane, resampled to {240 / 224:.2f} mm
- File: `{row["file"]}`, {row["precision"]}, sha256 `{row["sha256"]}`
- License of the weights: {row["license"]}. {row["license_note"]}

## {"Scores" if "lost_on" in scores else "Scores of this file"}

On {scores["split"]} ({scores["average"]}; threshold {row["threshold"]}, no post-processing):

| | Dice |
|---|---|
| all {scores["n"]} {"patients" if _by_patient(scores) else "tumor slices"} | **{scores["dice"]:.3f}** |
{kinds}

- False positives: {marked} have more than {FALSE_POSITIVE_PIXELS} marked pixels.
{_pooled(scores)}
{loss_sentence(scores)}
{_cross_validation(scores)}
{shown}
## Trained on

| set | what | license |
|---|---|---|
{data}

## Not for

{_NOT_FOR[row["inputs"][0]]}
A result is a proposal that a person has to check.
"""


_NOT_FOR = {
    "t1ce": "Children, brains after surgery or radiation, other diseases (multiple sclerosis, stroke, infection), CT, T1 without contrast agent,\n"
    "and tumors other than glioma, meningioma and pituitary tumor were not trained on or not scored. A T1 without contrast agent that is\n"
    "given as T1ce is noticed in most volumes, but not in all ([how many](../scope.md)).",
    "flair": "Children, brains after surgery or radiation, other diseases, CT, other sequences than FLAIR, coronal and sagittal slices, brains without\n"
    "skull, and tumors other than lower-grade glioma were not trained on or not scored. Lesions of other diseases that are bright on FLAIR may be\n"
    "marked. Another sequence given as FLAIR is noticed in many volumes, but not in all ([how many](../scope.md)).",
}


def _by_patient(scores: dict[str, Any]) -> bool:
    return "median" in scores


def _pooled(scores: dict[str, Any]) -> str:
    if _by_patient(scores):
        return f"- Median over the patients: {scores['median']:.3f}."
    return f"""- Mean IoU as Aprianto & Riana 2025 count it (all pixels pooled, mean of background and tumor IoU): {scores["mean_iou"]:.3f} on tumor slices,
  {scores["mean_iou_with_tumor_free"]:.3f} with the tumor-free ones; tumor IoU alone {scores["tumor_iou"]:.3f}."""


def _cross_validation(scores: dict[str, Any]) -> str:
    if "cross_validation" not in scores:
        return ""
    result = scores["cross_validation"]
    folds = ", ".join(f"fold {fold} {entry['dice']:.3f} (n = {entry['n']})" for fold, entry in result["folds"].items())
    spread = f" Over all {result['n']} patients: median {result['median']:.3f}, standard deviation {result['spread']:.3f}." if "spread" in result else ""
    note = f" {result['note']}" if "note" in result else ""
    left_out = result.get("left_out", ())
    count = len(result["folds"]) + len(left_out)
    number = {4: "Four", 5: "Five"}.get(count, str(count))
    of = f", of {result['of']}" if "of" in result else ""
    return f"- {number}-fold cross-validation by patient{not_run(left_out)}, fp32{of}: mean Dice {result['mean_dice']:.3f} ({folds}).{spread}{note}\n"
