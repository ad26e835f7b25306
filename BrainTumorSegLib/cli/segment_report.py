"""What `segment` tells about its results: the JSON document of the contract, and the same for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from BrainTumorSegLib.cli.written_labels import segment_labels
from BrainTumorSegLib.labels import SCHEMES

if TYPE_CHECKING:
    from BrainTumorSegLib.api import ModelInfo, Segmentation

NO_TUMOR = "no tumor found"


def as_document(result: Segmentation, model: ModelInfo, read_s: float, label_scheme: str | None) -> dict[str, Any]:
    """One case as JSON; `read_s` is the time that reading the files took and counts as loading."""
    seconds = dict(result.seconds)
    seconds["load"] = round(seconds["load"] + read_s, 3)
    seconds["total"] = round(seconds["total"] + read_s, 3)
    return {
        "model": result.model,
        "sha256": result.sha256,
        "precision": result.precision,
        "inputs": list(result.inputs),
        "ignored": list(result.ignored),
        "unsupported": list(result.unsupported),
        "found": result.found,
        "planes": list(result.planes),
        "every_slice": result.every_slice,
        "mirrored": result.mirrored,
        "seconds": seconds,
        "voxels": {str(label.value): result.voxels[label.key] for label in segment_labels(result.scheme, label_scheme)},
        "volumes_ml": result.volumes_ml,
        "labels": {str(label.value): label.key for label in segment_labels(result.scheme, label_scheme)},
        "license": model.license,
        "warnings": list(result.warnings),
    }


def joined(cases: Sequence[tuple[str, dict[str, Any] | None]], load_s: float) -> dict[str, Any]:
    """One document for a folder: sums over its pictures, and under "pictures" what was found in each (by file name).

    `None` in `cases` is a blank picture, at least one is none; `load_s` is the time that opening the model took, once for all.
    """
    first = next(document for _, document in cases if document is not None)
    documents = [(name, _blank(first, name) if document is None else document) for name, document in cases]
    pictures = [{"picture": name, "found": doc["found"], "voxels": doc["voxels"], "warnings": doc["warnings"]} for name, doc in documents]
    seconds = {stage: round(sum(doc["seconds"][stage] for _, doc in documents), 3) for stage in first["seconds"]}
    for stage in ("load", "total"):
        seconds[stage] = round(seconds[stage] + load_s, 3)
    return first | {
        "found": any(doc["found"] for _, doc in documents),
        "seconds": seconds,
        "voxels": {value: sum(doc["voxels"][value] for _, doc in documents) for value in first["voxels"]},
        "warnings": list(dict.fromkeys(warning for _, doc in documents for warning in doc["warnings"])),
        "pictures": pictures,
    }


def _blank(other: dict[str, Any], name: str) -> dict[str, Any]:
    nothing = {"found": False, "voxels": dict.fromkeys(other["voxels"], 0), "seconds": dict.fromkeys(other["seconds"], 0.0)}
    return other | nothing | {"warnings": [f"{name} is constant, so its mask is empty"]}


def as_text(document: dict[str, Any]) -> str:
    """The document for people."""
    lines = [f"model    {document['model']} ({document['precision']}, sha256 {document['sha256'][:12]}...), reading {', '.join(document['inputs'])}"]
    if document["ignored"]:
        lines.append(f"ignored  {', '.join(document['ignored'])} (this model does not read it)")
    if document["unsupported"]:
        lines.append(f"unseen   {', '.join(document['unsupported'])} cannot be seen without T1 after contrast")
    lines.append(f"result   {_found(document)}")
    extent = ("every slice" if document["every_slice"] else "some slices left out") + (", mirrored too" if document["mirrored"] else "")
    lines.append(f"planes   {', '.join(document['planes'])} ({extent})")
    lines.append(f"time     {document['seconds']['total']:.1f} s")
    lines += [f"warning  {warning}" for warning in document["warnings"]]
    lines.append(f"written  {document['output']}")
    return "\n".join(lines)


def _found(document: dict[str, Any]) -> str:
    pictures = document.get("pictures")
    if not document["found"]:
        return NO_TUMOR if pictures is None else f"{NO_TUMOR} in {len(pictures)} pictures"
    if pictures is not None:
        return f"tumor in {sum(picture['found'] for picture in pictures)} of {len(pictures)} pictures"
    names = {label.key: label.name for labels in SCHEMES.values() for label in labels}
    return "; ".join(f"{names[key]}: {_amount(document, value, key)}" for value, key in document["labels"].items())


def _amount(document: dict[str, Any], value: str, key: str) -> str:
    count = f"{document['voxels'][value]:,}"
    if document["volumes_ml"] is None:
        return f"{count} pixels"
    return f"{document['volumes_ml'][key]:.2f} mL ({count} voxels)"
