"""`glioma-regions`: whole tumor, core and enhancing tumor of gliomas from any of T1, T1ce, T2 and FLAIR.

The network is that of `t1ce-tumor` with four sequences in and three nested regions out. Whole cases are few, so 30 % of
the steps learn from patches about the tumors of ten times as many patients; patches alone would never show a brain
without tumor. A fifth of the slices of whole cases is tumor-free. Sequences are dropped at random, so that a missing one
is nothing new. Slices of all three planes are learned from: the planes of a study are the scanner's choice.
"""

from __future__ import annotations

from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig
from BrainTumorSegLib.training.recipe import Phase
from BrainTumorSegLib.training.region_recipe import RegionRecipe

RECIPE = RegionRecipe(
    name="glioma-regions",
    sets=("brats", "brats/cubes"),
    network=AttentionUNetConfig(in_channels=4, out_channels=3, variant=0),
    phases=(Phase(1800, 160, peak=1.0, field=160 / 192), Phase(700, 192, augmentation=0.5)),
    batch={"brats/glioma": 13, "brats/none": 3},
    validate_every=500,
)
