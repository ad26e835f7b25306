"""Files of a trained published system: ONNX in each precision, scored on the run's fold, sized and timed, and models.json.

Systems A, B and D mark one tumor, so that their graph ends in one probability as those of our own models do; C's graph ends
in a softmax over background and its three classes, of which the pipeline takes the likeliest.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from BrainTumorSegLib import __version__
from BrainTumorSegLib.data.example_set import ExampleSet
from BrainTumorSegLib.data.paper_sources import load_examples, split
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.export.paper_row import dice_of, paper_row
from BrainTumorSegLib.export.quantize import quantize_dynamic_range
from BrainTumorSegLib.export.sensitivity import part_of, quantize_measured
from BrainTumorSegLib.export.to_onnx import export_onnx
from BrainTumorSegLib.networks.table import NETWORKS
from BrainTumorSegLib.training.checkpoint import load_tensors
from BrainTumorSegLib.training.epochs import WEIGHTS
from BrainTumorSegLib.training.paper_recipe import PaperRecipe, paper_recipe_from_dict
from BrainTumorSegLib.training.paper_runs import EXAMPLES
from BrainTumorSegLib.training.paper_scores import SCORERS
from BrainTumorSegLib.training.recipes import PAPERS

Report = Callable[[float, str], None]
PRECISIONS = ("fp32", "dynamic", "int8")
PASSES = 500
"""Forward passes of one image that system A's paper takes its latency from."""
_CALIBRATION_SLICES = 300  # the paper: 100 to 500 of the validation set
_NAMES = {
    "res-unet": "resunet",
    "res-unet-ag": "resunet-ag",
    "res-unet-se": "resunet-se",
    "res-unet-cbam": "resunet-cbam",
    "hybrid-unet": "hybrid-transformer-unet",
}
"""Names of trained variants where they are not those of their networks."""


class PaperLogits(nn.Module):
    """A trained network as the exported graph wants it: [N, C, H, W] -> logits of the tumor [N, 1, H, W] or of all classes [N, K, H, W].

    One gray channel is repeated in the graph, as often as the network reads it. Of two `maps` the difference of the
    logits is taken, whose sigmoid is the softmax's second value; one and more than two stay as they are.
    """

    def __init__(self, network: nn.Module, repeat: int, maps: int) -> None:
        super().__init__()
        self.network, self.repeat, self.maps = network, repeat, maps

    def forward(self, slices: torch.Tensor) -> torch.Tensor:
        logits = self.network(torch.cat([slices] * self.repeat, 1))
        return logits[:, 1:2] - logits[:, 0:1] if self.maps == 2 else logits


def is_paper_run(run: Path) -> bool:
    """Whether a run folder is one of a published system."""
    try:
        return json.loads((run / "run.json").read_text())["recipe"]["name"] in PAPERS
    except OSError:
        return False


def release_paper(
    run: Path,
    folder: Path,
    precisions: tuple[str, ...],
    data: Path | None,
    report: Report,
    cache: Path | None = None,
    passes: int = PASSES,
    sensitivity: float | None = None,
) -> list[dict[str, Any]]:
    """Write the network of one fold's run to `folder` in each of `precisions`, with models.json.

    Args:
        data: what it was trained on: int8 is calibrated on slices that chose the epoch, and every file is scored on the run's fold.
        cache: examples.npz of the run (default: in it, or beside it).
        passes: of one image, for the latency.
        sensitivity: limit of `sensitivity.scan` for int8; None quantizes every block.

    Returns:
        The rows of models.json.

    Raises:
        InputError: a run that is not finished; int8 without data; data that are missing.
    """
    settings = json.loads((run / "run.json").read_text())
    recipe = paper_recipe_from_dict(settings["recipe"], PAPERS)
    if not (run / "scores.json").is_file():
        raise InputError(f"{run} is not finished (scores.json is missing); go on with `braintumorseg train ... --resume` first")
    if data is None and "int8" in precisions:
        raise InputError("int8 is calibrated on real slices, but no data are given; add --data DIR or choose --precision fp32")
    network = _trained(recipe, run)
    name = _NAMES.get(key := PAPERS[recipe.name].networks[recipe.variant], key)
    folder.mkdir(parents=True, exist_ok=True)
    files = {precision: folder / f"{name}-{precision}.onnx" for precision in PRECISIONS}
    metadata = {"name": name, "version": __version__, "recipe": recipe.name, "variant": recipe.variant}
    export_onnx(network, files["fp32"], metadata, len(recipe.inputs), classes=recipe.network.out_channels > 2)
    examples = _examples(recipe, data, run, cache, report) if data else None
    rows = []
    for i, precision in enumerate(sorted(set(precisions), key=PRECISIONS.index)):
        report(0.1 + 0.9 * i / len(PRECISIONS), f"{precision}: quantizing and scoring")
        if precision == "dynamic":
            quantize_dynamic_range(files["fp32"], files["dynamic"], metadata)
        if precision == "int8" and examples:
            share = part_of(report, 0.1 + 0.9 * i / len(PRECISIONS), 0.2)
            quantize_measured(files["fp32"], files["int8"], _calibration(examples, recipe, settings["fold"]), metadata, sensitivity, share)
        scores = _scores(files[precision], examples, recipe, settings["fold"], run, passes) if examples else {}
        rows.append(paper_row(name, files[precision], precision, recipe, scores, run))
    if "fp32" not in precisions:
        files["fp32"].unlink()
    rows.reverse()  # the smallest files first
    (folder / "models.json").write_text(json.dumps({"format": 1, "models": rows}, indent=1) + "\n")
    return rows


def _trained(recipe: PaperRecipe, run: Path) -> nn.Module:
    network = NETWORKS[PAPERS[recipe.name].networks[recipe.variant]].builder(recipe.network)
    network.load_state_dict(load_tensors(run / WEIGHTS)[0])
    repeat = recipe.network.in_channels if len(recipe.inputs) == 1 else 1
    return PaperLogits(network.eval(), repeat, recipe.network.out_channels)


def _examples(recipe: PaperRecipe, data: Path, run: Path, cache: Path | None, report: Report) -> ExampleSet:
    shared = run.parent / EXAMPLES  # cross-validation keeps one for all folds
    place = cache or (shared if shared.is_file() and not (run / EXAMPLES).is_file() else run / EXAMPLES)
    return load_examples(recipe.sets, recipe.inputs, recipe.required, recipe.scheme, recipe.view, data, place, report)


def _calibration(examples: ExampleSet, recipe: PaperRecipe, fold: int) -> np.ndarray:
    """Slices that chose the epoch, or of training where the scored fold itself chose it; float32 [300, C, size, size] at most."""
    training, choosing, scored = split(examples, fold, recipe.choose_on)
    source = training if np.array_equal(choosing, scored) else choosing
    chosen = np.random.default_rng(recipe.seed).choice(source, min(_CALIBRATION_SLICES, len(source)), replace=False)
    return examples.intensities(np.sort(chosen))


def _scores(path: Path, examples: ExampleSet, recipe: PaperRecipe, fold: int, run: Path, passes: int) -> dict[str, Any]:
    import onnxruntime

    scored = examples.select(split(examples, fold, recipe.choose_on)[2])
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = [_labels(session.run(None, {"slices": scored.intensities(np.array([i]))})[0]) for i in range(len(scored))]
    scores = SCORERS[recipe.name](np.concatenate(found), scored)
    about = {key: value for key, value in json.loads((run / "scores.json").read_text()).items() if key != "scores"}
    return {
        "split": f"fold {fold} of {', '.join(about['sources'])}",
        **dice_of(recipe.name, scores),
        **{key: value for key, value in scores.items() if key != "cases"},
        "seconds_per_image": seconds_per_image(session, scored.intensities(np.array([0])), passes),
        "run": about,
    }


def _labels(maps: np.ndarray) -> np.ndarray:
    """Label map, uint8 [N, H, W], of the graph's probabilities [N, K, H, W]."""
    return ((maps[:, 0] >= 0.5) if maps.shape[1] == 1 else maps.argmax(1)).astype(np.uint8)


def seconds_per_image(session: Any, image: np.ndarray, passes: int) -> float:
    """Mean time of `passes` forward passes of one image, after one that does not count."""
    session.run(None, {"slices": image})
    began = time.perf_counter()
    for _ in range(passes):
        session.run(None, {"slices": image})
    return round((time.perf_counter() - began) / passes, 5)
