"""Whole heads made into what a model that was trained without skull knows: one brain in one place, and nothing about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from BrainTumorSegLib.inference.brain import find_brain, find_brains, in_one_place, open_brain_network, outside_removed
from BrainTumorSegLib.inference.inputs import reference_role
from BrainTumorSegLib.inference.predictor import Report
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.preprocess.orientation import orientation_of
from BrainTumorSegLib.preprocess.registration import align, motion
from BrainTumorSegLib.preprocess.resample import resample_image_to
from BrainTumorSegLib.progress import CancelToken
from BrainTumorSegLib.volume import Volume


def only_brains(
    volumes: Mapping[str, Volume],
    heads: Sequence[str],
    reference: Volume,
    channels: Mapping[str, np.ndarray],
    session: Session,
    report: Report,
    cancel: CancelToken | None = None,
) -> tuple[dict[str, np.ndarray], np.ndarray | None, list[str]]:
    """Channels without what lies outside the brain; a sequence that shows it in another place is brought to where the others do.

    Args:
        volumes: as they were given, by role. heads: those roles that show more than a brain.
        reference: on whose grid the channels lie. channels: gray levels by role on its canonical axes, [Z, Y, X] each.
        session: the model's; the brain is found with as many threads, and where it runs.

    Returns:
        The channels; where the brain is, bool [Z, Y, X], or None where none was found, which leaves them as they are; and what the user should know.
    """
    orientation = orientation_of(reference)
    spacing_mm, network, first = orientation.canonical_spacing(reference), open_brain_network(session), reference_role(heads)
    looked_at = {role: channels[role] for role in (first, *(role for role in heads if not volumes[role].same_grid(volumes[first])))}
    brain, moved = find_brains(looked_at, spacing_mm, network, report, cancel)
    if brain is None:
        said = f"no brain was found in {volumes[first].name}, so {session.model.name} saw the whole head; remove the skull and segment again"
        return dict(channels), None, [said]
    placed, warnings = dict(channels), []
    for role, elsewhere in moved.items():
        fixed = reference.like(orientation.restore(channels[first]))
        aligned = align(volumes[role], fixed, orientation.restore(brain), orientation.restore(elsewhere), cancel)
        channel = orientation.canonical(resample_image_to(aligned, reference).array)
        names = f"{volumes[role].name} shows the brain in another place than {volumes[first].name}"
        if in_one_place(brain, find_brain(channel, spacing_mm, network, lambda fraction, message: None, cancel)):
            degrees, mm = motion(volumes[role], aligned)
            placed[role] = channel
            warnings.append(f"{names}: it was turned by {degrees:.0f} degrees and shifted by {mm:.0f} mm to fit, so check that it does")
        else:
            warnings.append(f"{names}; register one to the other first")
    return {role: outside_removed(channel, brain) for role, channel in placed.items()}, brain, warnings
