"""Score `glioma-regions` on whole cases it was not trained on, through the whole pipeline, and draw them.

    python -m Testing.Benchmarks.score_regions --data DIR --fold N -o OUT [--planes auto|axial] [--thorough] [--roles t1 t1ce t2 flair]
    python -m Testing.Benchmarks.score_regions --data DIR --models MODELS -o OUT [--folds 1 2 3 4 5] [...]

DIR holds the public set brats. The first form scores the shipped model; fold N must have been kept out of its training.
The second is a cross-validation: MODELS holds fold1, fold2 and so on, each a folder that `braintumorseg export` made of the
run that kept out this fold, and every case is segmented by the one that has not seen its patient; --folds names those that
were run. OUT then receives cross_validation.json too, for `braintumorseg export --cross-validation`, and with --subsets all
15 subsets of sequences are scored for it, on axial slices. OUT receives scores.md and scores.json (Dice and HD95 of each
nested region by case, with mean and median, false enhancing tumor in mL, seconds by stage), a PNG of each case in the three
planes, and cases.png: from the best case to the worst, reference and result side by side.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from BrainTumorSegLib import api
from BrainTumorSegLib.data.glioma_cases import FOLDS
from BrainTumorSegLib.inference.models import find_model, list_models
from BrainTumorSegLib.labels import BRATS_ET, ET, REGIONS, ROLES, SCHEMES
from BrainTumorSegLib.metrics.overlap import dice
from BrainTumorSegLib.pictures.overlay import montage, save_montage
from BrainTumorSegLib.training.region_scores import subset_name, subsets, summary
from Testing.Benchmarks.brats_volumes import brats_volumes

_KEYS = tuple(region.key for region in REGIONS["glioma"])
_TILE, _BAR = 300, 28


@dataclass(frozen=True)
class Scored:
    """One case: its scores by region, and the axial slice with most tumor for the picture."""

    name: str
    dice: dict[str, float | None]
    hd95_mm: dict[str, float | None]
    false_et_ml: float | None
    seconds: dict[str, float]
    slices: dict[str, np.ndarray]

    @property
    def mean(self) -> float:
        return float(np.mean([value for value in self.dice.values() if value is not None]))


def score(name: str, volumes: dict[str, api.Volume], reference: api.Volume, result: api.Segmentation) -> Scored:
    """Regions that the case does not have are not scored; ET found in their place is counted in mL."""
    rows = {row.class_: row for row in api.evaluate(result.labels, reference, name, "glioma").rows}
    has = {key: rows[key].counts.reference > 0 for key in _KEYS}
    seen = [key for key in _KEYS if has[key] and not (key == "ET" and "ET" in result.unsupported)]
    busiest = int(np.argmax(np.count_nonzero(reference.array, axis=(1, 2))))
    shown = {"FLAIR": volumes["flair"].array, "T1ce": volumes["t1ce"].array, "reference": reference.array, "result": result.labels.array}
    return Scored(
        name,
        {key: rows[key].dice if key in seen else None for key in _KEYS},
        {key: rows[key].hd95_mm if key in seen else None for key in _KEYS},
        None if has["ET"] else rows["ET"].counts.prediction * reference.voxel_ml,
        result.seconds,
        {title: array[busiest] for title, array in shown.items()},
    )


def means(cases: list[Scored]) -> dict[str, Any]:
    """Over the cases that have the region; HD95 over those where it is defined, the others counted."""
    summary: dict[str, Any] = {"n": len(cases)}
    for key in _KEYS:
        overlaps = [case.dice[key] for case in cases if case.dice[key] is not None]
        hd95 = [case.hd95_mm[key] for case in cases if case.hd95_mm[key] is not None]
        if overlaps:
            summary[key] = {"n": len(overlaps), "dice": round(float(np.mean(overlaps)), 4), "dice_sd": round(float(np.std(overlaps)), 4)}
            summary[key] |= {
                "hd95_mm": round(float(np.mean(hd95)), 2),
                "hd95_mm_median": round(float(np.median(hd95)), 2),
                "hd95_undefined": len(overlaps) - len(hd95),
            }
    false = [case.false_et_ml for case in cases if case.false_et_ml is not None]
    return summary | {"n_without_et": len(false), "false_et_ml": [round(ml, 3) for ml in false]}


def table(cases: list[Scored], summary: dict[str, Any]) -> str:
    """scores.md."""

    def cell(value: float | None, digits: int) -> str:
        return "" if value is None else f"{value:.{digits}f}"

    lines = ["| case | " + " | ".join(f"{key} Dice | {key} HD95 mm" for key in _KEYS) + " | false ET mL | s |", "|---|" + "---|" * (2 * len(_KEYS) + 2)]
    for case in cases:
        scores = " | ".join(f"{cell(case.dice[key], 3)} | {cell(case.hd95_mm[key], 1)}" for key in _KEYS)
        lines.append(f"| {case.name} | {scores} | {cell(case.false_et_ml, 2)} | {case.seconds['total']:.1f} |")
    scores = " | ".join(f"{summary[key]['dice']:.3f} | {summary[key]['hd95_mm']:.1f}" if key in summary else " | " for key in _KEYS)
    return "\n".join([*lines, f"| **mean** | {scores} | | |"]) + "\n"


def draw(cases: list[Scored]) -> Image.Image:
    """A row for the best, the median and the worst case: FLAIR, T1ce, reference, result on the slice with most tumor."""
    ranked = sorted(cases, key=lambda case: -case.mean)
    chosen = dict.fromkeys([("best", ranked[0].name), ("median", ranked[len(ranked) // 2].name), ("worst", ranked[-1].name)])
    by_name = {case.name: case for case in cases}
    page = Image.new("RGB", (4 * _TILE, len(chosen) * (_TILE + _BAR) + _BAR), (16, 18, 22))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(16)
    for r, (rank, name) in enumerate(chosen):
        case, top = by_name[name], r * (_TILE + _BAR)
        words = ", ".join(f"{key} {value:.2f}" for key, value in case.dice.items() if value is not None)
        pen.text((8, top + 6), f"{rank}: {case.name}   Dice {words}", fill=(236, 238, 240), font=font)
        for c, title in enumerate(("FLAIR", "T1ce", "reference", "result")):
            gray = case.slices["T1ce"] if title != "FLAIR" else case.slices["FLAIR"]
            labels = case.slices[title] if title in ("reference", "result") else None
            page.paste(tile(gray, labels), (c * _TILE, top + _BAR))
            pen.text((c * _TILE + 8, top + _BAR + _TILE - 26), title, fill=(236, 238, 240), font=font)
    left = 8
    for label in SCHEMES["glioma"]:
        pen.rectangle((left, page.height - 20, left + 24, page.height - 10), fill=label.color)
        pen.text((left + 32, page.height - 24), label.name, fill=(236, 238, 240), font=font)
        left += 60 + round(pen.textlength(label.name, font=font))
    return page


def tile(gray: np.ndarray, labels: np.ndarray | None) -> Image.Image:
    """An axial slice as radiologists look at it (BraTS rows run to posterior, columns to the left), labels laid over it."""
    level = np.clip(gray / max(float(np.percentile(gray, 99.5)), 1e-6) * 255, 0, 255)
    color = np.repeat(level[..., None], 3, axis=2)
    for label in SCHEMES["glioma"] if labels is not None else ():
        mask = np.isin(labels, (label.value, 4) if label.key == "ET" else (label.value,))
        color[mask] = 0.45 * color[mask] + 0.55 * np.array(label.color)
    return Image.fromarray(color.astype(np.uint8)).resize((_TILE, _TILE), Image.Resampling.BICUBIC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--fold", type=int)
    which.add_argument("--models", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--folds", type=int, nargs="+", choices=FOLDS)
    parser.add_argument("--planes", default="auto")
    parser.add_argument("--thorough", action="store_true", help="every slice, mirrored ones too")
    parser.add_argument("--subsets", action="store_true")
    parser.add_argument("--roles", nargs="+", default=list(ROLES), choices=ROLES)
    arguments = parser.parse_args()
    if arguments.models is None and (arguments.folds or arguments.subsets):
        parser.error("--folds and --subsets are parts of a cross-validation: give its models with --models, or leave them out.")
    folds = arguments.folds or list(FOLDS)
    options = api.SegmentOptions(planes=arguments.planes, early_exit=False if arguments.thorough else None, mirrored=arguments.thorough)
    arguments.output.mkdir(parents=True, exist_ok=True)
    cases = []
    for name, volumes, reference, session in _unseen(arguments.data, arguments.fold, arguments.models, folds):
        result = api.segment({role: volumes[role] for role in arguments.roles}, session, options=options)
        cases.append(score(name, volumes, reference, result))
        print(name, {key: value and round(value, 3) for key, value in cases[-1].dice.items()}, result.seconds, flush=True)
        shown = volumes["t1ce"] if "t1ce" in arguments.roles else volumes["flair"]
        picture = montage(shown, result.labels, SCHEMES["glioma"], reference, title=name, caption=f"mean Dice {cases[-1].mean:.3f}")
        save_montage(picture, arguments.output / f"{name}.png")
    found_means = {**means(cases), "cases": {case.name: {"dice": case.dice, "hd95_mm": case.hd95_mm, "false_et_ml": case.false_et_ml} for case in cases}}
    (arguments.output / "scores.json").write_text(json.dumps(found_means, indent=1) + "\n")
    (arguments.output / "scores.md").write_text(table(cases, found_means))
    draw(cases).save(arguments.output / "cases.png", optimize=True)
    if arguments.models is not None:
        found = score_subsets(arguments.data, arguments.models, folds) if arguments.subsets else {}
        (arguments.output / "cross_validation.json").write_text(json.dumps(stated(cases, found, folds), indent=1) + "\n")
    print(table(cases, found_means), json.dumps({key: value for key, value in found_means.items() if key != "cases"}))


def score_subsets(data: Path, models: Path, folds: Sequence[int] = FOLDS) -> dict[str, list[dict[str, float | None]]]:
    """Dice of each region, by subset of sequences as `region_scores.subset_name` calls it, of every case, on axial slices."""
    found: dict[str, list[dict[str, float | None]]] = {subset_name(given): [] for given in subsets()}
    for name, volumes, reference, session in _unseen(data, None, models, folds):
        for given in subsets():
            chosen = {ROLES[i]: volumes[ROLES[i]] for i in given}
            result = api.segment(chosen, session, options=api.SegmentOptions(planes="axial"))
            found[subset_name(given)].append(dice_by_region(result, reference))
        print(name, "15 subsets", flush=True)
    return found


def dice_by_region(result: api.Segmentation, reference: api.Volume) -> dict[str, float | None]:
    """None for a region that the case does not have, or that these sequences cannot show."""
    truth = np.where(reference.array == BRATS_ET, ET.value, reference.array)
    scores: dict[str, float | None] = {}
    for region in REGIONS["glioma"]:
        real = np.isin(truth, region.values)
        is_seen = real.any() and region.key not in result.unsupported
        scores[region.key] = dice(np.isin(result.labels.array, region.values), real) if is_seen else None
    return scores


def stated(cases: list[Scored], by_subset: dict[str, list[dict[str, float | None]]], folds: Sequence[int] = FOLDS) -> dict[str, Any]:
    """cross_validation.json as `braintumorseg export` states it: means over all cases of `folds`, each by the network that has not seen it."""
    by_subset_kind = {name: {"dice_by_kind": summary({str(i): case for i, case in enumerate(scores)})["dice_by_kind"]} for name, scores in by_subset.items()}
    everything = summary({case.name: {**case.dice, "false_et_ml": case.false_et_ml} for case in cases})
    return {"through": "int8 files, whole pipeline", "folds": {str(fold): {} for fold in folds}, **everything, "subsets": by_subset_kind}


def _unseen(
    data: Path, fold: int | None, models: Path | None, folds: Sequence[int] = FOLDS
) -> Iterator[tuple[str, dict[str, api.Volume], api.Volume, api.Session]]:
    """(name, sequences, labels, session of a model that has not seen the patient) of each case."""
    if models is None:
        assert fold is not None
        session = api.open_model("glioma-regions")
        yield from ((*case, session) for case in brats_volumes(data, fold))
        return
    for fold in folds:
        session = api.Session(find_model("glioma-regions", list_models(models / f"fold{fold}")))
        yield from ((*case, session) for case in brats_volumes(data, fold))


if __name__ == "__main__":
    main()
