"""Segment the embedded head phantom (made up, no patient) with the shipped model, score the result and draw it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from BrainTumorSegLib.cli.progress_bar import ProgressBar
from BrainTumorSegLib.cli.worker import run_cancellable

if TYPE_CHECKING:
    from BrainTumorSegLib.api import Row, Segmentation, Session, Volume

NAME = "demo"
HELP = "segment the embedded head phantom, score the result and draw it"

_PHANTOM = "head phantom (made up, no patient)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--out", type=Path, default=Path("braintumorseg-demo"), metavar="DIR", help="where mask and picture go (default: %(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Scores to standard output, mask and picture into the folder; returns the exit code.

    Raises:
        InputError, ModelError: an installation that is not whole, or a folder that cannot be written.
    """
    from BrainTumorSegLib import api
    from BrainTumorSegLib.api import check_folder_writable, find_resources
    from BrainTumorSegLib.cli.segment import show_license

    check_folder_writable(arguments.out)
    folder = find_resources() / "Phantom"
    image, reference = api.read_volume(folder / "t1ce.nii.gz"), api.read_label_volume(folder / "reference.nii.gz")
    session = api.open_model(roles={"t1ce": image})
    show_license(session)
    with ProgressBar() as bar:
        result = run_cancellable(lambda cancel: api.segment({"t1ce": image}, session, progress=bar, cancel=cancel))
    row = api.evaluate(result.labels, reference, "phantom").rows[0]
    _write(arguments.out, image, result, reference, row)
    print(_as_text(result, session, row, reference))
    print(f"written: {arguments.out / 'overlay.png'}, {arguments.out / 'tumor.nii.gz'}")
    return 0


def _write(folder: Path, image: Volume, result: Segmentation, reference: Volume, row: Row) -> None:
    from BrainTumorSegLib import api
    from BrainTumorSegLib.api import montage, save_montage, writing_folder
    from BrainTumorSegLib.labels import SCHEMES

    labels = SCHEMES[result.scheme]
    caption = f"{result.model} ({result.precision}): Dice {row.dice:.3f}, IoU {row.iou:.3f}, HD95 {_distance(row)}. Research only, not a medical device."
    picture = montage(image, result.labels, labels, reference, f"BrainTumorSeg demo: {_PHANTOM}", caption)
    with writing_folder(folder) as hidden:
        api.write_segmentation(result.labels, labels, hidden / "tumor.nii.gz")
        save_montage(picture, hidden / "overlay.png")


def _as_text(result: Segmentation, session: Session, row: Row, reference: Volume) -> str:
    found_ml = sum((result.volumes_ml or {}).values())
    true_ml = float((reference.array > 0).sum()) * reference.voxel_ml
    seconds = result.seconds
    rows = [
        ("Dice", f"{row.dice:.3f}", ""),
        ("IoU", f"{row.iou:.3f}", ""),
        ("HD95", "undefined" if row.hd95_mm is None else f"{row.hd95_mm:.2f}", "mm"),
        ("volume", f"{found_ml:.1f}", f"mL, reference {true_ml:.1f} mL"),
        ("time", f"{seconds['total']:.1f}", f"s on {session.threads} threads, of which the network {seconds['inference']:.1f} s"),
    ]
    lines = [
        f"{_PHANTOM}, segmented by {result.model} ({result.precision}, {session.model.size_mb:g} MB)",
        "",
        *(f"  {name:<8}{value:>9} {unit}".rstrip() for name, value, unit in rows),
        "",
        "A phantom shows that the program works, not how well it does on patients; for that, see: braintumorseg models",
    ]
    return "\n".join(lines)


def _distance(row: Row) -> str:
    return "undefined" if row.hd95_mm is None else f"{row.hd95_mm:.2f} mm"
