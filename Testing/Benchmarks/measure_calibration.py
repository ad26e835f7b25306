"""Measure how well a shipped model's probabilities are calibrated, and whether its doubt lies where its errors are.

    python -m Testing.Benchmarks.measure_calibration MODEL --data DIR --fold N [-o OUT.json]

DIR holds the public sets brats and lgg; of the one that MODEL is for (lgg for FLAIR alone), the cases of fold N, which it
must not have been trained on, go through the whole pipeline. Over the voxels of the brain (lgg: of the head), for each
region: expected calibration error as the network says it and after the temperature with the least cross-entropy (one for
all regions), Pearson's correlation of doubt with error, and the retention curve. The temperature is fitted on the even
cases and its error measured on the odd ones, and the reverse.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib import api
from BrainTumorSegLib.inference.uncertainty import entropy
from BrainTumorSegLib.metrics.calibration import expected_calibration_error, fit_temperature, retention, tempered
from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from BrainTumorSegLib.preprocess.tissue_box import AIR
from Testing.Benchmarks.brats_volumes import brats_volumes
from Testing.Benchmarks.score_stacks import patient_names, read_patient

_EDEMA = 2


@dataclass(frozen=True)
class Voxels:
    """The brain's voxels of one case: region -> probability, and whether it is there."""

    probability: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]


def cases_of(model: api.ModelInfo, data: Path, fold: int) -> Iterator[tuple[str, dict[str, api.Volume], np.ndarray, np.ndarray]]:
    """(name, volumes by role, labels as of brats, which voxels are tissue)."""
    if model.inputs == ("flair",):
        for name in patient_names(data, fold):
            image, reference = read_patient(data, name)
            tissue = fit_tissue_scale(image.array).apply(image.array) > AIR
            yield name, {"flair": image}, np.where(reference.array > 0, _EDEMA, 0), tissue
        return
    for name, volumes, labels in brats_volumes(data, fold):
        yield name, volumes, labels.array, np.any([volume.array > 0 for volume in volumes.values()], axis=0)


def voxels_of(session: Any, volumes: dict[str, api.Volume], labels: np.ndarray, tissue: np.ndarray) -> Voxels:
    """What the model says of the tissue's voxels, through the whole pipeline, before any temperature."""
    given = {role: volumes[role] for role in session.model.inputs}
    maps = api.segment(given, session, options=api.SegmentOptions(probabilities=True)).probabilities
    assert maps is not None
    regions = {"WT": (1, 2, 3, 4), "TC": (1, 3, 4), "ET": (3, 4)}
    if len(maps) == 1:  # FLAIR shows the whole tumor, T1 after contrast the core
        region = "WT" if "flair" in given else "TC"
        return Voxels({region: maps[0][tissue]}, {region: np.isin(labels[tissue], regions[region])})
    ncr, ed, et = (channel[tissue] for channel in maps)
    return Voxels({"WT": ncr + ed + et, "TC": ncr + et, "ET": et}, {key: np.isin(labels[tissue], values) for key, values in regions.items()})


def joined(cases: list[Voxels], region: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(probability, truth) of all cases, of one region or of all of them one after another."""
    keys = [region] if region else list(cases[0].truth)
    return np.concatenate([case.probability[key] for case in cases for key in keys]), np.concatenate([case.truth[key] for case in cases for key in keys])


def measure(cases: list[Voxels]) -> dict[str, Any]:
    """The figures of this page's first paragraph."""
    halves = cases[::2], cases[1::2]
    crossed = [(half, fit_temperature(*joined(other))) for half, other in (halves, halves[::-1])]
    result: dict[str, Any] = {
        "n": len(cases),
        "temperature": round(fit_temperature(*joined(cases)), 3),
        "temperatures_of_halves": [round(t, 3) for _, t in crossed],
    }
    for region in cases[0].truth:
        probability, truth = joined(cases, region)
        parts = [(tempered(joined(half, region)[0], t), joined(half, region)[1]) for half, t in crossed]
        after, truth_after = (np.concatenate(part) for part in zip(*parts))
        doubt, wrong = entropy(probability[None]), (probability >= 0.5) != truth
        curve = retention(doubt, wrong)
        result[region] = {
            "ece": round(expected_calibration_error(probability, truth), 5),
            "ece_tempered": round(expected_calibration_error(after, truth_after), 5),
            "wrong": round(float(wrong.mean()), 5),
            "correlation_of_doubt_and_error": round(float(np.corrcoef(doubt, wrong)[0, 1]), 3),
            "retention_area": round(curve.area, 6),
            "retention_area_by_chance": round(curve.chance, 6),
            "retention_area_at_best": round(curve.best, 6),
            "retention_gain": round(curve.gain, 3),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fold", type=int, required=True)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    session = api.open_model(arguments.model)
    session.model = replace(session.model, temperature=1.0)
    cases = []
    for name, volumes, labels, tissue in cases_of(session.model, arguments.data, arguments.fold):
        cases.append(voxels_of(session, volumes, labels, tissue))
        print(name, flush=True)
    text = json.dumps(measure(cases), indent=1)
    print(text)
    if arguments.output:
        arguments.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
