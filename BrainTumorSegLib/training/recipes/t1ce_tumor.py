"""`t1ce-tumor`: tumor on contrast-enhanced T1, from 2-D slices of patients of several hospitals.

The network is system A's design on EfficientNet-Lite0 with ImageNet weights. A third of each batch is tumor-free, or
false positives rise; gliomas, the hard class, are drawn more often than their share. BraTS patients bring
skull-stripped input and a second target (whole tumor), which only the training head sees.
"""

from __future__ import annotations

from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig
from BrainTumorSegLib.training.recipe import Phase, Recipe

RECIPE = Recipe(
    name="t1ce-tumor",
    sets=("cheng", "no_tumor", "brats", "brats/t1ce_slices"),
    network=AttentionUNetConfig(in_channels=1, out_channels=2, variant=0),
    phases=(
        Phase(900, 160, peak=1.0),
        Phase(700, 224),
        Phase(900, 192, peak=0.8, frozen_stages=2),
        Phase(900, 224, frozen_stages=2, augmentation=0.4),
    ),
    batch={"cheng/glioma": 4, "cheng/meningioma": 2, "cheng/pituitary": 2, "no_tumor/none": 4, "brats/none": 1, "brats/glioma": 2, "t1ce_slices/glioma": 1},
)
