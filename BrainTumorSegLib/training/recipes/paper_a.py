"""`paper-a`: Res-UNet without attention, with AG, SE or CBAM (Aprianto & Riana 2025, doi:10.21512/commit.v19i2.13177).

As published: Adam 1e-3 (Keras's epsilon), batch 16, at most 50 epochs, binary cross-entropy; validation mean IoU stops the
run after 7 epochs without gain, with the best weights restored, and divides the rate by 5 after 4 of them, down to 1e-6.
Its split is 60/20/20 by slice; ours is by patient: a fold is scored, the next one chooses the epoch, the others train.
It names no augmentation, so there is none. The set is half of it the same (`cheng`); its tumor-free slices are ours.
"""

from __future__ import annotations

from BrainTumorSegLib.data.paper_sources import View
from BrainTumorSegLib.networks.table import configure
from BrainTumorSegLib.training.paper_recipe import Paper, PaperRecipe
from BrainTumorSegLib.training.schedule import PLATEAU, Schedule

_NETWORKS = {"none": "res-unet", "ag": "res-unet-ag", "se": "res-unet-se", "cbam": "res-unet-cbam"}

PAPER = Paper(
    PaperRecipe(
        name="paper-a",
        variant="none",
        network=configure("res-unet"),
        sets=("cheng", "no_tumor"),
        inputs=("t1ce",),
        required=("t1ce",),
        scheme="tumor",
        view=View("gray", 224),
        loss="bce",
        batch=16,
        epochs=50,
        learning_rate=1e-3,
        epsilon=1e-7,
        schedule=Schedule(PLATEAU, factor=0.2, patience=4, floor=1e-6),
        patience=7,
        monitor="mean_iou",
    ),
    _NETWORKS,
)
