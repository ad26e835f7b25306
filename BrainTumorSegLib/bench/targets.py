"""What the project wants of its models' speed and size, as ratios inside one run on two cores with int8 dot products."""

from __future__ import annotations

from typing import Any

_SPEED, _SIZE = 0, 1
TARGETS = {"resunet-ag": (2.2, 0.26), "trained": (1.8, 0.30)}
"""Least speed-up of int8 over fp32 and largest share of its size: of system A's network with gates, and of every trained model."""
_TIMES_FASTER, _PEAK_MB, _REST = 12.0, 1200, 0.05
"""A volume of four sequences against SegResNet's time, its memory, and all but the network's part against the same."""


def missed_targets(document: dict[str, Any]) -> list[str]:
    """A sentence for every target that a run missed, by how much and what the nearest limit is."""
    return [line for row in document["models"] for line in _missed_by_model(row)] + _missed_by_volumes(document["volumes"], document["models"])


def _missed_by_model(row: dict[str, Any]) -> list[str]:
    target = TARGETS.get(row["name"], TARGETS["trained"] if row["weights"] == "trained" else None)
    if target is None or row["int8_ms"] is None:
        return []
    lines = []
    speed, size = row["int8_speedup"], row["int8_size_ratio"]
    if speed < target[_SPEED]:
        lines.append(f"{row['name']}: int8 is {speed:.2f} times faster than fp32, {target[_SPEED]:g} times were wanted.{_reason(row)}")
    if size > target[_SIZE]:
        lines.append(f"{row['name']}: int8 has {100 * size:.1f} % of fp32's size, at most {100 * target[_SIZE]:.0f} % were wanted.")
    return lines


def _reason(row: dict[str, Any]) -> str:
    limits = row.get("limits", {}).get("int8")
    if limits is None:
        return ""
    name, least = max(("multiplications", limits["compute_ms"]), ("bytes", limits["memory_ms"]), key=lambda pair: pair[1])
    share = f"{100 * least / row['int8_ms']:.0f} % of the time it takes"
    rest = "what remains is overhead of the kernels: small or depth-wise convolutions, rescaling, and what stays in float"
    return f" Its {name} need at least {least:.2f} ms a slice on this chip, {share}; {rest}."


def _missed_by_volumes(rows: list[dict[str, Any]], models: list[dict[str, Any]]) -> list[str]:
    peer = next((row for row in rows if "SegResNet" in row["name"]), None)
    ours = next((row for row in rows if "t1, t1ce, t2, flair" in row["volume"]), None)
    if ours is None or "seconds" not in ours:
        return []
    lines = []
    if ours["peak_mb"] > _PEAK_MB:
        lines.append(f"{ours['name']}: a whole case takes {ours['peak_mb']} MB, at most {_PEAK_MB} MB were wanted.")
    if peer is None or "seconds" not in peer:
        return lines
    times = peer["seconds"]["total"] / ours["seconds"]["total"]
    rest = (ours["seconds"]["total"] - ours["seconds"]["inference"]) / peer["seconds"]["total"]
    if times < _TIMES_FASTER:
        part = 100 * ours["seconds"]["inference"] / ours["seconds"]["total"]
        lines.append(
            f"{ours['name']}: a whole case is {times:.1f} times faster than SegResNet, {_TIMES_FASTER:g} times were wanted; {part:.0f} % is the network"
            f"{_least_seconds(ours, models)}."
        )
    if rest > _REST:
        lines.append(
            f"{ours['name']}: everything but the network takes {100 * rest:.1f} % of SegResNet's time, at most {100 * _REST:.0f} % were wanted; "
            f"most of it is {_longest(ours['seconds'])}."
        )
    return lines


def _least_seconds(ours: dict[str, Any], models: list[dict[str, Any]]) -> str:
    """How long the volume's slices would take if nothing but the chip's peak limited them, where the same run has measured that."""
    row = next((row for row in models if ours["name"].startswith(f"{row['name']} (")), None)
    if row is None or "int8" not in row.get("limits", {}):
        return ""
    limits, inference = row["limits"]["int8"], ours["seconds"]["inference"]
    share = max(limits["compute_ms"], limits["memory_ms"]) / row["int8_ms"]
    return f", whose multiplications and bytes need at least {share * inference:.1f} of its {inference:.1f} s on this chip"


def _longest(seconds: dict[str, float]) -> str:
    parts = {stage: seconds[stage] for stage in ("load", "preprocess", "postprocess", "write") if stage in seconds}
    stage = max(parts, key=lambda name: parts[name])
    return f"{stage} ({parts[stage]:.2f} s)"
