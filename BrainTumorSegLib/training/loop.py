"""The training loop: reads top to bottom, resumes exactly, writes a log that tells the whole story."""

from __future__ import annotations

import copy
import csv
import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from BrainTumorSegLib.networks.attention_unet import AttentionUNet
from BrainTumorSegLib.networks.encoders.efficientnet_lite import find_imagenet_weights, load_imagenet_weights
from BrainTumorSegLib.training import checkpoint
from BrainTumorSegLib.training.batches import BatchMaker
from BrainTumorSegLib.training.hardware import Hardware, network_predictor, place
from BrainTumorSegLib.training.losses import bce_dice
from BrainTumorSegLib.training.recipe import Recipe
from BrainTumorSegLib.training.run_folder import described, is_file
from BrainTumorSegLib.training.unfold import unfold
from BrainTumorSegLib.training.validation import predict_slices, score_slices

Report = Callable[[float, str], None]
_CHECKPOINT_SECONDS = 120.0
_UNFOLDING = 8  # batches that set the normalizations of what starts from a file


class Trainer:
    """One run: network, optimizer, weight average and log in one folder.

    Files: recipe.json; last.safetensors (everything needed to go on); weights.safetensors (the averaged weights);
    log.csv (one row per validation); scores.json (the last validation in full).

    This one learns `t1ce-tumor` from slices; what learns something else overrides `make_batches`, `loss` and `score`, and
    what learns with another network `make_network`, `make_optimizer` and `freeze`.
    """

    def __init__(self, recipe: Recipe, training: Any, validation: Any, run: Path, hardware: Hardware) -> None:
        self.recipe, self.run, self.hardware = recipe, run, hardware
        self.batches = self.make_batches(training)
        self.validation = validation
        torch.manual_seed(recipe.seed)
        self.network, self.started_from = self.make_network()
        place(self.network, hardware)
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.optimizer = self.make_optimizer()
        self.step, self.seconds, self.losses = 0, 0.0, [0.0, 0.0]

    def make_network(self) -> tuple[Any, str]:
        """The network as it starts, and what it starts from."""
        network = AttentionUNet(self.recipe.network)
        return network, start_from_imagenet(network)

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Its groups have a "share" of the recipe's learning rate each."""
        return make_optimizer(self.network, self.recipe)

    def freeze(self) -> None:
        """Let learn what this step's phase lets learn."""
        self.network.encoder.freeze(self.recipe.phase_at(self.step).frozen_stages)

    def make_batches(self, training: Any) -> Callable[[int], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        """What gives (images, targets, known pixels) of a step."""
        return BatchMaker(training, self.recipe)

    def loss(self, logits: torch.Tensor, targets: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Loss of the tumor and, with less weight, of the whole-tumor head, which exists in training only."""
        loss = bce_dice(logits[:, :1], targets[:, :1], known[:, :1])
        if logits.shape[1] > 1:
            loss = loss + self.recipe.whole_tumor_weight * bce_dice(logits[:, 1:], targets[:, 1:], known[:, 1:])
        return loss

    def score(self, network: torch.nn.Module) -> dict[str, Any]:
        """Scores on the validation slices, at least "n", "dice" and "dice_by_kind"; numbers go to log.csv."""
        return score_slices(predict_slices(network_predictor(network, self.hardware), self.validation), self.validation)

    def fit(self, report: Report) -> dict[str, Any]:
        """Train to the recipe's last step; returns the last validation's scores."""
        saved = time.monotonic()
        scores: dict[str, Any] = {}
        while self.step < self.recipe.steps:
            began = time.monotonic()
            loss = self.train_step()
            self.losses = [self.losses[0] + loss, self.losses[1] + 1]
            self.seconds += time.monotonic() - began
            report(self.step / self.recipe.steps, f"step {self.step} of {self.recipe.steps}, loss {loss:.3f}")
            if self.step % self.recipe.validate_every == 0 or self.step == self.recipe.steps:
                self.save()  # a validation takes minutes: what interrupts it costs no step
                scores = self.validate()
                saved = -math.inf
            if time.monotonic() - saved > _CHECKPOINT_SECONDS:
                self.save()
                saved = time.monotonic()
        return scores or self._last_scores()

    def _last_scores(self) -> dict[str, Any]:
        """Scores of a run that was resumed after its last step; taken anew where the interruption came before they were written."""
        path = self.run / "scores.json"
        stored: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        return stored if stored.get("step") == self.step else self.validate()

    def train_step(self) -> float:
        """One batch; returns its loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = group["share"] * self.recipe.rate_at(self.step)
        torch.manual_seed(self.recipe.seed * 7_919 + self.step)  # dropout follows the step too: a resumed run repeats it
        images, targets, known = (t.to(self.hardware.device) for t in self.batches(self.step))
        self.network.train()
        self.freeze()
        with torch.autocast(self.hardware.device.type, torch.bfloat16, enabled=self.hardware.bf16):
            logits = self.network(images.contiguous(memory_format=torch.channels_last))
        logits = logits.float()
        loss = self.loss(logits, targets, known)
        if not torch.isfinite(loss):
            raise RuntimeError(f"the loss became {loss.item()} at step {self.step}; lower learning_rate and start again")
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.step += 1
        self._update_average()
        return loss.item()

    def _update_average(self) -> None:
        decay = min(self.recipe.ema, (1 + self.step) / (10 + self.step))  # early weights are forgotten soon
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                self.average[name].lerp_(value, 1 - decay)
            else:
                self.average[name].copy_(value)

    def validate(self) -> dict[str, Any]:
        """Score the averaged weights on the validation slices, add a row to log.csv and save everything."""
        network = copy.deepcopy(self.network)
        network.load_state_dict(self.average)
        scores = self.score(network)
        row = {
            "step": self.step,
            "minutes": round(self.seconds / 60, 2),
            "training_loss": round(self.losses[0] / max(self.losses[1], 1), 5),
            **{key: value for key, value in scores.items() if not isinstance(value, (dict, list))},
            **{f"dice_{kind}": value for kind, value in scores["dice_by_kind"].items()},
        }
        self.losses = [0.0, 0.0]
        append_row(self.run / "log.csv", row)
        (self.run / "scores.json").write_text(json.dumps({"step": self.step, "started_from": self.started_from, **scores}, indent=1) + "\n")
        self.save()
        return scores

    def save(self) -> None:
        """Write last.safetensors and weights.safetensors."""
        state = {"network": self.network.state_dict(), "average": self.average, "optimizer": checkpoint.optimizer_tensors(self.optimizer)}
        progress = {"step": self.step, "seconds": self.seconds, "losses": self.losses}
        checkpoint.save_tensors(self.run / "last.safetensors", checkpoint.pack(state), progress)
        checkpoint.save_tensors(self.run / "weights.safetensors", self.average, {"step": self.step})

    def start_from(self, runs: Sequence[Path]) -> None:
        """Begin with the averaged weights of other runs of the same network instead of ImageNet's (fine-tuning), or with those of an exported file.

        Of several runs of which one was fine-tuned from the other the mean is taken, which keeps most of what both can do
        (Wortsman et al. 2022, arXiv:2109.01903). A run that is named several times weighs as much; without steps the mean is the result.
        """
        loaded = [self._unfolded(run) if is_file(run) else checkpoint.load_tensors(run / "weights.safetensors")[0] for run in runs]
        for name, value in self.network.state_dict().items():
            values = torch.stack([weights[name].to(value.device) for weights in loaded])
            value.copy_(values.mean(0) if value.dtype.is_floating_point else values[-1])
        self.average = {name: value.clone() for name, value in self.network.state_dict().items()}
        self.started_from = described(runs)

    def _unfolded(self, path: Path) -> dict[str, torch.Tensor]:
        """Weights of an exported file; its normalizations are set by the first batches."""
        network = copy.deepcopy(self.network).cpu()
        images = [self.batches(step)[0] for step in range(_UNFOLDING)]
        widest = max(image.shape[-1] for image in images)  # patches, which are smaller, have another spread of values than what the file will see
        unfold(path, network, torch.cat([image for image in images if image.shape[-1] == widest]))
        return network.state_dict()

    def resume(self) -> None:
        """Go on where last.safetensors was written; validations that came after it are forgotten."""
        tensors, progress = checkpoint.load_tensors(self.run / "last.safetensors")
        self.network.load_state_dict(checkpoint.unpack(tensors, "network"))
        self.average = {name: value.to(self.hardware.device) for name, value in checkpoint.unpack(tensors, "average").items()}
        checkpoint.restore_optimizer(self.optimizer, checkpoint.unpack(tensors, "optimizer"))
        self.step, self.seconds, self.losses = progress["step"], progress["seconds"], progress["losses"]


def start_from_imagenet(network: AttentionUNet) -> str:
    """Load ImageNet weights where their package is installed; says what the run started from."""
    path = find_imagenet_weights(network.config.variant)
    if path is None:
        return "random weights"
    load_imagenet_weights(network.encoder, path)
    return f"ImageNet weights {path.name}"


def make_optimizer(network: AttentionUNet, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW; the pretrained encoder learns slower, and scales and biases are not decayed."""
    groups = []
    for prefix, share in (("encoder.", recipe.encoder_rate), ("", 1.0)):
        named = [(n, p) for n, p in network.named_parameters() if n.startswith("encoder.") == bool(prefix)]
        groups.append({"params": [p for _, p in named if p.ndim > 1], "weight_decay": recipe.weight_decay, "share": share})
        groups.append({"params": [p for _, p in named if p.ndim <= 1], "weight_decay": 0.0, "share": share})
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def append_row(path: Path, row: dict[str, Any]) -> None:
    """Add a row to a CSV file; rows of steps that are done again are replaced."""
    rows: list[dict[str, Any]] = []
    if path.is_file():
        with path.open(newline="") as file:
            rows = [old for old in csv.DictReader(file) if int(old["step"]) < row["step"]]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerows([*rows, row])
