"""`t1ce-tumor`: tumor on contrast-enhanced T1, from 2-D slices of patients of several hospitals.

The network is system A's design on EfficientNet-Lite0 with ImageNet weights. A third of each batch is tumor-free, or
false positives rise; gliomas, the hard class, are drawn more often than meningiomas. BraTS patients bring skull-stripped
input and a second target (whole tumor), which only the training head sees.

Small batches, the full rate for the encoder too and no dropout, because what limits is how much is learned from a slice.
The encoder's first stages (edges and textures, which ImageNet taught) learn no more once their normalization has met
gray images: a sixth of a step's time. Trials: docs/models/t1ce-tumor-trials.md.
"""

from __future__ import annotations

from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig
from BrainTumorSegLib.training.recipe import Phase, Recipe

RECIPE = Recipe(
    name="t1ce-tumor",
    sets=("cheng", "no_tumor", "brats"),
    network=AttentionUNetConfig(in_channels=1, out_channels=2, variant=0, dropout=0.0, drop_path=0.0),
    phases=(Phase(100, 224, peak=1.0, augmentation=0.4), Phase(2500, 224, frozen_stages=2, augmentation=0.4)),
    batch={"cheng/glioma": 2, "cheng/meningioma": 1, "cheng/pituitary": 2, "no_tumor/none": 2, "brats/none": 1, "brats/glioma": 1},
    learning_rate=1e-3,
    encoder_rate=1.0,
    ema=0.997,
    validate_every=650,
)
