"""`paper-d`: U-Net with CBAM after every block, and the four networks it is compared with (Pan).

As published: cross-entropy, Adam 1e-4, "tuned on validation", random horizontal flip and random rotation. Silent, and ours:
batch 16, 50 epochs, rotations of up to 15 degrees, the best of the validated epochs is kept, five folds by patient of
which one is scored and the next one chooses the epoch.
"""

from __future__ import annotations

from BrainTumorSegLib.data.paper_augmentation import PaperAugmentationConfig
from BrainTumorSegLib.data.paper_sources import View
from BrainTumorSegLib.networks.table import configure
from BrainTumorSegLib.training.paper_recipe import Paper, PaperRecipe

_NETWORKS = {"unet": "unet-d", "deeplabv3": "deeplab-v3", "pspnet": "psp-net", "ma-net": "ma-net", "cbam": "unet-cbam"}

PAPER = Paper(
    PaperRecipe(
        name="paper-d",
        variant="cbam",
        network=configure("unet-cbam"),
        sets=("lgg",),
        inputs=("t1", "flair", "t1ce"),
        required=("flair",),
        scheme="tumor",
        view=View("slice-zscore", 256),
        augmentation=PaperAugmentationConfig(flip=0.5, rotation_deg=15),
        loss="cross-entropy",
        batch=16,
        epochs=50,
        learning_rate=1e-4,
        monitor="dice",
    ),
    _NETWORKS,
)
