"""How often the warnings about an input (`inference.scope`, and its size) are false, and how often they come when they should.

    python -m Testing.Benchmarks.measure_scope --data DIR -o OUT [--sets brats lgg cheng heads ct]

DIR holds the public sets. Every volume is given as the sequence that it is, where each warning is false, and T1, T2 and FLAIR
are given as T1ce too, where a warning is right. OUT receives SET.csv, a row for each volume and given role, and scope.md, the
tables of all SET.csv that are there. `NO_CONTRAST` was chosen on folds 1-3 of brats and lgg: the tables keep the folds apart.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from BrainTumorSegLib import api
from BrainTumorSegLib.data.public_sets import read_gray, read_packed
from BrainTumorSegLib.labels import ROLES
from Testing.Benchmarks.brats_volumes import brats_folders, brats_volume

KINDS = {
    "size": "no usual size",
    "CT": "looks like CT",
    "mask": "like a mask",
    "negative": "like a negative",
    "sequence": "was given as",
    "contrast": "without contrast agent",
}
"""What a warning is about -> words of its sentence."""
CHOSEN_ON = (1, 2, 3)


class Scan(NamedTuple):
    """One volume: the set and the part of it, whose scan it is, its fold (0 without folds), and the sequence that it is."""

    part: str
    case: str
    fold: int
    role: str
    volume: api.Volume


def brats(data: Path) -> Iterator[Scan]:
    for name, (folder, fold) in brats_folders(data).items():
        for role in ROLES:
            yield Scan("brats", name, fold, role, brats_volume(folder, role))


def lgg(data: Path) -> Iterator[Scan]:
    """Stacks of unknown spacing; sequences that only repeat FLAIR are left out."""
    for row in _rows(data / "lgg" / "folds.csv"):
        for role in ("t1", "t1ce", "flair"):
            if role == "flair" or role not in row["repeats_flair"].split():
                stack = read_packed(data / "lgg" / row["case"], role)
                yield Scan("lgg", row["case"], int(row["fold"]), role, api.Volume(stack, has_millimeters=False))


def cheng(data: Path) -> Iterator[Scan]:
    for row in _rows(data / "cheng" / "slices.csv"):
        picture = read_gray(data / "cheng" / "images" / f"{row['id']}.jpg")
        yield Scan("cheng", row["id"], int(row["fold"]), "t1ce", api.Volume(picture[None], has_millimeters=False))


def heads(data: Path) -> Iterator[Scan]:
    """Whole heads: healthy ones, of people with multiple sclerosis, and single ones with a tumor."""
    for path in sorted((data / "healthy").glob("*.nii.gz")):
        yield Scan("healthy", path.name, 0, "t1", api.read_volume(path))
    singles = [*(data / "raw_head").glob("*"), data / "single" / "meningioma_M013"]
    for part, folders in (("ms_heads", (data / "ms_heads").glob("patient*")), ("single", singles)):
        for folder in sorted(folders):
            for role in ROLES:
                if (folder / f"{role}.nii.gz").is_file():
                    yield Scan(part, folder.name, 0, role, api.read_volume(folder / f"{role}.nii.gz"))


def ct(data: Path) -> Iterator[Scan]:
    """The CT slices of no_tumor, 8-bit pictures: whatever is said of them is right."""
    for row in _rows(data / "no_tumor" / "splits.csv"):
        if row["excluded"] == "ct":
            yield Scan("ct", row["file"], 0, "ct", api.Volume(read_gray(data / "no_tumor" / row["file"])[None], has_millimeters=False))


SETS: dict[str, Callable[[Path], Iterator[Scan]]] = {"brats": brats, "lgg": lgg, "cheng": cheng, "heads": heads, "ct": ct}


def warnings_of(volume: api.Volume, role: str) -> list[str]:
    """Keys of `KINDS` for what is said of a volume that is given as `role`."""
    doubt = api.gray_doubt(volume.array, role, "image") or ""
    return [*(["size"] if api.unlikely_size_mm(volume) else []), *(kind for kind, words in KINDS.items() if words in doubt)]


def measured(scans: Iterable[Scan]) -> Iterator[dict[str, str]]:
    """A row for each scan and each role that it is given as."""
    for scan in scans:
        for given in [scan.role] * (scan.role in ROLES) + ["t1ce"] * (scan.role != "t1ce"):
            began = time.process_time()
            said = warnings_of(scan.volume, given)
            row = scan._asdict() | {"given": given, "said": " ".join(said), "seconds": f"{time.process_time() - began:.3f}"}
            yield {name: str(value) for name, value in row.items() if name != "volume"}


def table(rows: list[dict[str, str]], false: bool) -> str:
    """Counts of each warning: of scans given as what they are (`false`), or as T1ce, which they are not."""
    groups: dict[tuple[str, str, str], list[list[str]]] = {}
    for row in rows:
        if (row["role"] == row["given"]) == false:
            folds = "-" if row["fold"] == "0" else "1-3" if int(row["fold"]) in CHOSEN_ON else "4-5"
            groups.setdefault((row["part"], folds, row["role"]), []).append(row["said"].split())
    lines = [f"| set | folds | sequence | n | any | {' | '.join(KINDS)} |", "|---" * (5 + len(KINDS)) + "|"]
    for (part, folds, role), said in sorted(groups.items()):
        counts = [sum(kind in kinds for kinds in said) for kind in KINDS]
        lines.append(f"| {part} | {folds} | {role} | {len(said)} | {sum(map(bool, said))} | {' | '.join(map(str, counts))} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--sets", nargs="*", choices=SETS, default=list(SETS))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name in arguments.sets:
        with (arguments.output / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, ["part", "case", "fold", "role", "given", "said", "seconds"])
            writer.writeheader()
            for row in measured(SETS[name](arguments.data)):
                writer.writerow(row)
                file.flush()
    rows = [row for path in sorted(arguments.output.glob("*.csv")) for row in _rows(path)]
    slowest = max((float(row["seconds"]) for row in rows), default=0.0)
    text = f"False alarms:\n\n{table(rows, True)}\n\nGiven as T1ce:\n\n{table(rows, False)}\n\nSlowest: {slowest:.2f} s of CPU.\n"
    (arguments.output / "scope.md").write_text(text)
    print(text)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
