"""The page and the plot say what the document says, and nothing that was not measured."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from BrainTumorSegLib.bench.page import as_markdown, models_table, paper_table
from BrainTumorSegLib.bench.plot import draw_times
from BrainTumorSegLib.bench.shipped import as_row
from BrainTumorSegLib.bench.timing import Timing

TIMES = {"fp32": Timing(20.0, 30.0, 29.0, 200.0), "dynamic": Timing(25.0, 45.0, 39.0, 150.0), "int8": Timing(8.0, 10.0, 9.0, 100.0)}
SIZES = {"fp32": 16_000_000, "dynamic": 4_400_000, "int8": 4_000_000}


def row(name: str, **changes: Any) -> dict[str, Any]:
    about = {"weights": "trained", "fp32_file": "twin", "dice_fp32": 0.71, "dice_int8": 0.7, "dice_source": {"fp32": "recorded", "int8": "measured"}}
    return as_row(name, TIMES, SIZES) | about | changes


def document(**changes: Any) -> dict[str, Any]:
    machine = {"cpu": "A chip", "cores": 4, "threads": 2, "vnni": True, "onnxruntime": "1.2.3", "python": "3.11", "system": "Linux x86_64"}
    plan = {"rounds": 25, "passes": 500, "batch": 8}
    whole = {"models": [row("m")], "volumes": [], "skipped": [], "machine": machine, "provider": "cpu", "plan": plan, "command": "braintumorseg benchmark"}
    return whole | changes


def test_a_model_has_a_line_for_each_precision_it_was_timed_in() -> None:
    lines = models_table([row("m")]).splitlines()
    assert lines[4] == "| m | trained | int8 | 4.00 | 25.0 % | 8.00 | 2.50 | 100 | 0.7000 (measured) |  |  |"
    assert lines[2].startswith("| m | trained | fp32 | 16.00 | 100.0 % | 20.00 | 1.00 |")
    assert lines[3].endswith("| 150 |  |  |  |")  # no Dice is known of the dynamic file
    alone = as_row("m", {"fp32": TIMES["fp32"]}, SIZES) | {"weights": "trained", "dice_source": {}}
    assert len(models_table([alone]).splitlines()) == 3


def test_what_a_precision_loses_is_told_where_both_scores_come_from_the_same_slices() -> None:
    both = {"dice_fp32": 0.75, "dice_int8": 0.7475, "mean_iou_fp32": 0.8, "mean_iou_int8": 0.8012, "dice_source": {"fp32": "measured", "int8": "measured"}}
    fp32, _, int8 = models_table([row("m", **both)]).splitlines()[2:]
    assert int8.endswith("| 0.7475 (measured) | 0.8012 | 0.0025, -0.0012 |")
    assert fp32.endswith("| 0.7500 (measured) | 0.8000 |  |")
    assert models_table([row("m")]).splitlines()[4].endswith("| 0.7000 (measured) |  |  |")  # recorded and measured are two things
    recorded = {"dice_source": {"fp32": "recorded", "int8": "recorded"}}
    assert models_table([row("m", **recorded)]).splitlines()[4].endswith("|  | 0.0100 |")


def test_ours_stand_in_the_papers_table_where_they_were_timed() -> None:
    lines = paper_table([row("resunet-ag")]).splitlines()
    assert len(lines) == 2 + 8
    assert lines[5] == "| + AG DRQ | 0.8451 | 32.39 | 205.5 | 66 % | 4.40 | 45.0 | 150 % | 4.00 | 10.0 |"
    assert lines[4].endswith("| 100 % | 16.00 | 30.0 | 100 % |  |  |")
    assert lines[2].endswith("| not measured |" * 1) and lines[2].count("not measured") == 5


def test_the_page_names_machine_command_skips_and_twins() -> None:
    text = as_markdown(document(skipped=[{"name": "resunet", "reason": "torch is not installed"}]))
    assert "`braintumorseg benchmark` on A chip (4 cores, with int8 dot products (VNNI)), 2 threads, onnxruntime 1.2.3, provider cpu" in text
    assert "- resunet was skipped: torch is not installed" in text
    assert "are twins made from its int8 file" in text
    assert "Whole volumes" not in text
    assert "are twins" not in as_markdown(document(models=[row("m", fp32_file="original")]))


def test_volumes_stand_by_stage() -> None:
    volumes = [
        {"name": "ours", "volume": "256 x 256 x 256", "seconds": {"load": 1.0, "write": 0.5, "total": 9.0}, "peak_mb": 800},
        {"name": "theirs", "volume": "v", "note": "skipped"},
    ]
    text = as_markdown(document(volumes=volumes))
    assert "| ours | 256 x 256 x 256 | 1.00 |  |  |  | 0.50 | 9.00 | 800 |  |" in text
    assert "| theirs | v |  |  |  |  |  |  |  | skipped |" in text


def test_limits_stand_beside_what_was_measured_and_missed_targets_are_named() -> None:
    assert "What limits it" not in as_markdown(document())
    rates = {"float_macs": 45e9, "int8_macs": 180e9, "moved_bytes": 14e9}
    limits = {"int8": {"gmac": 1.5, "int8_gmac": 1.2, "moved_mb": 32.4, "compute_ms": 6.5, "memory_ms": 2.25}}
    text = as_markdown(document(machine=document()["machine"] | {"rates": rates}, models=[row("m", limits=limits, int8_speedup=1.5)]))
    assert "45 thousand million pairs a second in float32 and 180 in int8" in text and "moves 14 GB a second" in text
    assert "| m | int8 | 1.50 | 80 % | 32 | 6.50 | 2.25 | 8.00 |" in text
    assert "- Missed: m: int8 is 1.50 times faster than fp32, 1.8 times were wanted." in text


def test_bars_are_as_long_as_their_times() -> None:
    svg = draw_times([row("a<b")], "A & B")
    root = ElementTree.fromstring(svg)
    bars = [float(item.attrib["width"]) for item in root.iter("{http://www.w3.org/2000/svg}rect") if item.attrib["fill"] != "#ffffff"]
    assert bars == [368.0, 460.0, 147.2]  # 20, 25 and 8 ms, the longest 460 wide
    words = [item.text for item in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a<b", "A & B", "8.0 ms int8"} <= set(words)


def test_a_plot_of_nothing_is_a_plot() -> None:
    assert ElementTree.fromstring(draw_times([], "")) is not None
