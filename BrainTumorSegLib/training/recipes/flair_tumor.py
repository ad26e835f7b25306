"""`flair-tumor`: whole tumor (edema included) of gliomas on axial FLAIR of the full head.

The network is that of `t1ce-tumor`. A third of each batch is tumor-free: slices of the same patients, and heads of other
sources, so that what is bright on FLAIR without being a tumor is met. The first steps see windows at full resolution, at half
the cost, the later ones whole slices. Weights learned from `lgg` are non-commercial.
"""

from __future__ import annotations

from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig
from BrainTumorSegLib.training.recipe import Phase, Recipe

RECIPE = Recipe(
    name="flair-tumor",
    sets=("lgg", "no_tumor"),
    network=AttentionUNetConfig(in_channels=1, out_channels=1, variant=0, dropout=0.0, drop_path=0.0),
    phases=(Phase(600, 160, peak=1.0, augmentation=0.6, field=160 / 224), Phase(400, 224, frozen_stages=2, augmentation=0.5)),
    batch={"lgg/glioma": 6, "lgg/none": 2, "no_tumor/none": 1},
    learning_rate=1e-3,
    encoder_rate=1.0,
    ema=0.995,
    validate_every=600,
)
