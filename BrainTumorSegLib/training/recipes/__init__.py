"""One file per recipe; `RECIPES` names our own, `PAPERS` those of the published systems."""

from BrainTumorSegLib.training.recipe import Recipe
from BrainTumorSegLib.training.recipes.brain_mask import RECIPE as BRAIN_MASK
from BrainTumorSegLib.training.recipes.flair_tumor import RECIPE as FLAIR_TUMOR
from BrainTumorSegLib.training.recipes.glioma_regions import RECIPE as GLIOMA_REGIONS
from BrainTumorSegLib.training.recipes.paper_a import PAPER as PAPER_A
from BrainTumorSegLib.training.recipes.paper_b import PAPER as PAPER_B
from BrainTumorSegLib.training.recipes.paper_c import PAPER as PAPER_C
from BrainTumorSegLib.training.recipes.paper_d import PAPER as PAPER_D
from BrainTumorSegLib.training.recipes.t1ce_tumor import RECIPE as T1CE_TUMOR

RECIPES: dict[str, Recipe] = {"t1ce-tumor": T1CE_TUMOR, "glioma-regions": GLIOMA_REGIONS, "flair-tumor": FLAIR_TUMOR, "brain-mask": BRAIN_MASK}
PAPERS = {paper.recipe.name: paper for paper in (PAPER_A, PAPER_B, PAPER_C, PAPER_D)}
