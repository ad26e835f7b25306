"""Training of the published systems by epochs: reads top to bottom, resumes exactly after every epoch."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from BrainTumorSegLib.data import paper_augmentation
from BrainTumorSegLib.data.example_set import ExampleSet
from BrainTumorSegLib.training import checkpoint
from BrainTumorSegLib.training.confusion import confusion, overlaps
from BrainTumorSegLib.training.epoch_log import write_row
from BrainTumorSegLib.training.hardware import Hardware, place
from BrainTumorSegLib.training.loop import Report
from BrainTumorSegLib.training.paper_losses import LOSSES, Maps, main_logits, predicted_labels
from BrainTumorSegLib.training.paper_recipe import PaperRecipe
from BrainTumorSegLib.training.schedule import best_epoch, is_over, rate_at

LAST, WEIGHTS = "last.safetensors", "weights.safetensors"


class EpochTrainer:
    """One run of one fold.

    Args:
        recipe: what to do. network: as the recipe's, with its first weights.
        examples: all of them; `training` and `choosing` are the indices to train on and to choose the epoch by.
        classes: values of a label map, background included.
        run: folder that receives last.safetensors (everything needed to go on), weights.safetensors (the best epoch's
            weights, or the last one's) and log.csv (one row an epoch).
    """

    def __init__(
        self,
        recipe: PaperRecipe,
        network: torch.nn.Module,
        examples: ExampleSet,
        training: np.ndarray,
        choosing: np.ndarray,
        classes: int,
        run: Path,
        hardware: Hardware,
    ) -> None:
        self.recipe, self.network, self.run, self.hardware = recipe, network, run, hardware
        self.examples, self.training, self.choosing, self.classes = examples, training, choosing, classes
        place(network, hardware)
        self.optimizer = make_optimizer(network, recipe)
        self.epoch, self.seconds = 0, 0.0
        self.monitored: list[float] = []  # after each validation, larger is better
        self.validated: list[int] = []  # number of epochs that each of them came after

    @property
    def is_done(self) -> bool:
        return self.epoch >= self.recipe.epochs or is_over(self.monitored, self.recipe.patience)

    @property
    def kept_epoch(self) -> int:
        """The epoch, counted from 1, whose weights are kept."""
        return self.validated[best_epoch(self.monitored)] if self.recipe.restore_best and self.monitored else self.epoch

    def fit(self, report: Report) -> None:
        """Train until the last epoch or the early stop."""
        while not self.is_done:
            began = time.monotonic()
            rate = rate_at(self.recipe.schedule, self.recipe.learning_rate, self.epoch, self.monitored)
            row: dict[str, Any] = {"epoch": self.epoch + 1, "minutes": 0.0, "learning_rate": f"{rate:.3g}", **self.train_epoch(rate, report)}
            self.epoch += 1
            row.update(self.look())
            self.seconds += time.monotonic() - began
            row["minutes"] = round(self.seconds / 60, 2)
            write_row(self.run / "log.csv", row)
            self.save()

    def train_epoch(self, rate: float, report: Report) -> dict[str, float]:
        """All batches of an epoch; returns their mean loss and pooled overlaps, `training_...`."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        batches = self.batches()
        counts, total = np.zeros((self.classes, self.classes), np.int64), 0.0
        for i, chosen in enumerate(batches):
            loss, predicted, labels = self.train_batch(i, chosen)
            total += loss
            counts += confusion(predicted, labels, self.classes)
            done = (self.epoch + (i + 1) / len(batches)) / self.recipe.epochs
            report(done, f"epoch {self.epoch + 1} of {self.recipe.epochs}, batch {i + 1} of {len(batches)}, loss {loss:.3f}")
        return _row("training", total / len(batches), counts)

    def batches(self) -> list[np.ndarray]:
        """Indices of the epoch's batches, drawn from (seed, epoch) alone; a last one that is not full is left out."""
        order = np.random.default_rng((self.recipe.seed, self.epoch)).permutation(self.training)
        if self.recipe.slices_per_epoch:
            order = order[: self.recipe.slices_per_epoch]
        size = min(self.recipe.batch, len(order))
        return [order[i : i + size] for i in range(0, len(order) - size + 1, size)]

    def train_batch(self, number: int, chosen: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """One step; returns its loss, what was predicted before it and the labels."""
        seed = (self.recipe.seed * 7_919 + self.epoch) * 100_003 + number
        images, labels = augmented(self.examples, chosen, self.recipe, seed)
        torch.manual_seed(seed)  # dropout follows the batch too: a resumed run repeats it
        self.network.train()
        maps = run_network(self.network, images, self.hardware, self.recipe.mixed_precision)
        loss = LOSSES[self.recipe.loss](maps, labels.to(self.hardware.device))
        if not torch.isfinite(loss):
            raise RuntimeError(f"the loss became {loss.item()} in epoch {self.epoch + 1}; lower learning_rate and start again")
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item(), predicted_labels(main_logits(maps).detach()).cpu().numpy(), labels.numpy()

    def look(self) -> dict[str, float | str]:
        """Where a look at the monitor is due: `validation_...`, and the weights kept if they are the best so far; else empty cells."""
        due = self.epoch % self.recipe.validate_every == 0 or self.epoch == self.recipe.epochs
        row = validate(self.network, self.examples, self.choosing, self.recipe, self.classes, self.hardware) if due else {}
        if due:
            value = row[f"validation_{self.recipe.monitor}"]
            self.monitored.append(-value if self.recipe.monitor == "loss" else value)
            self.validated.append(self.epoch)
        if self.kept_epoch == self.epoch:
            checkpoint.save_tensors(self.run / WEIGHTS, self.network.state_dict(), {"epoch": self.epoch})
        return {**dict.fromkeys(VALIDATION_KEYS, ""), **row}

    def save(self) -> None:
        """Write last.safetensors."""
        state = {"network": self.network.state_dict(), "optimizer": checkpoint.optimizer_tensors(self.optimizer)}
        progress = {"epoch": self.epoch, "seconds": self.seconds, "monitored": self.monitored, "validated": self.validated}
        checkpoint.save_tensors(self.run / LAST, checkpoint.pack(state), progress)

    def resume(self) -> None:
        """Go on after the epoch that last.safetensors was written after."""
        tensors, progress = checkpoint.load_tensors(self.run / LAST)
        self.network.load_state_dict(checkpoint.unpack(tensors, "network"))
        checkpoint.restore_optimizer(self.optimizer, checkpoint.unpack(tensors, "optimizer"))
        self.epoch, self.seconds = progress["epoch"], progress["seconds"]
        self.monitored, self.validated = progress["monitored"], progress["validated"]


def make_optimizer(network: torch.nn.Module, recipe: PaperRecipe) -> torch.optim.Optimizer:
    """Adam or AdamW over all weights, betas 0.9 and 0.999."""
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[recipe.optimizer]
    return kind(network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, eps=recipe.epsilon)


def augmented(examples: ExampleSet, chosen: np.ndarray, recipe: PaperRecipe, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images [n, in_channels, size, size] and labels uint8 [n, size, size] of a batch, changed at random."""
    images, labels = torch.from_numpy(examples.intensities(chosen)), torch.from_numpy(examples.labels[chosen])
    n, channels, size = images.shape[:3]
    drawn = paper_augmentation.draw(recipe.augmentation, n, channels, size, torch.Generator().manual_seed(seed))
    images, labels = paper_augmentation.apply(drawn, images, labels)
    return repeated(images, recipe), labels


def repeated(images: torch.Tensor, recipe: PaperRecipe) -> torch.Tensor:
    """A single gray channel, once for each channel of the network."""
    return images.expand(-1, recipe.network.in_channels, -1, -1) if images.shape[1] == 1 else images


def run_network(network: torch.nn.Module, images: torch.Tensor, hardware: Hardware, mixed_precision: bool) -> Maps:
    """Logits in float32, of every head in training."""
    batch = images.to(hardware.device).contiguous(memory_format=torch.channels_last)
    with torch.autocast(hardware.device.type, torch.bfloat16, enabled=hardware.bf16 and mixed_precision):
        maps = network(batch)
    return maps.float() if isinstance(maps, torch.Tensor) else [m.float() for m in maps]


def predict(network: torch.nn.Module, examples: ExampleSet, chosen: np.ndarray, recipe: PaperRecipe, hardware: Hardware) -> tuple[np.ndarray, float]:
    """Label maps uint8 [n, size, size] of the examples at `chosen`, and their mean loss."""
    network.eval()
    results, total = [], 0.0
    with torch.inference_mode():
        for start in range(0, len(chosen), recipe.batch):
            part = chosen[start : start + recipe.batch]
            images = repeated(torch.from_numpy(examples.intensities(part)), recipe)
            maps = run_network(network, images, hardware, recipe.mixed_precision)
            total += len(part) * LOSSES[recipe.loss](maps, torch.from_numpy(examples.labels[part]).to(hardware.device)).item()
            results.append(predicted_labels(maps).cpu().numpy())
    return np.concatenate(results), total / len(chosen)


def validate(network: torch.nn.Module, examples: ExampleSet, chosen: np.ndarray, recipe: PaperRecipe, classes: int, hardware: Hardware) -> dict[str, float]:
    """Mean loss and pooled overlaps of the examples at `chosen`, `validation_...`."""
    predicted, loss = predict(network, examples, chosen, recipe, hardware)
    return _row("validation", loss, confusion(predicted, examples.labels[chosen], classes))


def _row(part: str, loss: float, counts: np.ndarray) -> dict[str, float]:
    scores = overlaps(counts)
    return {f"{part}_{key}": round(value, 5) for key, value in {"loss": loss, **{k: scores[k] for k in ("dice", "iou", "mean_iou")}}.items()}


VALIDATION_KEYS = tuple(f"validation_{key}" for key in ("loss", "dice", "iou", "mean_iou"))
