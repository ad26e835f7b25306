"""Compare networks for `glioma-regions`: the same short training of each, scored on whole cases of one fold.

    python -m Testing.Benchmarks.compare_networks CANDIDATE [CANDIDATE ...] --data DIR -o OUT [--fold N] [--steps N] [--cache FILE]

DIR holds the public sets of the recipe. Each candidate differs from the shipped design in what its name says and in nothing
else: recipe, batches, loss, seed and schedule (one cosine over all steps on windows of 160 pixels) are the same. OUT receives a
run folder of each; a run that is there already goes on, or is read if it is done. comparison.md is written anew from all runs
in OUT: 3-D Dice of the last weights (an average would lag in so short a training) in fp32 on axial slices, with all four sequences and with FLAIR alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from BrainTumorSegLib.data.case_set import CHANNELS, Case, CaseSet
from BrainTumorSegLib.data.glioma_cases import FOLDS, load_cases, split
from BrainTumorSegLib.networks.attention_unet import AttentionUNet
from BrainTumorSegLib.networks.blocks.large_kernel_attention import LargeKernelAttention
from BrainTumorSegLib.networks.blocks.residual_squeeze_excitation import ResidualSqueezeExcitation
from BrainTumorSegLib.networks.table import build
from BrainTumorSegLib.preprocess.planes import AXIS_OF_PLANE
from BrainTumorSegLib.training.hardware import Hardware, choose_hardware, maps_predictor
from BrainTumorSegLib.training.loop import start_from_imagenet
from BrainTumorSegLib.training.recipe import Phase
from BrainTumorSegLib.training.recipes.glioma_regions import RECIPE
from BrainTumorSegLib.training.region_batches import RegionBatches
from BrainTumorSegLib.training.region_recipe import RegionRecipe
from BrainTumorSegLib.training.region_scores import QUICK_PLANES, score_cases, summary
from BrainTumorSegLib.training.region_trainer import RegionTrainer
from Testing.Benchmarks.table_text import markdown

_OFFSETS = (0, -1, 1)
_FLAIR = CHANNELS.index("flair")


@dataclass(frozen=True)
class NeighborCase(Case):
    """A case of which a slice is seen with its two neighbors as further channels, itself first."""

    def tissue_slices(self, plane: str) -> np.ndarray:
        own = super().tissue_slices(plane)
        return np.concatenate([own[np.clip(np.arange(len(own)) + offset, 0, len(own) - 1)] for offset in _OFFSETS], 1)


@dataclass(frozen=True)
class ShiftedCase(Case):
    """A case that gives the slice `offset` further on than the one it is asked for, or the last one that there is."""

    offset: int = 0

    def cut(self, plane: str, index: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        last = self.labels.shape[AXIS_OF_PLANE[plane]] - 1
        return super().cut(plane, min(max(index + self.offset, 0), last), size)


class NeighborBatches:
    """Batches of `RegionBatches` with the neighbors as further channels: one draw, the same change for all three slices."""

    def __init__(self, cases: CaseSet, recipe: RegionRecipe) -> None:
        self._parts = [RegionBatches(CaseSet(_as(ShiftedCase, case, offset=offset) for case in cases), recipe) for offset in _OFFSETS]

    def __call__(self, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        (images, regions, known), *others = (part(step) for part in self._parts)
        return torch.cat([images, *(other[0] for other in others)], 1), regions, known


def _as(kind: Any, case: Case, **more: Any) -> Any:
    return kind(**{field.name: getattr(case, field.name) for field in fields(Case)}, **more)


@dataclass(frozen=True)
class Candidate:
    """What is compared with the shipped design.

    Attributes:
        about: what differs. make: the network with its first weights, and what these are.
        neighbors: whether a slice is seen with its neighbors. patch_steps: share of the steps that learn from the cubes.
        seed: of all random numbers.
    """

    about: str
    make: Callable[[], tuple[nn.Module, str]]
    neighbors: bool = False
    patch_steps: float = RECIPE.patch_steps
    seed: int = RECIPE.seed


def _shipped(**settings: Any) -> tuple[AttentionUNet, str]:
    network = AttentionUNet(replace(RECIPE.network, **settings))
    return network, start_from_imagenet(network)


def _random_start() -> tuple[nn.Module, str]:
    return AttentionUNet(RECIPE.network), "random weights"


def _blocks_of_c() -> tuple[nn.Module, str]:
    network, started_from = _shipped()
    widths = RECIPE.network.decoder_channels
    skips = network.encoder.channels[-2::-1]
    network.blocks = nn.ModuleList(nn.Sequential(ResidualSqueezeExcitation(w + s, w), LargeKernelAttention(w)) for w, s in zip(widths, skips))
    return network, started_from


def _with_neighbors() -> tuple[nn.Module, str]:
    """Begins as the network that sees the slice alone."""
    network, started_from = _shipped(in_channels=len(_OFFSETS) * len(CHANNELS))
    with torch.no_grad():
        stem = network.encoder.stem[0].weight
        stem[:, : len(CHANNELS)] *= len(_OFFSETS)
        stem[:, len(CHANNELS) :] = 0
    return network, started_from


def _system_c() -> tuple[nn.Module, str]:
    return build("resse-lka-unet", out_channels=RECIPE.network.out_channels, width=0.5, deep_supervision=False), "random weights"


CANDIDATES = {
    "shipped": Candidate("the shipped design: EfficientNet-Lite0, attention gates, residual decoder", _shipped),
    "second-seed": Candidate("the same with other random numbers", _shipped, seed=RECIPE.seed + 1),
    "no-gates": Candidate("plain skips instead of attention gates", lambda: _shipped(attention_gates=False)),
    "no-gates-second-seed": Candidate("plain skips, other random numbers", lambda: _shipped(attention_gates=False), seed=RECIPE.seed + 1),
    "random-start": Candidate("encoder not pretrained", _random_start),
    "no-cubes": Candidate("whole cases alone", _shipped, patch_steps=0.0),
    "wide-decoder": Candidate("decoder of twice the width", lambda: _shipped(decoder_channels=(256, 128, 96, 64))),
    "neighbors": Candidate("the slices before and after as further channels", _with_neighbors, neighbors=True),
    "blocks-of-c": Candidate("system C's ResSE and LKA in place of the residual blocks", _blocks_of_c),
    "system-c": Candidate("system C's whole network at half width, one head", _system_c),
}


class ComparedTrainer(RegionTrainer):
    """`RegionTrainer` with a candidate's network, scored quickly."""

    def __init__(self, candidate: Candidate, recipe: RegionRecipe, training: CaseSet, validation: CaseSet, run: Path, hardware: Hardware) -> None:
        self.candidate = candidate
        super().__init__(recipe, training, validation, run, hardware)
        self.validation = CaseSet(_as(NeighborCase, case) for case in validation) if candidate.neighbors else validation

    def make_network(self) -> tuple[Any, str]:
        return self.candidate.make()

    def make_batches(self, training: CaseSet) -> Callable[[int], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        kind = NeighborBatches if self.candidate.neighbors else RegionBatches
        return kind(training, self.recipe)  # type: ignore[arg-type]  # `Trainer` holds any recipe

    def freeze(self) -> None:
        """Everything learns."""

    def score(self, network: torch.nn.Module) -> dict[str, Any]:
        predict = maps_predictor(network, self.hardware)
        by_case = score_cases(predict, self.validation, QUICK_PLANES)
        alone = score_cases(predict, self.validation, QUICK_PLANES, (_FLAIR,))
        parameters = sum(p.numel() for p in network.parameters())
        return {**summary(by_case), "flair_WT": summary(alone)["dice_by_kind"]["WT"], "parameters": parameters, "cases": by_case}


def compare(name: str, cases: CaseSet, fold: int, steps: int, out: Path, hardware: Hardware) -> dict[str, Any]:
    """Train a candidate, or go on with it; returns its scores, also in scores.json of its run folder."""
    candidate, run = CANDIDATES[name], out / name
    run.mkdir(parents=True, exist_ok=True)
    phase = Phase(steps, 160, peak=1.0, augmentation=0.6, field=160 / 192)
    recipe = replace(RECIPE, phases=(phase,), patch_steps=candidate.patch_steps, seed=candidate.seed, ema=0.0, validate_every=steps)
    trainer = ComparedTrainer(candidate, recipe, *split(cases, fold), run, hardware)
    if (run / "last.safetensors").is_file():
        trainer.resume()
    scores = trainer.fit(lambda _, text: print(f"\r{name}: {text}", end="", flush=True))
    result = {**scores, "step": steps, "fold": fold, "minutes": round(trainer.seconds / 60, 1), "started_from": trainer.started_from}
    (run / "comparison.json").write_text(json.dumps(result, indent=1) + "\n")
    print()
    return result


def comparison_text(results: dict[str, dict[str, Any]]) -> str:
    """A Markdown table, in the order of `CANDIDATES`."""
    heads = ["what differs", "WT", "TC", "ET", "FLAIR alone, WT", "parameters (millions)", "minutes of training", "started from"]
    rows = []
    for name in (name for name in CANDIDATES if name in results):
        scores = results[name]
        dice = [f"{scores['dice_by_kind'][key]:.3f}" for key in ("WT", "TC", "ET")]
        costs = [f"{scores['parameters'] / 1e6:.2f}", f"{scores['minutes']:.0f}"]
        rows.append([CANDIDATES[name].about, *dice, f"{scores['flair_WT']:.3f}", *costs, scores["started_from"].split()[0]])
    return markdown(heads, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("candidates", nargs="+", choices=[*CANDIDATES], metavar="CANDIDATE", help=", ".join(CANDIDATES))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--fold", type=int, default=5, choices=FOLDS)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--cache", type=Path, help="where prepared cases are kept (default: in OUT)")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    cases = load_cases(RECIPE.sets, options.data, options.cache or options.output / "cases.npz", lambda share, text: None)
    for name in options.candidates:
        compare(name, cases, options.fold, options.steps, options.output, choose_hardware("cpu"))
        done = {path.parent.name: json.loads(path.read_text()) for path in options.output.glob("*/comparison.json")}
        (options.output / "comparison.md").write_text(comparison_text(done))


if __name__ == "__main__":
    main()
