"""The whole way on one screen: volumes -> canonical axes -> tissue units -> probabilities -> labels on the input's own grid."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from BrainTumorSegLib.inference.adaptive_threshold import grow
from BrainTumorSegLib.inference.classes import likeliest, region_masks, with_background
from BrainTumorSegLib.inference.inputs import check_inputs, heads_among, on_grid_of, reference_role
from BrainTumorSegLib.inference.models import ModelInfo
from BrainTumorSegLib.inference.options import SegmentOptions, limits_of, slicing_of
from BrainTumorSegLib.inference.planes import acquisition_plane, choose_planes
from BrainTumorSegLib.inference.postprocess import fill_holes, remove_islands, remove_thin_islands
from BrainTumorSegLib.inference.predictor import predict, runs_every_slice
from BrainTumorSegLib.inference.regions import clean_regions, label_probabilities, nest, nested_masks, region_entropy, region_labels, unseen_labels
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.inference.uncertainty import entropy
from BrainTumorSegLib.inference.view_predictor import predict_view
from BrainTumorSegLib.inference.whole_heads import only_brains
from BrainTumorSegLib.labels import ROLES
from BrainTumorSegLib.metrics.calibration import tempered, tempered_classes
from BrainTumorSegLib.preprocess.intensity import fit_tissue_scale
from BrainTumorSegLib.preprocess.orientation import orientation_of
from BrainTumorSegLib.preprocess.planes import AXIS_OF_PLANE
from BrainTumorSegLib.preprocess.tissue_box import AIR, WHOLE, Box, tissue_box
from BrainTumorSegLib.progress import CancelToken, ProgressCallback
from BrainTumorSegLib.volume import Volume

_SHARE_OF_BRAIN = 0.15
"""Of the progress, where the brain is found first."""


@dataclass(frozen=True)
class Segmentation:
    """What was found, on the reference input's grid, and how.

    Attributes:
        labels: uint8 label map.
        scheme: its label scheme, a key of `labels.SCHEMES`.
        model, sha256, precision, license: of the model that made it.
        inputs, ignored: roles that were used, and given but not used by this model.
        unsupported: label keys that cannot be seen with these inputs.
        planes: planes that were fused.
        every_slice: whether every slice of them was run. mirrored: whether mirrored ones were too.
        seconds: "load", "preprocess", "inference", "postprocess", "total".
        voxels, volumes_ml: per label key; volumes_ml is None for pictures.
        brain: where the brain is that was cut out of a whole head, uint8, or None where nothing was cut out.
        uncertainty: entropy in [0, 1], or None. probabilities: float32 [K, z, y, x], or None.
        warnings: what the user should know.
    """

    labels: Volume
    scheme: str
    model: str
    sha256: str
    precision: str
    license: str
    inputs: tuple[str, ...]
    ignored: tuple[str, ...]
    unsupported: tuple[str, ...]
    planes: tuple[str, ...]
    every_slice: bool
    mirrored: bool
    seconds: dict[str, float]
    voxels: dict[str, int]
    volumes_ml: dict[str, float] | None
    brain: Volume | None
    uncertainty: Volume | None
    probabilities: np.ndarray | None
    warnings: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether any voxel is labeled."""
        return any(self.voxels.values())


def segment(
    volumes: Mapping[str, Volume],
    session: Session,
    options: SegmentOptions,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
    load_seconds: float = 0.0,
) -> Segmentation:
    """Segment one case with an open model.

    Args:
        volumes: role -> volume; the roles the model reads, others are ignored and named.
        session: the open model.
        progress: called with a rising fraction and a short message.
        cancel: stops the work from another thread.
        load_seconds: time the model took to open, for the record.

    Raises:
        InputError: unusable input or option. Cancelled: `cancel` was used.
    """
    tell = progress or (lambda fraction, message: None)
    began = time.perf_counter()
    model = session.model
    warnings = check_inputs(volumes, model)
    used = model.used(volumes)
    heads = heads_among(volumes, model)
    reference = volumes[reference_role(used)]
    tell(0.0, "preparing the images")
    orientation = orientation_of(reference)
    # one orientation, so that a turned copy gets the same numbers
    channels = {role: orientation.canonical(on_grid_of(reference, volumes[role]).array) for role in used}
    spacing = orientation.canonical_spacing(reference) if reference.has_millimeters else None
    reference_shape = orientation.canonical(reference.array).shape
    begun, brain = 0.02, None
    if heads and spacing is not None:
        begun = _SHARE_OF_BRAIN
        channels, brain, said = only_brains(volumes, heads, reference, channels, session, lambda fraction, message: tell(begun * fraction, message), cancel)
        warnings += said
    planes = _planes(reference, reference_shape, spacing, model, options)
    box = WHOLE
    if model.view is None:
        tissue, box = _tissue(channels, model, cropped=model.crop and spacing is not None)
    prepared = time.perf_counter()

    def report(fraction: float, message: str) -> None:
        tell(begun + (0.95 - begun) * fraction, message)

    slicing = slicing_of(model, options)
    if model.view is not None:
        maps = predict_view(list(channels.values()), spacing, planes, model.view, session, report, cancel)
    else:
        maps = predict(tissue, spacing, planes, session, report, cancel, slicing)
    predicted = time.perf_counter()

    tell(0.96, "cleaning up the result")
    unseen = unseen_labels(model.scheme, used) if model.outputs == "regions" else ()
    found, maps, doubt = _decode(maps, unseen, reference, planes, model, options)

    def restored(part: np.ndarray) -> np.ndarray:
        whole = np.zeros(reference_shape, part.dtype)
        whole[box] = part
        return orientation.restore(whole)

    probabilities = np.stack([restored(channel) for channel in maps]) if options.probabilities else None
    labels = reference.like(np.ascontiguousarray(restored(found)), "segmentation")
    uncertainty = None if doubt is None else reference.like(np.ascontiguousarray(restored(doubt)), "uncertainty")
    if cancel:
        cancel.raise_if_cancelled()
    voxels = {key: int(np.count_nonzero(labels.array == value)) for value, key in model.labels.items()}
    ended = time.perf_counter()
    tell(1.0, "done")
    return Segmentation(
        labels=labels,
        scheme=model.scheme,
        model=model.name,
        sha256=model.sha256,
        precision=model.precision,
        license=model.license,
        inputs=used,
        ignored=tuple(role for role in ROLES if role in volumes and role not in model.inputs),
        unsupported=unseen,
        planes=planes if spacing else ("picture",),
        every_slice=runs_every_slice(reference_shape, spacing, planes, slicing),
        mirrored=any(slicing.runs(plane) > 1 for plane in planes),
        seconds=_rounded(load=load_seconds, preprocess=prepared - began, inference=predicted - prepared, postprocess=ended - predicted),
        voxels=voxels,
        volumes_ml={key: round(n * reference.voxel_ml, 3) for key, n in voxels.items()} if reference.has_millimeters else None,
        brain=None if brain is None else reference.like(np.ascontiguousarray(orientation.restore(brain.astype(np.uint8))), "brain"),
        uncertainty=uncertainty,
        probabilities=probabilities,
        warnings=tuple(warnings),
    )


def _tissue(channels: Mapping[str, np.ndarray], model: ModelInfo, cropped: bool) -> tuple[np.ndarray, Box]:
    """All inputs of `model` in tissue units, float32 [C, Z, Y, X], a missing one as air, as in training, and the box of the volume that they are.

    The rest of the volume is never made into tissue units: a brain without its skull fills half of the usual one, and memory takes time.
    """
    scales = [fit_tissue_scale(channel) for channel in channels.values()]
    box = tissue_box(list(channels.values()), [scale.gray(AIR) for scale in scales]) if cropped else WHOLE
    tissue = np.zeros((len(model.inputs), *next(iter(channels.values()))[box].shape), np.float32)
    for (role, channel), scale in zip(channels.items(), scales):
        tissue[model.inputs.index(role)] = scale.apply(channel[box])
    return tissue, box


def _planes(
    reference: Volume, shape: tuple[int, ...], spacing: tuple[float, float, float] | None, model: ModelInfo, options: SegmentOptions
) -> tuple[str, ...]:
    if spacing is None:  # a picture: its one slice is shown as it was drawn, whatever plane that is
        return (acquisition_plane(shape, (1.0, 1.0, 1.0)),)
    return choose_planes(options.planes, model.planes, shape, spacing)


def _decode(
    maps: np.ndarray, unseen: tuple[str, ...], reference: Volume, planes: tuple[str, ...], model: ModelInfo, options: SegmentOptions
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Label map, probability of each label, and doubt where wanted, all on canonical axes."""
    limits = limits_of(model, options)
    voxel_mm3 = reference.voxel_ml * 1000
    if model.outputs == "tumor":
        mask = maps[0] >= model.threshold
        if reference.has_millimeters:
            mask = remove_islands(mask, voxel_mm3, limits["min_island_mm3"])
            if len(planes) == 1 and options.min_island_mm3 is None:  # several planes have looked at every island from the side too
                mask = remove_thin_islands(mask, AXIS_OF_PLANE[planes[0]], int(limits.get("min_island_slices", 1)))
            mask = fill_holes(mask, voxel_mm3, limits["max_hole_mm3"])
        maps = _calibrated(maps, model, options)
        return mask.astype(np.uint8), maps, entropy(maps) if options.uncertainty else None
    if model.outputs == "classes":
        maps = with_background(maps)
        masks = region_masks(likeliest(maps, model.scheme), model.scheme)
    else:
        masks = nested_masks(maps, model.threshold)
    if reference.has_millimeters:
        masks = clean_regions(masks, voxel_mm3, limits)
        if model.lowest_threshold:
            spacing = orientation_of(reference).canonical_spacing(reference)
            masks = clean_regions(grow(masks, maps, model.threshold, model.lowest_threshold, spacing), voxel_mm3, limits)
    labels = region_labels(masks, model.scheme, unseen)
    if model.outputs == "classes":
        maps = _calibrated(maps, model, options)
        return labels, maps[1:], entropy(maps) if options.uncertainty else None
    if not (options.uncertainty or options.probabilities):
        return labels, maps, None
    maps = _calibrated(nest(maps), model, options)
    doubt = region_entropy(maps[: len(maps) - len(unseen)]) if options.uncertainty else None
    return labels, label_probabilities(maps, model.scheme, unseen) if options.probabilities else maps, doubt


def _calibrated(maps: np.ndarray, model: ModelInfo, options: SegmentOptions) -> np.ndarray:
    if not (options.uncertainty or options.probabilities):
        return maps  # seconds of work, for these alone
    return (tempered_classes if model.outputs == "classes" else tempered)(maps, model.temperature)


def _rounded(**seconds: float) -> dict[str, float]:
    stages = {name: round(value, 3) for name, value in seconds.items()}
    return {**stages, "total": round(sum(seconds.values()), 3)}
