"""One file per recipe; `RECIPES` names them."""

from BrainTumorSegLib.training.recipes.t1ce_tumor import RECIPE as T1CE_TUMOR

RECIPES = {"t1ce-tumor": T1CE_TUMOR}
