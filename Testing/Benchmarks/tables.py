"""The tables of the four papers with our figures beside theirs, from stored results.

    python -m Testing.Benchmarks.tables [--add RUN ...] [--add-export DIR ...]

RUN is a folder that `braintumorseg train paper-...` made, DIR one that `braintumorseg export RUN --data ...` made. Their scores
go to Testing/Benchmarks/results, and tables.md is written anew from all that is stored there. A row without a stored result
says "not run".
"""

from __future__ import annotations

import argparse
from pathlib import Path

from Testing.Benchmarks.published import PAPER_A, PAPER_B, PAPER_D, TITLES
from Testing.Benchmarks.results import RESULTS, Result, add_export, add_run, load, mean, shown
from Testing.Benchmarks.table_commands import commands
from Testing.Benchmarks.table_text import CONDITIONS, best, conditions, order_sentence, rise_sentence, section
from Testing.Benchmarks.tables_c import table_c

_KINDS = ("glioma", "meningioma", "pituitary")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--add", type=Path, nargs="+", default=[], metavar="RUN")
    parser.add_argument("--add-export", type=Path, nargs="+", default=[], metavar="DIR")
    arguments = parser.parse_args()
    for path in [*map(add_run, arguments.add), *map(add_export, arguments.add_export)]:
        print(path)
    target = Path(__file__).with_name("tables.md")
    target.write_text(all_tables(RESULTS))
    print(target)


def all_tables(results: Path) -> str:
    """tables.md."""
    head = """# The four papers' tables, re-run

Written by `python -m Testing.Benchmarks.tables` from `results/`; do not edit. The papers' figures were measured on their data and
splits, ours on ours: they stand side by side to compare methods within a column, not columns with each other. Our folds are by
patient; the papers' are by slice or not told. "not run" means that nobody trained the row yet. What the papers draw (training curves,
the same cases segmented by every variant) is redrawn from our runs in [figures](figures), by `python -m Testing.Benchmarks.figures`;
their slices are of Cheng's set (figshare 1512427, CC BY 4.0) for A, of BraTS 2018 to 2021 for C and of TCGA-LGG with the masks of
Buda et al. 2019 (doi:10.1016/j.compbiomed.2019.05.002, CC BY-NC-SA 4.0) for D.
"""
    return "\n".join([head, table_a(results), table_b(results), table_c(results), table_d(results)])


def table_a(results: Path) -> str:
    header = ["model", "paper: mean IoU", "ours: mean IoU", "tumor IoU", "Dice of tumor slices", *_KINDS, "false positives", "MB, paper", "MB, ours"]
    lines = [*header, "s/image, paper", "s/image, ours", *CONDITIONS]
    rows = []
    for (row, variant, precision), (iou, size_mb, seconds) in PAPER_A.items():
        for result in load("paper-a", variant, results=results) or [None]:
            files = result["files"] if result else {}
            stored = files.get(precision)
            scored = _one_fold(stored) if stored else result if precision == "fp32" else None
            ours = _scores_a(scored, stored)
            paper = [shown(iou, 4), shown(size_mb, 2), shown(seconds, 4)]
            rows.append([row, paper[0], *ours[:7], paper[1], ours[7], paper[2], ours[8], *conditions(scored and result)])
        if precision == "dynamic":
            rows += _static_rows(variant, results, len(lines))
    notes = """Mean IoU is Keras's BinaryIoU: one confusion matrix over all pixels of all slices, tumor-free ones included, then the mean of background
and tumor IoU; the background part is nearly 1, hence tumor IoU beside it. Dice is the mean over tumor slices, then of the three
types; false positives are tumor-free slices with more than 20 marked pixels of 224 x 224. The paper's DRQ is TensorFlow Lite's
dynamic range quantization: ours is onnxruntime's, and our static int8 stands below it. Its seconds are of a Tesla M10, ours of a CPU.
CBAM's channel MLP is shared, as Woo et al. define it; the paper's size fits one that is stored twice. The set is not quite the paper's:
the tumor-free slices are others, and folds are by patient."""
    order = order_sentence("mean IoU", {name: v[0] for (name, _, p), v in PAPER_A.items() if p == "fp32"}, _best_a(results))
    rise = rise_sentence({name: variant for (name, variant, p) in PAPER_A if p == "fp32"}, "paper-a", results)
    made = commands("paper-a", [(variant, False) for (_, variant, precision) in PAPER_A if precision == "fp32"], results)
    return section(TITLES["paper-a"], lines, rows, notes, order, rise, made)


def _one_fold(stored: dict) -> Result:
    return {"folds": {"0": {"scores": stored}}}


def _scores_a(result: Result | None, stored: dict | None) -> list[str]:
    if result is None:
        return ["not run", *["-"] * 8]
    kinds = [shown(mean(result, "by_kind", kind, "dice")) for kind in _KINDS]
    rate = mean(result, "false_positive_rate")
    text = [shown(mean(result, "mean_iou"), 4), shown(mean(result, "tumor_iou")), shown(mean(result, "tumor_slices", "dice")), *kinds]
    size, seconds = (stored["size_mb"], stored["seconds_per_image"]) if stored else (None, None)
    return [*text, "-" if rate is None else f"{100 * rate:.1f} %", shown(size, 2), shown(seconds, 4)]


def _static_rows(variant: str, results: Path, columns: int) -> list[list[str]]:
    rows = []
    for result in load("paper-a", variant, results=results):
        stored = result["files"].get("int8")
        if stored:
            ours = _scores_a(_one_fold(stored), stored)
            rows.append([f"{variant}, static int8", "-", *ours[:7], "-", ours[7], "-", ours[8], *conditions(result)])
    return rows


def _best_a(results: Path) -> dict[str, float | None]:
    rows = {name: variant for (name, variant, precision) in PAPER_A if precision == "fp32"}
    return best(rows, "paper-a", ("mean_iou",), results)


def table_b(results: Path) -> str:
    keys = ("dice", "iou", "precision", "recall")
    header = ["model", *[f"paper: {key}" for key in keys], *[f"per slice: {key}" for key in keys], *[f"pooled: {key}" for key in keys]]
    header += [*[f"with background: {key}" for key in keys], "false positives", *CONDITIONS]
    rows = []
    for variant, (row, *paper) in PAPER_B.items():
        for result in load("paper-b", variant, results=results) or [None]:
            cells = ["not run", *["-"] * 12]
            if result:
                cells = [shown(mean(result, way, key)) for way in ("per_slice", "pooled", "pooled_with_background") for key in keys]
                rate = mean(result, "false_positive_rate")
                cells.append("-" if rate is None else f"{100 * rate:.1f} %")
            rows.append([row, *[shown(v, 4) for v in paper], *cells, *conditions(result)])
    notes = """The paper's Dice and IoU belong to no single mask (0.7636 would be an IoU of 0.6176), its precision and recall imply a Dice of 0.975, so
they count background, and its Dice is that of the training curve at epoch 29; no held-out set is named. Hence three ways of ours: the
mean over tumor slices (patients of the set are not told apart), all pixels pooled, and the pooled mean over background and tumor."""
    variants = {row[0]: variant for variant, row in PAPER_B.items()}
    ours = best(variants, "paper-b", ("per_slice", "dice"), results)
    order = order_sentence("Dice", {row: dice for row, dice, *_ in PAPER_B.values()}, ours)
    made = commands("paper-b", [(variant, False) for variant in PAPER_B], results)
    return section(TITLES["paper-b"], header, rows, notes, order, rise_sentence(variants, "paper-b", results), made)


def table_d(results: Path) -> str:
    header = ["model", "paper: Dice", "paper: IoU", "ours: Dice", "ours: IoU", "pixel accuracy", "Dice per case", "IoU per case", "Dice of tumor slices"]
    rows = []
    paths = (("dice",), ("iou",), ("pixel_accuracy",), ("per_case", "dice"), ("per_case", "iou"), ("tumor_slices", "dice"))
    for variant, (row, dice, iou) in PAPER_D.items():
        for result in load("paper-d", variant, results=results) or [None]:
            cells = [shown(mean(result, *path), 4 if path == ("pixel_accuracy",) else 3) for path in paths] if result else ["not run", *["-"] * 5]
            rows.append([row, shown(dice), shown(iou), *cells, *conditions(result)])
    notes = """The paper does not say how it averages: ours are pooled over all pixels of the fold, per case in 3-D, and over tumor slices. Its split is not
told; ours is by patient. DeepLabV3, PSPNet and MA-Net have a ResNet-50 encoder. At half width MA-Net's last layer keeps its 16 channels:
with 8, all of them zero in most pixels of the tumors, it had a Dice of 0.0009 after 16 epochs."""
    variants = {row[0]: variant for variant, row in PAPER_D.items()}
    ours = best(variants, "paper-d", ("dice",), results)
    order = order_sentence("Dice", {row: dice for row, dice, _ in PAPER_D.values()}, ours)
    made = commands("paper-d", [(variant, False) for variant in PAPER_D], results)
    return section(TITLES["paper-d"], [*header, *CONDITIONS], rows, notes, order, rise_sentence(variants, "paper-d", results), made)


if __name__ == "__main__":
    main()
