"""Measure how a shipped model holds up under what goes wrong with scans, and what it marks where there is no tumor.

    python -m Testing.Benchmarks.measure_robustness MODEL --data DIR --fold N -o OUT [--cases N] [--shown CASE] [--corruptions a,b] [--planes auto]
    python -m Testing.Benchmarks.measure_robustness MODEL --data DIR --fold N -o OUT --tumor-free

DIR holds the public sets; fold N must have been kept out of training. OUT receives MODEL-robustness.md and .json, and .png:
one case's slice with most tumor under each corruption (`corruptions.py`). Every measured line is appended to OUT/MODEL.jsonl
at once, so that a run that was stopped goes on where it was; lines of another file, fold or choice of planes are not used.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib import api
from BrainTumorSegLib.labels import SCHEMES
from BrainTumorSegLib.metrics.overlap import dice
from BrainTumorSegLib.pictures.overlay import single_view
from Testing.Benchmarks.corruptions import CORRUPTIONS, Corruption, corrupt, find_corruptions
from Testing.Benchmarks.robustness_page import TILE, page, sheet, summarize
from Testing.Benchmarks.robustness_subjects import SUBJECTS, Case, Subject
from Testing.Benchmarks.tumor_free import false_ml, tumor_free


class Record:
    """Lines of JSON that were measured under the same conditions, kept as they come."""

    def __init__(self, path: Path, conditions: dict[str, Any]) -> None:
        self._path, self._conditions = path, conditions
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []
        self.rows: list[dict[str, Any]] = [line for line in lines if line.items() >= conditions.items()]

    def has(self, **keys: str) -> bool:
        return any(row.items() >= keys.items() for row in self.rows)

    def add(self, row: dict[str, Any]) -> None:
        self.rows.append(self._conditions | row)
        with self._path.open("a") as file:
            file.write(json.dumps(self.rows[-1]) + "\n")

    def of(self, what: str) -> list[dict[str, Any]]:
        """The rows that have this key."""
        return [row for row in self.rows if what in row]


def measure(case: Case, corruption: Corruption, subject: Subject, session: api.Session, options: api.SegmentOptions, tile: Path | None) -> dict[str, Any]:
    """Dice by region (None where the case has no such region); draws the case where `tile` is given."""
    volumes, truth = corrupt(corruption, case.volumes, case.truth, seed=zlib.crc32(case.name.encode()))
    result = api.segment(volumes, session, options=options)
    scores = {
        region: dice(np.isin(result.labels.array, values), truth[region]) if case.truth[region].any() else None for region, values in subject.found.items()
    }
    if tile is not None:
        reference = result.labels.like(np.any(list(truth.values()), axis=0).astype(np.uint8))
        shown = volumes[api.reference_role(volumes)]
        shown = shown.like(shown.array - shown.array.min())  # an offset of the air would hide where the head ends
        single_view(shown, result.labels, SCHEMES[result.scheme], reference, size=(TILE, TILE)).save(tile)
    return {
        "case": case.name,
        "corruption": corruption.name,
        "dice": {key: value and round(value, 4) for key, value in scores.items()},
        "drawn": tile is not None,
    }


def measure_case(
    name: str,
    read: Callable[[], Case],
    corruptions: Sequence[Corruption],
    subject: Subject,
    session: api.Session,
    options: api.SegmentOptions,
    record: Record,
    tiles: Path | None,
) -> None:
    """All of a case that is not measured yet; it is read only where something is missing, and drawn into `tiles` where that is given."""
    missing = [corruption for corruption in corruptions if not record.has(case=name, corruption=corruption.name)]
    if not missing:
        return
    case = read()
    in_mm = all(volume.has_millimeters for volume in case.volumes.values())
    for corruption in missing:
        if in_mm or not corruption.needs_mm:
            record.add(measure(case, corruption, subject, session, options, tiles / tile_name(name, corruption.name) if tiles else None))
            print(name, corruption.name, record.rows[-1]["dice"], flush=True)


def tile_name(case: str, corruption: str) -> str:
    return f"{case}_{corruption}.png"


def write_pages(model: dict[str, Any], subject: Subject, record: Record, output: Path) -> None:
    """The three files of this page's first paragraph, from the whole record."""
    rows = record.of("corruption")
    measured = {row["corruption"] for row in rows}
    names = [corruption.name for corruption in CORRUPTIONS if corruption.name in measured]
    summary = summarize(rows, names)
    stem = f"{model['name']}-robustness"
    shown = next((row["case"] for row in reversed(rows) if row["drawn"]), "")
    tiles = {name: path for name in names if (path := output / f"{model['name']}-tiles" / tile_name(shown, name)).is_file()}
    if tiles:
        of_shown = {row["corruption"]: ", ".join(f"{k} {v:.2f}" for k, v in row["dice"].items() if v is not None) for row in rows if row["case"] == shown}
        title = f"{model['name']} on {shown}: Dice, result in color, reference in blue"
        sheet(tiles, of_shown, title).save(output / f"{stem}.png", optimize=True)
    (output / f"{stem}.json").write_text(json.dumps(model | summary | {"tumor_free": record.of("ml")}, indent=1) + "\n")
    (output / f"{stem}.md").write_text(page(model, subject.about, summary, record.of("ml"), f"{stem}.png" if tiles else None, left_out(names, summary)))


def left_out(names: Sequence[str], summary: dict[str, Any]) -> list[str]:
    """Corruptions in mm, where none of them was measured although all others were."""
    in_mm = [corruption.name for corruption in CORRUPTIONS if corruption.needs_mm]
    others = [corruption.name for corruption in CORRUPTIONS if not corruption.needs_mm]
    return in_mm if summary["n"] and list(names) == others else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=SUBJECTS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--cases", type=int, help="only the first N of the fold")
    parser.add_argument("--shown", help="the case that is drawn and goes first; the fold's first by default")
    parser.add_argument("--corruptions", help="names joined by commas; all by default")
    parser.add_argument("--planes", default="auto")
    parser.add_argument("--tumor-free", action="store_true")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    session = api.open_model(arguments.model, threads=1)
    subject = SUBJECTS[arguments.model]
    conditions = {"sha256": session.model.sha256, "fold": arguments.fold, "planes": arguments.planes}
    record = Record(arguments.output / f"{arguments.model}.jsonl", conditions)
    options = api.SegmentOptions(planes=arguments.planes, threads=1)  # one thread: measuring is not in a hurry, and others use the machine
    if arguments.tumor_free:
        for head in tumor_free(arguments.data, tuple(session.model.inputs), session.model.crop, arguments.fold):
            if not record.has(case=head.name, given=head.given):
                record.add({"case": head.name, "given": head.given} | false_ml(api.segment(head.volumes, session, options=options), head.where))
                print(head.name, head.given, record.rows[-1]["ml"], flush=True)
    else:
        names = sorted(subject.names(arguments.data, arguments.fold), key=lambda name: name != arguments.shown)[: arguments.cases]
        tiles = arguments.output / f"{arguments.model}-tiles"
        tiles.mkdir(exist_ok=True)
        for name in names:
            read = partial(subject.read, arguments.data, name)
            measure_case(name, read, find_corruptions(arguments.corruptions), subject, session, options, record, tiles if name == names[0] else None)
    write_pages({"name": arguments.model} | conditions, subject, record, arguments.output)


if __name__ == "__main__":
    main()
