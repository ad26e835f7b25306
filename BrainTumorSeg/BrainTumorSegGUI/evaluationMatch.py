"""Which structure of one side is compared with which of the other: by name, or as the user says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from BrainTumorSegLib import labels

if TYPE_CHECKING:
    from BrainTumorSegGUI.evaluationSides import Structure


@dataclass(frozen=True)
class Pair:
    """One row of the comparison: the structures that are joined on each side, by key."""

    name: str
    prediction: tuple[str, ...]
    reference: tuple[str, ...]


Matches = Mapping[str, str]
"""Prediction key -> reference key; a structure that is not compared is left out."""


def matchByName(prediction: Sequence[Structure], reference: Sequence[Structure]) -> dict[str, str]:
    """Match structures of the same name or ID, upper and lower case alike; "ET" is "Enhancing tumor".

    One structure on each side is matched whatever the two are called. Empty where nothing has a partner.
    """
    if len(prediction) == len(reference) == 1:
        return {prediction[0].key: reference[0].key}
    matches: dict[str, str] = {}
    for structure in prediction:
        partners = [other.key for other in reference if _concept(other) == _concept(structure) and other.key not in matches.values()]
        if partners:
            matches[structure.key] = partners[0]
    return matches


def pairsOf(prediction: Sequence[Structure], reference: Sequence[Structure], matches: Matches, joined: bool = False) -> list[Pair]:
    """The rows of a comparison.

    Args:
        matches: see `matchByName`.
        joined: compare everything on one side with everything on the other, as one structure.

    Returns:
        The matched structures in the prediction's order, then the nested glioma regions (WT, TC) that both sides can make up.
    """
    if joined:
        return [Pair(labels.TUMOR.name, tuple(part.key for part in prediction), tuple(part.key for part in reference))]
    there = {part.key for part in reference}
    pairs = [Pair(part.name, (part.key,), (matches[part.key],)) for part in prediction if matches.get(part.key) in there]
    for region in labels.REGIONS["glioma"]:
        sides = _regionKeys(prediction, region), _regionKeys(reference, region)
        if len(region.values) > 1 and all(sides) and not any(pair.prediction == sides[0] for pair in pairs):
            pairs.append(Pair(region.name, *sides))
    return pairs


def unmatched(prediction: Sequence[Structure], reference: Sequence[Structure], pairs: Sequence[Pair]) -> tuple[list[str], list[str]]:
    """Names of the structures of each side that no pair compares."""
    used = {key for pair in pairs for key in pair.prediction}, {key for pair in pairs for key in pair.reference}
    sides = prediction, reference
    left, right = ([part.name for part in side if part.key not in keys] for side, keys in zip(sides, used))
    return left, right


def _concept(structure: Structure) -> str:
    """What a structure means: the key of a known label or nested region, else its name."""
    names = {structure.key.casefold(), structure.name.strip().casefold()}
    for known in (*labels.SCHEMES["glioma"], *labels.REGIONS["glioma"], *labels.SCHEMES["tumor"]):
        if names & {known.key.casefold(), known.name.casefold()}:
            return known.key
    return structure.name.strip().casefold()


def _regionKeys(side: Sequence[Structure], region: labels.Region) -> tuple[str, ...]:
    """The structures that make up a nested region: one that is called so, else all its labels; () where a label is missing."""
    whole = [part.key for part in side if _concept(part) == region.key]
    if whole:
        return (whole[0],)
    wanted = {label.key for label in labels.SCHEMES["glioma"] if label.value in region.values}
    parts = {_concept(part): part.key for part in side}
    return tuple(parts[key] for key in sorted(wanted)) if wanted <= set(parts) else ()
