"""What a run of a published system is made of: one frozen dataclass, stored beside the weights it made."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from BrainTumorSegLib.data.paper_augmentation import PaperAugmentationConfig
from BrainTumorSegLib.data.paper_sources import NEXT_FOLD, SCORED_FOLD, VIEWS, View
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.networks.table import configure
from BrainTumorSegLib.training import recipe as recipes
from BrainTumorSegLib.training.paper_losses import LOSSES
from BrainTumorSegLib.training.schedule import SCHEDULES, Schedule

OPTIMIZERS = ("adam", "adamw")
MONITORS = ("mean_iou", "iou", "dice", "loss")
"""What chooses the epoch: see `confusion.overlaps`; the loss is better when it is smaller."""
IMAGENET, RANDOM = "imagenet", "random"


@dataclass(frozen=True)
class PaperRecipe:
    """Everything that decides the outcome of a run.

    Attributes:
        name, variant: the recipe, and the row of its paper's table.
        network: configuration of the variant's network; `network.width` 1.0 is the published one.
        start: "imagenet" (weights where they are found, see `networks.encoders.imagenet`), "random" or a weight file.
        sets: public sets, folders below the data folder.
        inputs, required: roles that cases of one's own give, in channel order, and those that none may lack.
        scheme: label scheme of the masks.
        view: what the network sees of an image, see `preprocess.views`.
        augmentation: random changes.
        loss: a key of `paper_losses.LOSSES`.
        optimizer: "adam" or "adamw" with learning_rate, weight_decay and epsilon.
        schedule: how the learning rate changes from epoch to epoch.
        batch, epochs: as published; slices_per_epoch: that many, drawn anew for each epoch, 0 for all of them.
        patience: epochs without gain of the monitor after which the run stops; 0 for none.
        monitor: what chooses the epoch; restore_best: whether the best epoch's weights are kept, or the last one's.
        validate_every: epochs between looks at the monitor.
        choose_on: "next fold" or "scored fold", see `paper_sources.split`.
        mixed_precision: whether bfloat16 may be used where the hardware has it.
        seed: every random number follows from it, the epoch and the batch.
    """

    name: str
    variant: str
    network: Any
    sets: tuple[str, ...]
    inputs: tuple[str, ...]
    required: tuple[str, ...]
    scheme: str
    view: View
    loss: str
    batch: int
    epochs: int
    learning_rate: float
    optimizer: str = "adam"
    weight_decay: float = 0.0
    epsilon: float = 1e-8
    schedule: Schedule = field(default_factory=Schedule)
    augmentation: PaperAugmentationConfig = field(default_factory=PaperAugmentationConfig)
    slices_per_epoch: int = 0
    patience: int = 0
    monitor: str = "mean_iou"
    restore_best: bool = True
    validate_every: int = 1
    choose_on: str = NEXT_FOLD
    mixed_precision: bool = True
    start: str = IMAGENET
    seed: int = 1

    def to_json(self) -> str:
        """The recipe as text, to be stored beside its weights and compared at resume."""
        return json.dumps(dataclasses.asdict(self), indent=1)


@dataclass(frozen=True)
class Paper:
    """A published system: its recipe, and the network in `networks.table` of each row of its table."""

    recipe: PaperRecipe
    networks: Mapping[str, str]


_SHORT = {"width": "network.width", "size": "view.size", "clahe": "view.clahe"}
"""Settings that are asked for often, and where they are."""


def paper_recipe(paper: Paper, settings: list[str]) -> PaperRecipe:
    """The recipe with `key=value` settings applied, the variant first, for it decides what the network's settings are.

    Raises:
        InputError: an unknown variant or key, or a value of another type or out of range.
    """
    recipe = paper.recipe
    pairs = [setting.partition("=") for setting in settings]
    variants = [text for key, _, text in pairs if key == "variant"]
    if variants:
        recipe = _with_variant(paper, variants[-1].strip('"'))
    others = [f"{_SHORT.get(key, key)}{sign}{_as_json(text)}" for key, sign, text in pairs if key != "variant"]
    recipe = cast(PaperRecipe, recipes.override(cast(Any, recipe), others))
    check(recipe)
    _check_fixed(recipe, paper)
    return recipe


def _check_fixed(recipe: PaperRecipe, paper: Paper) -> None:
    """What a paper's scores are made for cannot be set: another task is another recipe."""
    for key in ("name", "scheme", "network.out_channels"):
        if _value(recipe, key) != _value(paper.recipe, key):
            raise InputError(f"{key} is {_value(recipe, key)!r}, but {paper.recipe.name} needs {_value(paper.recipe, key)!r}; leave it out")


def _as_json(text: str) -> str:
    """Shells take the quotes off a text; what is no JSON is one."""
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return json.dumps(text) if text else text
    return text


def _with_variant(paper: Paper, variant: str) -> PaperRecipe:
    if variant not in paper.networks:
        raise InputError(f"variant is {variant!r}, but {paper.recipe.name} has {', '.join(paper.networks)}; choose one of them")
    return dataclasses.replace(paper.recipe, variant=variant, network=configure(paper.networks[variant]))


def check(recipe: PaperRecipe) -> None:
    """Refuse values that no run could begin with.

    Raises:
        InputError: naming the setting, its rule and its value.
    """
    choices = {
        "loss": tuple(LOSSES),
        "optimizer": OPTIMIZERS,
        "monitor": MONITORS,
        "choose_on": (NEXT_FOLD, SCORED_FOLD),
        "schedule.kind": SCHEDULES,
        "view.kind": VIEWS,
    }
    for key, allowed in choices.items():
        value = _value(recipe, key)
        if value not in allowed:
            raise InputError(f"{key} is {value!r}, but it must be one of {', '.join(allowed)}; correct the setting")
    for key in ("batch", "epochs", "validate_every", "learning_rate", "network.width"):
        if not _value(recipe, key) > 0:
            raise InputError(f"{key} is {_value(recipe, key)}, but it must be greater than 0; correct the setting")
    if recipe.loss.startswith("bce") != (recipe.network.out_channels == 1):
        raise InputError(f"loss is {recipe.loss!r}, but it does not fit a network of {recipe.network.out_channels} maps; bce and bce-dice fit one map")
    if len(recipe.inputs) not in (1, recipe.network.in_channels):
        raise InputError(f"inputs are {', '.join(recipe.inputs)}, but the network reads {recipe.network.in_channels} channels; give as many, or one")
    if not set(recipe.required) <= set(recipe.inputs):
        raise InputError(f"required has {', '.join(recipe.required)}, but inputs are {', '.join(recipe.inputs)} only; correct the setting")
    if recipe.view.size <= 0 or recipe.view.size % 32:
        raise InputError(f"view.size is {recipe.view.size}, but the networks halve it five times, so a multiple of 32 is needed; correct the setting")


def _value(recipe: PaperRecipe, key: str) -> Any:
    node: Any = recipe
    for name in key.split("."):
        node = getattr(node, name)
    return node


def paper_recipe_from_dict(values: dict[str, Any], papers: Mapping[str, Paper]) -> PaperRecipe:
    """The recipe that `to_json` wrote."""
    parts: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    augmentation: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values["augmentation"].items()}
    return PaperRecipe(
        **{
            **parts,
            "network": configure(papers[values["name"]].networks[values["variant"]], **values["network"]),
            "view": View(**values["view"]),
            "schedule": Schedule(**values["schedule"]),
            "augmentation": PaperAugmentationConfig(**augmentation),
        }
    )
