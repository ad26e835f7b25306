"""The door to the backend: the Slicer module, the command line and Python scripts call only this.

Importing it is cheap; onnxruntime, scipy and SimpleITK are loaded when something needs them.

    from BrainTumorSegLib import api

    volume = api.read_volume("t1ce.nii.gz")
    result = api.segment({"t1ce": volume})
    api.write_volume(result.labels, "tumor.nii.gz")
    print(api.evaluate(result.labels, api.read_label_volume("reference.nii.gz")).rows)
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from BrainTumorSegLib import pipeline
from BrainTumorSegLib.cohort.case_queue import CaseQueue
from BrainTumorSegLib.cohort.corrected import CorrectedCase, is_corrected, read_corrected, save_corrected
from BrainTumorSegLib.errors import Cancelled, InputError, ModelError
from BrainTumorSegLib.evaluation import Evaluation, Row, evaluate, label_scheme, summarize
from BrainTumorSegLib.evaluation_files import evaluate_files
from BrainTumorSegLib.inference import inputs
from BrainTumorSegLib.inference.inputs import reference_role
from BrainTumorSegLib.inference.model_zip import import_models
from BrainTumorSegLib.inference.models import ModelInfo, choose_model, find_model, list_models
from BrainTumorSegLib.inference.options import SegmentOptions
from BrainTumorSegLib.inference.review import ReviewPlan, next_slice, plan_review
from BrainTumorSegLib.inference.scope import gray_doubt
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.io.atomic import check_folder_writable, writing_folder
from BrainTumorSegLib.io.case_folder import AI_DONE, DOUBTFUL, REVIEWED, TO_DO, CaseRow
from BrainTumorSegLib.io.images import Output, check_output, read_label_volume, read_volume, read_volumes, write_all, write_segmentation, write_volume
from BrainTumorSegLib.io.pictures import list_pictures
from BrainTumorSegLib.metrics.overlap import Counts, count_voxels
from BrainTumorSegLib.pictures.overlay import montage, save_montage
from BrainTumorSegLib.pipeline import Segmentation
from BrainTumorSegLib.preprocess.plausibility import shows_head, unlikely_size_mm, unlikely_spacing_mm
from BrainTumorSegLib.preprocess.resample import resample_labels_to
from BrainTumorSegLib.preprocess.roles import DICOM_KEYWORDS, RoleGuess, assign_roles, guess_role, guess_roles
from BrainTumorSegLib.progress import CancelToken, ProgressCallback
from BrainTumorSegLib.resources import find_resources
from BrainTumorSegLib.volume import Volume

__all__ = [
    "AI_DONE",
    "DICOM_KEYWORDS",
    "DOUBTFUL",
    "REVIEWED",
    "TO_DO",
    "CancelToken",
    "Cancelled",
    "CaseQueue",
    "CaseRow",
    "CorrectedCase",
    "Counts",
    "Evaluation",
    "InputError",
    "ModelError",
    "ModelInfo",
    "Output",
    "ReviewPlan",
    "RoleGuess",
    "Row",
    "SegmentOptions",
    "Segmentation",
    "Session",
    "Volume",
    "assign_roles",
    "best_model",
    "check_folder_writable",
    "check_inputs",
    "check_output",
    "count_voxels",
    "evaluate",
    "evaluate_files",
    "find_resources",
    "gray_doubt",
    "guess_role",
    "guess_roles",
    "import_models",
    "is_corrected",
    "label_scheme",
    "list_models",
    "list_pictures",
    "montage",
    "next_slice",
    "open_model",
    "plan_review",
    "read_corrected",
    "read_label_volume",
    "read_volume",
    "read_volumes",
    "reference_role",
    "resample_labels_to",
    "save_corrected",
    "save_montage",
    "segment",
    "summarize",
    "unlikely_size_mm",
    "unlikely_spacing_mm",
    "write_all",
    "write_segmentation",
    "write_volume",
    "writing_folder",
]


def open_model(name: str | None = None, *, roles: Mapping[str, object] | None = None, threads: int | None = None, provider: str = "cpu") -> Session:
    """Open a model once, to segment many cases with it.

    Args:
        name: the model, or None for the best one that reads `roles`.
        roles: what will be given, by role; of values that are volumes it is seen whether they show a whole head.
        threads: CPU threads, None for all cores.
        provider: where it runs, a key of `inference.providers.PROVIDERS`; never silently another.

    Raises:
        InputError: no such model, none that reads these roles, or a provider that this onnxruntime has not got.
        ModelError: its file is missing or altered, or the provider does not start.
    """
    models = list_models()
    return Session(find_model(name, models) if name else best_model(roles or {}, models), threads, provider)


def best_model(volumes: Mapping[str, object], models: Sequence[ModelInfo]) -> ModelInfo:
    """The one of `models` that reads the most of what is given; with skull in a picture rather one that was trained with it, if it reads as much.

    Args:
        volumes: by role; only values that are volumes are looked at.

    Raises:
        InputError: no model reads these roles.
    """
    if any(isinstance(volume, Volume) and shows_head(volume) for volume in volumes.values()):
        able = [model for model in models if not model.missing(volumes)]
        most = max((len(model.used(volumes)) for model in able), default=0)
        with_skull = [model for model in able if not model.crop and len(model.used(volumes)) == most]
        if with_skull:
            return choose_model(volumes, with_skull)
    return choose_model(volumes, models)


def check_inputs(volumes: Mapping[str, Volume], model: str | None = None) -> list[str]:
    """Warnings about these inputs, one sentence each; `model` None means the best one that reads them.

    Raises:
        InputError: they cannot be segmented; the text says why and the cure.
    """
    models = list_models()
    return inputs.check_inputs(volumes, find_model(model, models) if model else best_model(volumes, models))


def segment(
    volumes: Mapping[str, Volume],
    model: str | Session | None = None,
    *,
    options: SegmentOptions | None = None,
    progress: ProgressCallback | None = None,
    cancel: CancelToken | None = None,
) -> Segmentation:
    """Segment one case.

    Args:
        volumes: role ("t1", "t1ce", "t2", "flair") -> volume.
        model: a name, an open model (see `open_model`), or None for the best model that reads these volumes.
        options: planes, threads, extra outputs; see `SegmentOptions`.
        progress: called as progress(fraction, message) from the calling thread.
        cancel: a token whose `cancel()`, called from another thread, makes this raise `Cancelled` within about 0.1 s.

    Returns:
        The label map on the grid of the reference input (T1ce, else FLAIR, T2, T1), with names, volumes and provenance.

    Raises:
        InputError: unusable input, role or option. ModelError: the model file is missing or altered. Cancelled.
    """
    options = options or SegmentOptions()
    began = time.perf_counter()
    if not volumes:
        raise InputError("no volume was given, but at least one sequence is needed; give for instance a contrast-enhanced T1 as t1ce")
    session = model if isinstance(model, Session) else open_model(model, roles=volumes, threads=options.threads)
    return pipeline.segment(volumes, session, options, progress, cancel, load_seconds=time.perf_counter() - began)
