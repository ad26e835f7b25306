"""`paper-b`: hybrid U-Net with transformer bottleneck and efficient attention, and its two baselines (Ali et al. 2025).

As published: BCE + soft Dice, batch 8, 29 epochs, no epoch chosen: the last one's weights are scored. Augmentation: flips,
rotations, blur and contrast; the paper has each slice six times on disk, here each epoch draws one of the six forms of
every slice, so that an epoch is a sixth of the paper's. Silent, and ours: Adam 1e-4, rotations of up to 15 degrees, blur
of up to 1.5 pixels, contrast +-25 %, folds by patient. Its set is private; this is `cheng` and tumor-free slices.
512 x 512 as published; `--set size=256` for a quarter of the work.
"""

from __future__ import annotations

from BrainTumorSegLib.data.paper_augmentation import PaperAugmentationConfig
from BrainTumorSegLib.data.paper_sources import SCORED_FOLD, View
from BrainTumorSegLib.networks.table import configure
from BrainTumorSegLib.training.paper_recipe import Paper, PaperRecipe

_NETWORKS = {"unet": "resnet-unet", "transformer": "resnet-unet-transformer", "hybrid": "hybrid-unet"}

PAPER = Paper(
    PaperRecipe(
        name="paper-b",
        variant="hybrid",
        network=configure("hybrid-unet"),
        sets=("cheng", "no_tumor"),
        inputs=("t1ce",),
        required=("t1ce",),
        scheme="tumor",
        view=View("gray", 512),
        augmentation=PaperAugmentationConfig(flip=1.0, flip_vertical=1.0, rotation_deg=15, blur_sigma=1.5, contrast=0.25, probability=1.0, single=True),
        loss="bce-dice",
        batch=8,
        epochs=29,
        learning_rate=1e-4,
        monitor="dice",
        restore_best=False,
        choose_on=SCORED_FOLD,  # nothing is chosen, so no part of the patients is set aside for it
    ),
    _NETWORKS,
)
