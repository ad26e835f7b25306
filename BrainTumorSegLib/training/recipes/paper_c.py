"""`paper-c`: ResSE-LKA-UNet, U-Net and Attention U-Net on four sequences (IIETA 2026).

As published: AdamW 1e-4, weight decay 0.01, epsilon 1e-5, linear warm-up over 5 epochs, then exponential decay (0.95 an
epoch is ours), 50 epochs, batch 8, a look at the mean Dice every 5 epochs, whose best weights are kept, no early stop,
no mixed precision. It has five folds by case and no third part, so the epoch is chosen on the fold that is scored, which
flatters the score: `--set choose_on="next fold"` does not. The probability of each change of intensity is not printed:
1/2. CLAHE, "always on" in 2.1 of the paper and optional in 3.2, is `--set clahe=true`. The two baselines have one head and
are trained with the same loss on it.
"""

from __future__ import annotations

from BrainTumorSegLib.data.paper_augmentation import PaperAugmentationConfig
from BrainTumorSegLib.data.paper_sources import SCORED_FOLD, View
from BrainTumorSegLib.networks.table import configure
from BrainTumorSegLib.training.paper_recipe import Paper, PaperRecipe
from BrainTumorSegLib.training.schedule import WARM_UP, Schedule

_NETWORKS = {"unet": "unet-c", "attention-unet": "attention-unet", "resse-lka": "resse-lka-unet"}

PAPER = Paper(
    PaperRecipe(
        name="paper-c",
        variant="resse-lka",
        network=configure("resse-lka-unet"),
        sets=("brats",),
        inputs=("flair", "t1", "t1ce", "t2"),
        required=("flair", "t1", "t1ce", "t2"),
        scheme="glioma",
        view=View("crop-zscore", 128),
        augmentation=PaperAugmentationConfig(rotation_deg=15, scale=0.15, crop_pad=16, brightness=0.3, gamma=(0.7, 1.5), noise=0.1),
        loss="adaptive-tversky",
        batch=8,
        epochs=50,
        learning_rate=1e-4,
        optimizer="adamw",
        weight_decay=0.01,
        epsilon=1e-5,
        schedule=Schedule(WARM_UP, warm_up=5, decay=0.95),
        monitor="dice",
        validate_every=5,
        choose_on=SCORED_FOLD,
        mixed_precision=False,
    ),
    _NETWORKS,
)
