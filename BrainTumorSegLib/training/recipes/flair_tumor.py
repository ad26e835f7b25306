"""`flair-tumor`: whole tumor (edema included) of gliomas on axial FLAIR of the full head.

The network is that of `t1ce-tumor`. A third of each batch is tumor-free: slices of the same patients, and heads of other
sources, so that what is bright on FLAIR without being a tumor is met. The first steps see windows at full resolution, at half
the cost, the later ones whole slices. Blur, ghosts, noise and gamma are stronger than for T1, for the network lost most under them
(docs/models/flair-tumor-robustness.md), and three of five folds gain 0.03 to 0.06 by 4,000 steps instead of 1,000. Weights learned from
`lgg` are non-commercial.
"""

from __future__ import annotations

from BrainTumorSegLib.data.augmentation import AugmentationConfig
from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig
from BrainTumorSegLib.training.recipe import Phase, Recipe

RECIPE = Recipe(
    name="flair-tumor",
    sets=("lgg", "no_tumor"),
    network=AttentionUNetConfig(in_channels=1, out_channels=1, variant=0, dropout=0.0, drop_path=0.0),
    augmentation=AugmentationConfig(blur=0.35, blur_sigma=3.0, motion=0.2, motion_size=3.5, noise=0.18, gamma_probability=0.65),
    phases=(Phase(3200, 160, peak=1.0, augmentation=0.7, field=160 / 224), Phase(800, 224, frozen_stages=2, augmentation=0.6)),
    batch={"lgg/glioma": 6, "lgg/none": 2, "no_tumor/none": 1},
    learning_rate=1e-3,
    encoder_rate=1.0,
    ema=0.998,
    validate_every=2000,
)
