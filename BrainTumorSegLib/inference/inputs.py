"""What is given to a model: whether it can be segmented, what is doubtful about it, and on whose grid the result lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference.models import ModelInfo
from BrainTumorSegLib.inference.scope import gray_doubt
from BrainTumorSegLib.labels import ROLES
from BrainTumorSegLib.preprocess.plausibility import shows_head, unlikely_size_mm
from BrainTumorSegLib.preprocess.resample import resample_image_to, shared_part
from BrainTumorSegLib.volume import Volume, check_image

REFERENCE_ORDER = ("t1ce", "flair", "t2", "t1")
"""The result lies on the grid of the first of these that is given."""
_LEAST_SHARED = 0.1
"""Of the reference's box; a slab of a few slices shares more with a whole head."""


def check_inputs(volumes: Mapping[str, Volume], model: ModelInfo) -> list[str]:
    """Refuse what cannot be segmented and say what looks doubtful.

    Returns:
        Warnings, one sentence each.

    Raises:
        InputError: no volume, an unknown role, a sequence the model needs is missing, an unusable image, or images of different places.
    """
    unknown = sorted(set(volumes) - set(ROLES))
    if unknown:
        raise InputError(f"{', '.join(unknown)} is no sequence, but inputs are {', '.join(ROLES)}; name the volumes so")
    missing = model.missing(volumes)
    if missing:
        what = model.needs if model.any_inputs else ", ".join(missing)
        raise InputError(f"{model.name} needs {what}, which is not given; add it or choose another model")
    used = model.used(volumes)
    reference = volumes[reference_role(used)]
    for role in used:
        check_image(volumes[role])
    moved = [_moved(volumes[role], reference) for role in used if not volumes[role].same_grid(reference)]
    heads = [volumes[role].name for role in heads_among(volumes, model)]
    return moved + _whole_heads(heads, model) + [warning for role in used for warning in _doubts(volumes[role], role)]


def heads_among(volumes: Mapping[str, Volume], model: ModelInfo) -> tuple[str, ...]:
    """Those of `volumes` that the model reads and that show more than a brain, where it was trained without skull."""
    return tuple(role for role in model.used(volumes) if model.crop and shows_head(volumes[role]))


def reference_role(roles: Iterable[str]) -> str:
    """The one of `roles` on whose grid the result lies."""
    given = set(roles)
    return next(role for role in REFERENCE_ORDER if role in given)


def on_grid_of(reference: Volume, volume: Volume) -> Volume:
    """`volume` itself where its voxels lie on the reference's, else resampled to them."""
    return volume if volume.same_grid(reference) else resample_image_to(volume, reference)


def _moved(volume: Volume, reference: Volume) -> str:
    """What is said of a volume that has to be brought to the reference's grid."""
    if not (volume.has_millimeters and reference.has_millimeters):
        raise InputError(
            f"{volume.name} has another size than {reference.name}, but a picture has no millimeters to be resampled by; give pictures of one size"
        )
    if shared_part(volume, reference) < _LEAST_SHARED:
        raise InputError(f"{volume.name} shows another place than {reference.name}, so that they share no voxels to compare; register one to the other")
    return f"{volume.name} lies on another grid than {reference.name}: it was resampled to that grid, which is right if the patient did not move in between"


def _whole_heads(names: list[str], model: ModelInfo) -> list[str]:
    said = f"more than a brain is seen in {', '.join(names)}, but {model.name} was trained without skull; the brain is cut out first, so check its surface"
    return [said] if names else []


def _doubts(volume: Volume, role: str) -> list[str]:
    said = []
    size = unlikely_size_mm(volume)
    if size is not None:
        shown = " x ".join(f"{extent:.0f}" for extent in sorted(size))
        said.append(f"{volume.name} is {shown} mm, which is no usual size of a head; check its spacing")
    doubt = gray_doubt(volume.array, role, volume.name)
    return [*said, doubt] if doubt else said
