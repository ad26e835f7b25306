"""The models on this machine: read from models.json, checked by sha256 before use."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from BrainTumorSegLib.errors import InputError, ModelError
from BrainTumorSegLib.labels import REGIONS, ROLES, SCHEMES
from BrainTumorSegLib.preprocess.views import View
from BrainTumorSegLib.resources import find_resources, imported_models_folder

FORMAT = 1
TABLE_NAME = "models.json"
OUTPUTS = ("tumor", "regions", "classes")


@dataclass(frozen=True)
class ModelInfo:
    """One row of models.json.

    Attributes:
        name, title, task: what it is called and what it does, for people.
        network: architecture in one phrase.
        inputs: roles it reads, in channel order.
        scheme: label scheme, a key of `labels.SCHEMES`.
        planes: planes it was trained on ("axial", "coronal", "sagittal").
        threshold: probability from which a voxel is tumor, or in a region; of classes the likeliest is taken, and it decides nothing.
        postprocess: "min_island_mm3" and "max_hole_mm3"; of regions "min_satellite_mm3", "min_lone_mm3" and "min_innermost_mm3"
            (default 0, see `regions.clean_regions`), of one kind of tissue "min_island_slices" (default 1): an island that fewer slices show is
            removed where one plane alone is run.
        file, sha256, precision, size_mb: the file and what proves it.
        license, license_note: of the weights, and what a user is shown before first use.
        training_data: the sets it was trained on, with their licenses.
        scores: as measured on the shipped file, with n and split.
        path: the file on this machine.
        view: what a published system's model sees of an image; None for tissue units in the frame of `preprocess.frame`.
        outputs: what its maps are: "tumor" (one), "regions" (the nested ones of `labels.REGIONS`, outermost first) or "classes"
            (background, then the labels of `labels.SCHEMES` in their order; of every voxel they sum to 1).
        any_inputs: whether any of `inputs` will do, however few; else all are needed, as of a network of classes they always are.
        temperature: of `metrics.calibration.tempered`, fitted on validation cases; probabilities and doubt are given after it,
            and no mask depends on it, since `threshold` is of the network's own probability.
        crop: whether volumes are cut to their tissue first (see `preprocess.tissue_box`), as its training on brains without skull did;
            a `view` cuts by itself, and then this says only that training saw no skull.
        lowest_threshold: probability down to which what `threshold` has found in a volume may grow, see `adaptive_threshold`; 0 lets nothing grow.
        step_mm: how far apart the slices lie that are run of a volume cut in three planes, see `sparse_planes`; 0 runs every slice.
    """

    name: str
    title: str
    task: str
    network: str
    inputs: tuple[str, ...]
    scheme: str
    planes: tuple[str, ...]
    threshold: float
    postprocess: dict[str, float]
    file: str
    sha256: str
    precision: str
    size_mb: float
    license: str
    license_note: str
    training_data: tuple[dict[str, str], ...]
    scores: dict[str, Any]
    path: Path
    view: View | None = None
    outputs: str = "tumor"
    any_inputs: bool = False
    crop: bool = False
    temperature: float = 1.0
    lowest_threshold: float = 0.0
    step_mm: float = 0.0

    def missing(self, roles: Iterable[str]) -> tuple[str, ...]:
        """What it needs beside `roles`; where any one of its inputs will do and none is given, all of them."""
        given = set(roles)
        missing = tuple(role for role in self.inputs if role not in given)
        return () if self.any_inputs and len(missing) < len(self.inputs) else missing

    def used(self, roles: Iterable[str]) -> tuple[str, ...]:
        """Those of `roles` that it reads, in channel order."""
        given = set(roles)
        return tuple(role for role in self.inputs if role in given)

    @property
    def needs(self) -> str:
        """For people: "t1ce", or "any of t1, t1ce, t2, flair"."""
        return ("any of " if self.any_inputs else "") + ", ".join(self.inputs)

    @property
    def maps(self) -> int:
        """How many maps the network gives."""
        if self.outputs == "classes":
            return 1 + len(SCHEMES[self.scheme])
        return len(REGIONS[self.scheme]) if self.outputs == "regions" else 1

    @property
    def unknown(self) -> tuple[str, ...]:
        """What this version cannot run, in the words of models.json; without nested regions a scheme has one label, and "tumor" says all of it."""
        known = self.outputs == "tumor" or bool(self.outputs in OUTPUTS and REGIONS.get(self.scheme))
        outputs = () if known and not (self.outputs == "classes" and self.any_inputs) else (self.outputs,)
        scheme = () if self.scheme in SCHEMES else (self.scheme,)
        return (*(role for role in self.inputs if role not in ROLES), *scheme, *outputs)

    @property
    def labels(self) -> dict[int, str]:
        """Label value -> key."""
        return {label.value: label.key for label in SCHEMES[self.scheme]}


def list_models(folder: Path | None = None) -> list[ModelInfo]:
    """All models of `folder`, in the order of its models.json; by default the shipped ones, then the imported ones.

    Raises:
        ModelError: models.json is missing or not of this version's form.
    """
    if folder is not None:
        return read_table(folder, "install the extension again")
    shipped = read_table(find_resources() / "Models", "install the extension again")
    names = {model.name for model in shipped}
    return shipped + [model for model in imported_models() if model.name not in names]


def imported_models() -> list[ModelInfo]:
    """The models that a user added, see `model_zip.import_models`; none where there is no such folder."""
    folder = imported_models_folder()
    if folder is None or not (folder / TABLE_NAME).is_file():
        return []
    return read_table(folder, "delete this folder and import the models again")


def read_table(folder: Path, cure: str) -> list[ModelInfo]:
    """The models of one folder; `cure` ends the sentence of the error."""
    path = folder / TABLE_NAME
    try:
        return read_rows(json.loads(path.read_text(encoding="utf-8")), folder, str(path))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); {cure}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is damaged ({error!r}); {cure}") from None


def read_rows(table: Any, folder: Path, name: str) -> list[ModelInfo]:
    """The rows of a models.json called `name`, whose files lie in `folder`.

    Raises:
        ModelError: another version's form. ValueError, KeyError, TypeError: a damaged one.
    """
    if table["format"] != FORMAT:
        raise ModelError(f"{name} has format {table['format']}, but this version reads {FORMAT}; install the matching version")
    return [read_row(row, folder) for row in table["models"]]


def read_row(row: dict[str, Any], folder: Path) -> ModelInfo:
    """One row; ValueError, KeyError, TypeError: a damaged one."""
    path = folder / row["file"]
    lists = {key: tuple(row[key]) for key in ("inputs", "planes", "training_data")}
    view = View(**row["view"]) if row.get("view") else None
    size_mb = round(path.stat().st_size / 1e6, 2) if path.is_file() else 0.0
    return ModelInfo(**{**row, **lists, "path": path, "size_mb": size_mb, "view": view})


def find_model(name: str, models: Iterable[ModelInfo]) -> ModelInfo:
    """The model called `name`.

    Raises:
        InputError: no such model; the text lists those there are.
    """
    models = list(models)
    for model in models:
        if model.name == name:
            return model
    raise InputError(f"there is no model {name!r}; choose one of {', '.join(m.name for m in models)}")


def choose_model(roles: Iterable[str], models: Iterable[ModelInfo]) -> ModelInfo:
    """The model that reads the most of what is given; of several the first, for models.json lists the best ones first.

    So T1 after contrast alone goes to the model made for it, and with a second sequence to the one that reads both.

    Raises:
        InputError: no model reads what is given.
    """
    given, models = set(roles), list(models)
    able = [model for model in models if not model.missing(given)]
    if able:
        return max(able, key=lambda model: len(model.used(given)))
    needs = "; ".join(f"{m.name} needs {m.needs}" for m in models)
    shown = ", ".join(role for role in ROLES if role in given) or "nothing"
    raise InputError(f"no model reads {shown} alone ({needs}); give what one of them needs")


def read_model_file(model: ModelInfo) -> bytes:
    """The bytes of a model file, proven by its sha256.

    Raises:
        ModelError: the file is missing or is not the one that models.json names.
    """
    try:
        content = model.path.read_bytes()
    except OSError as error:
        raise ModelError(f"the model file {model.path} cannot be read ({error.strerror}); install the extension again") from None
    import hashlib  # brings OpenSSL, which takes longer than any room of ours: only who opens a model waits for it

    found = hashlib.sha256(content).hexdigest()
    if found != model.sha256:
        raise ModelError(
            f"the model file {model.path} has sha256 {found[:12]}..., but {model.name} is {model.sha256[:12]}..., so it was altered or cut; install it again"
        )
    return content
