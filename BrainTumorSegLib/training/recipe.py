"""What a training run is made of: one frozen dataclass, stored beside the weights it made."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any

from BrainTumorSegLib.data.augmentation import AugmentationConfig
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig


@dataclass(frozen=True)
class Phase:
    """A stretch of training.

    Attributes:
        steps: how many.
        size: of the slices in pixels.
        peak: where not None, a cosine of the learning rate starts here from this share of it, and lasts to the next
            peak or the end (warm restarts, Loshchilov & Hutter 2017, arXiv:1608.03983).
        augmentation: share of the augmentation's probabilities that holds here; the last phase is nearer to real slices.
        frozen_stages: first stages of the encoder that learn no more, which makes a step a third cheaper.
        field: width of the window that is seen, as a share of the slice's. 160 pixels with a field of 5/7 have the
            resolution of 224 at half the cost.
    """

    steps: int
    size: int
    peak: float | None = None
    frozen_stages: int = 0
    augmentation: float = 1.0
    field: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the outcome of a run.

    Attributes:
        name: recipe's and model's name.
        sets: folder of each public set below the data folder.
        network: the network.
        phases: in order; the first one has a peak.
        batch: how many slices of each pool make one batch, see `training.batches`.
        paste: probability that a slice of a pool of `batch` receives a tumor of another slice, see `data.tumor_paste`.
        learning_rate: of the decoder, reached after `warm_up` steps, then cosine decays to 1 % of it (see `Phase.peak`).
        encoder_rate: the pretrained encoder's share of it.
        weight_decay: AdamW's.
        ema: decay of the weight average that is validated and exported.
        augmentation: random changes of slices.
        whole_tumor_weight: weight of the whole-tumor head, which exists in training only.
        validate_every: steps between validations.
        seed: every random number follows from it and the step.
    """

    name: str
    sets: tuple[str, ...]
    network: AttentionUNetConfig = field(default_factory=AttentionUNetConfig)
    phases: tuple[Phase, ...] = (Phase(900, 160, peak=1.0), Phase(700, 224))
    batch: dict[str, int] = field(default_factory=dict)
    paste: dict[str, float] = field(default_factory=dict)
    learning_rate: float = 1e-3
    encoder_rate: float = 0.5
    warm_up: int = 100
    weight_decay: float = 0.02
    ema: float = 0.995
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    whole_tumor_weight: float = 0.3
    validate_every: int = 400
    seed: int = 1

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    def phase_at(self, step: int) -> Phase:
        """The phase that a step, counted from 0, belongs to."""
        for phase in self.phases:
            if step < phase.steps:
                return phase
            step -= phase.steps
        return self.phases[-1]

    def rate_at(self, step: int) -> float:
        """Learning rate of a step: linear warm-up, then cosines from each peak to a hundredth of it."""
        first, length, peak = self._cycle_at(step)
        if step < self.warm_up:
            return self.learning_rate * peak * (step + 1) / self.warm_up
        start = max(first, self.warm_up)
        done = (step - start) / max(first + length - start, 1)
        return self.learning_rate * peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))

    def _cycle_at(self, step: int) -> tuple[int, int, float]:
        """(first step, steps, peak) of the cosine that a step belongs to."""
        cycles: list[tuple[int, int, float]] = []
        begin = 0
        for phase in self.phases:
            if phase.peak is not None or not cycles:
                cycles.append((begin, phase.steps, 1.0 if phase.peak is None else phase.peak))
            else:
                first, length, peak = cycles[-1]
                cycles[-1] = (first, length + phase.steps, peak)
            begin += phase.steps
        return next((cycle for cycle in cycles if step < cycle[0] + cycle[1]), cycles[-1])

    def to_json(self) -> str:
        """The recipe as text, to be stored beside its weights and compared at resume."""
        return json.dumps(dataclasses.asdict(self), indent=1)


def override(recipe: Recipe, settings: list[str]) -> Recipe:
    """`recipe` with `key=value` settings applied; nested fields as `network.dropout=0.2`, values as JSON.

    Raises:
        InputError: an unknown key, or a value of another type, named with what is allowed.
    """
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not separator:
            raise InputError(f"--set {setting} has no '=', but settings are key=value; write for instance --set seed=2")
        recipe = _replace(recipe, key.split("."), _value(key, text), key)
    return recipe


def _value(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise InputError(f"--set {key}={text} is not a JSON value; write a number, true, false, a list or a quoted text") from None


def _replace(node: Any, path: list[str], value: Any, key: str) -> Any:
    names = [f.name for f in dataclasses.fields(node)]
    if path[0] not in names:
        raise InputError(f"--set {key} names no setting of {type(node).__name__}; it has {', '.join(names)}")
    old = getattr(node, path[0])
    if len(path) > 1:
        if not dataclasses.is_dataclass(old):
            raise InputError(f"--set {key} looks inside {path[0]}, which is a plain value; set {path[0]} itself")
        return dataclasses.replace(node, **{path[0]: _replace(old, path[1:], value, key)})
    if path[0] == "phases":
        return dataclasses.replace(node, phases=_phases(value))
    try:
        return dataclasses.replace(node, **{path[0]: _converted(value, old)})
    except TypeError:
        raise InputError(f"--set {key} was given {value!r}, but {type(old).__name__} is needed, as in {old!r}; correct the value") from None


def _converted(value: Any, old: Any) -> Any:
    """`value` in the type of `old`: a whole number may stand for a fraction, a list for a tuple of as many; else a TypeError."""
    if isinstance(old, tuple) and isinstance(value, list) and (len(value) == len(old) or isinstance(old[0], str)):
        return tuple(_converted(item, old[0]) for item in value)
    if isinstance(old, float) and type(value) is int:
        return float(value)
    if type(value) is not type(old):
        raise TypeError
    return {name: _converted(number, next(iter(old.values()), 0.0)) for name, number in value.items()} if isinstance(old, dict) else value


def _phases(value: Any) -> tuple[Phase, ...]:
    try:
        phases = tuple(_phase(*entry) for entry in value)
    except TypeError:
        phases = ()
    if not phases or not all(map(_is_possible, phases)):
        needed = "lists of steps, a slice size in multiples of 32 and, if wanted, peak, frozen stages, augmentation, field are needed, as in [[900, 160, 1.0]]"
        raise InputError(f"--set phases was given {value!r}, but {needed}; correct the value")
    return phases


def _is_possible(phase: Phase) -> bool:
    return phase.steps >= 0 and phase.size > 0 and phase.size % 32 == 0 and 0 <= phase.augmentation <= 1 and 0 < phase.field <= 1


def _phase(steps: Any, size: Any, peak: Any = None, frozen_stages: Any = 0, augmentation: Any = 1.0, field: Any = 1.0) -> Phase:
    rate = None if peak is None else _converted(peak, 1.0)
    return Phase(_converted(steps, 1), _converted(size, 1), rate, _converted(frozen_stages, 1), _converted(augmentation, 1.0), _converted(field, 1.0))


def from_dict(values: dict[str, Any], kind: type[Recipe] = Recipe) -> Recipe:
    """The recipe of this `kind` that `to_json` wrote."""
    parts = dict(values)
    parts["network"] = AttentionUNetConfig(**{**values["network"], "decoder_channels": tuple(values["network"]["decoder_channels"])})
    augmentation: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in values["augmentation"].items()}
    parts["augmentation"] = AugmentationConfig(**augmentation)
    parts["phases"] = tuple(Phase(**phase) for phase in values["phases"])
    parts["sets"] = tuple(values["sets"])
    return kind(**parts)
