"""A benchmark as a page for people: Markdown from the JSON document, every number of it measured or marked as another's."""

from __future__ import annotations

from typing import Any

from BrainTumorSegLib.bench.published import PAPER_A
from BrainTumorSegLib.bench.targets import missed_targets

PLOT = "benchmark.svg"
_TITLE = "# Speed and size"


def as_markdown(document: dict[str, Any]) -> str:
    """The page of one run of `braintumorseg benchmark`; `document` is its JSON."""
    machine = document["machine"]
    vnni = {True: "with int8 dot products (VNNI)", False: "without int8 dot products (VNNI)", None: "VNNI unknown"}[machine["vnni"]]
    parts = [
        _TITLE,
        f"Made by `{document['command']}` on {machine['cpu']} ({machine['cores']} cores, {vnni}), {machine['threads']} threads, "
        f"onnxruntime {machine['onnxruntime']}, provider {document['provider']}, {machine['system']}.",
        "Every network runs in a process of its own; the processes take turns, so that what slows the machine slows all of them. "
        f"Medians of {document['plan']['rounds']} batches of {document['plan']['batch']} slices; memory is the whole process's peak.",
        models_table(document["models"]) if document["models"] else "",
        f"![Milliseconds a slice]({PLOT})" if document["models"] else "",
        *_skipped(document["skipped"]),
        *_twin_note(document["models"]),
        "## The paper's way",
        f"Mean of {document['plan']['passes']} passes of one image, as system A's paper times its networks (on a Tesla M10). "
        "Ours and theirs stand on different machines: compare the ratios. DRQ is dynamic range quantization; int8 is ours (static, calibrated).",
        paper_table(document["models"]),
    ]
    if document["volumes"]:
        parts += ["## Whole volumes", volumes_table(document["volumes"])]
    parts += _limits(document)
    return "\n\n".join(part for part in parts if part) + "\n"


def models_table(rows: list[dict[str, Any]]) -> str:
    """Sizes, times, ratios, memory and Dice of every model."""
    head = [
        "model",
        "weights",
        "precision",
        "MB",
        "of fp32",
        "ms a slice",
        "times faster than fp32",
        "peak MB",
        "Dice",
        "mean IoU",
        "lost to fp32: Dice, mean IoU",
    ]
    lines = []
    for row in rows:
        for precision in ("fp32", "dynamic", "int8"):
            if row[f"{precision}_ms"] is None:
                continue
            ratio, speed = row.get(f"{precision}_size_ratio", 1.0), row.get(f"{precision}_speedup", 1.0)
            cells = [row["name"], row["weights"], precision, f"{row[f'{precision}_mb']:.2f}", f"{100 * ratio:.1f} %", f"{row[f'{precision}_ms']:.2f}"]
            iou = row.get(f"mean_iou_{precision}")
            scores = [_dice(row, precision), "" if iou is None else f"{iou:.4f}", _lost(row, precision)]
            lines.append([*cells, f"{speed:.2f}", f"{row['peak_mb'][precision]}", *scores])
    return _table(head, lines)


def paper_table(rows: list[dict[str, Any]]) -> str:
    """The paper's eight rows, and ours of the same variants where they were timed."""
    from BrainTumorSegLib.bench.variants import VARIANTS

    ours = {VARIANTS[row["name"]]: row for row in rows if row["name"] in VARIANTS}
    head = [
        "row",
        "paper: mean IoU",
        "paper: MB",
        "paper: ms",
        "paper: of fp32's time",
        "ours: MB",
        "ours: ms",
        "ours: of fp32's time",
        "ours int8: MB",
        "ours int8: ms",
    ]
    lines = []
    for (name, variant, precision), (mean_iou, megabytes, seconds) in PAPER_A.items():
        fp32_seconds = next(value[2] for key, value in PAPER_A.items() if key[1:] == (variant, "fp32"))
        cells = [name, f"{mean_iou:.4f}", f"{megabytes:.2f}", f"{1000 * seconds:.1f}", f"{100 * seconds / fp32_seconds:.0f} %"]
        row = ours.get(variant)
        lines.append(cells + (_our_cells(row, precision) if row else ["not measured"] * 5))
    return _table(head, lines)


def volumes_table(rows: list[dict[str, Any]]) -> str:
    """Seconds by stage and peak memory of whole volumes, ours and the others'."""
    head = ["program", "volume", "load s", "preprocess s", "inference s", "postprocess s", "write s", "total s", "peak MB", "note"]
    lines = []
    for row in rows:
        seconds = row.get("seconds", {})
        stages = [f"{seconds[stage]:.2f}" if stage in seconds else "" for stage in ("load", "preprocess", "inference", "postprocess", "write", "total")]
        lines.append([row["name"], row["volume"], *stages, f"{row['peak_mb']}" if "peak_mb" in row else "", row.get("note", "")])
    return _table(head, lines)


def limits_table(rows: list[dict[str, Any]]) -> str:
    """Multiplications and bytes of every model beside the least time that they take on this chip."""
    head = ["model", "precision", "GMAC a slice", "of these in int8", "MB moved", "multiplications: least ms", "bytes: least ms", "measured ms"]
    lines = []
    for row in rows:
        for precision, limits in row.get("limits", {}).items():
            share = f"{100 * limits['int8_gmac'] / limits['gmac']:.0f} %" if limits["gmac"] else ""
            cells = [row["name"], precision, f"{limits['gmac']:.2f}", share, f"{limits['moved_mb']:.0f}"]
            lines.append([*cells, f"{limits['compute_ms']:.2f}", f"{limits['memory_ms']:.2f}", f"{row[f'{precision}_ms']:.2f}"])
    return _table(head, lines)


def _limits(document: dict[str, Any]) -> list[str]:
    rates, missed = document["machine"].get("rates"), missed_targets(document)
    parts = ["## What limits it"] if rates or missed else []
    if rates:
        float_rate, int8_rate, bytes_rate = (rates[key] / 1e9 for key in ("float_macs", "int8_macs", "moved_bytes"))
        parts += [
            f"This chip multiplies {float_rate:.0f} thousand million pairs a second in float32 and {int8_rate:.0f} in int8 (matrix products of "
            f"1024 x 1024), and moves {bytes_rate:.0f} GB a second. No network is faster than its multiplications allow; its bytes are counted as if "
            "no cache spared any, so that a network whose layers fit into the caches can be faster than they say.",
            limits_table(document["models"]) if document["models"] else "",
        ]
    return [*parts, "\n".join(f"- Missed: {line}" for line in missed)]


def _our_cells(row: dict[str, Any], precision: str) -> list[str]:
    times = row["single_image_ms"]
    cells = [f"{row[f'{precision}_mb']:.2f}", f"{times[precision]:.1f}", f"{100 * times[precision] / times['fp32']:.0f} %"]
    return cells + ([f"{row['int8_mb']:.2f}", f"{times['int8']:.1f}"] if precision == "dynamic" else ["", ""])


def _dice(row: dict[str, Any], precision: str) -> str:
    value = row.get(f"dice_{precision}")
    return "" if value is None else f"{value:.4f} ({row['dice_source'][precision]})"


def _lost(row: dict[str, Any], precision: str) -> str:
    """What a quantized file has less than fp32, of the scores that both have from the same source."""
    if precision == "fp32":
        return ""
    pairs = [(row.get(f"{score}_fp32"), row.get(f"{score}_{precision}")) for score in ("dice", "mean_iou")]
    source = row.get("dice_source", {})
    comparable = source.get("fp32") == source.get(precision)
    return ", ".join(f"{fp32 - own:.4f}" for fp32, own in pairs if comparable and fp32 is not None and own is not None)


def _twin_note(rows: list[dict[str, Any]]) -> list[str]:
    if not any(row["fp32_file"] == "twin" for row in rows):
        return []
    text = "The fp32 and dynamic files of a shipped model are twins made from its int8 file by removing the Q/DQ pairs: the same graph at the same cost. "
    return [text + "Recorded Dice is that of the true files, from `models.json`."]


def _skipped(skipped: list[dict[str, str]]) -> list[str]:
    return ["\n".join(f"- {entry['name']} was skipped: {entry['reason']}" for entry in skipped)] if skipped else []


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
