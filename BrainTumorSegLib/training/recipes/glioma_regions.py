"""`glioma-regions`: whole tumor, core and enhancing tumor of gliomas from any of T1, T1ce, T2 and FLAIR.

The network is that of `t1ce-tumor` with four sequences in and three nested regions out. Whole cases are few, so 30 % of
the steps learn from patches about the tumors of ten times as many patients; patches alone would never show a brain
without tumor. A fifth of the slices of whole cases is tumor-free. Sequences are dropped at random, so often that each
is alone in some slices, for a user may have no other. Slices of all three planes are learned from: the planes of a study
are the scanner's choice. Enhancing tumor gains longest: on fold 5, 0.04 of its Dice came in the second half of the steps.
"""

from __future__ import annotations

from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig
from BrainTumorSegLib.training.recipe import Phase
from BrainTumorSegLib.training.region_recipe import RegionRecipe

RECIPE = RegionRecipe(
    name="glioma-regions",
    sets=("brats", "brats/cubes"),
    network=AttentionUNetConfig(in_channels=4, out_channels=3, variant=0, dropout=0.0, drop_path=0.0),
    phases=(Phase(6500, 160, peak=1.0, augmentation=0.6, field=160 / 192), Phase(1300, 192, frozen_stages=2, augmentation=0.4)),
    batch={"brats/glioma": 8, "brats/none": 2},
    learning_rate=1e-3,
    encoder_rate=1.0,
    ema=0.999,
    patches=32,
    drop=0.5,
    validate_every=3900,
)
