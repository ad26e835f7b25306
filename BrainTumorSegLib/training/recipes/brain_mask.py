"""`brain-mask`: the brain in axial slices of a whole head, on whatever sequence.

The network is that of `t1ce-tumor`. It learns from HD-BET (Isensee et al. 2019, doi:10.1002/hbm.24750), which is 70 times as large, on
heads with tumors. The intensity changes are strong; T1 is shown inverted, too, since the set has no T2, and
all of it with a scalp that is faint or black. Weights learned from `lgg` are non-commercial.
"""

from __future__ import annotations

from BrainTumorSegLib.data.augmentation import AugmentationConfig
from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig
from BrainTumorSegLib.training.recipe import Phase, Recipe

RECIPE = Recipe(
    name="brain-mask",
    sets=("lgg_brain",),
    network=AttentionUNetConfig(in_channels=1, out_channels=1, variant=0, dropout=0.0, drop_path=0.0),
    augmentation=AugmentationConfig(blur=0.35, blur_sigma=2.5, motion=0.2, motion_size=3.0, noise=0.18, gamma_probability=0.65, low_resolution=0.3),
    phases=(Phase(900, 128, peak=1.0), Phase(550, 224, frozen_stages=2)),
    batch={"lgg_brain/brain": 5, "lgg_brain/inverted": 2, "lgg_brain/faint": 2, "lgg_brain/none": 2},
    learning_rate=1e-3,
    encoder_rate=1.0,
    ema=0.995,
    validate_every=1450,
)
