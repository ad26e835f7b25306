"""Settings of the published recipes: every one is checked, stored and read back."""

from __future__ import annotations

import json
import re

import pytest

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.networks.table import NETWORKS
from BrainTumorSegLib.training.paper_recipe import paper_recipe, paper_recipe_from_dict
from BrainTumorSegLib.training.recipes import PAPERS, RECIPES


@pytest.mark.parametrize("name", PAPERS)
def test_every_published_recipe_is_valid_and_survives_json(name: str) -> None:
    for variant in PAPERS[name].networks:
        recipe = paper_recipe(PAPERS[name], [f'variant="{variant}"'])
        assert paper_recipe_from_dict(json.loads(recipe.to_json()), PAPERS) == recipe
        assert recipe.variant == variant


def test_every_row_of_a_paper_is_a_recipe() -> None:
    rows = {name for paper in PAPERS.values() for name in paper.networks.values()}
    assert rows == {name for name, row in NETWORKS.items() if row.system}
    assert not set(PAPERS) & set(RECIPES)


def test_published_numbers_are_those_of_the_papers() -> None:
    a, b, c, d = (PAPERS[f"paper-{letter}"].recipe for letter in "abcd")
    assert (a.learning_rate, a.batch, a.epochs, a.patience, a.view.size) == (1e-3, 16, 50, 7, 224)
    assert (a.schedule.factor, a.schedule.patience, a.schedule.floor) == (0.2, 4, 1e-6)
    assert (b.batch, b.epochs, b.view.size, b.loss) == (8, 29, 512, "bce-dice")
    assert (c.optimizer, c.learning_rate, c.weight_decay, c.epsilon, c.batch, c.epochs, c.validate_every) == ("adamw", 1e-4, 0.01, 1e-5, 8, 50, 5)
    assert (c.inputs, c.view.size, c.view.clahe, c.mixed_precision) == (("flair", "t1", "t1ce", "t2"), 128, False, False)
    assert (d.learning_rate, d.view.size, d.loss) == (1e-4, 256, "cross-entropy")


def test_short_settings_reach_network_and_view_and_the_variant_comes_first() -> None:
    recipe = paper_recipe(PAPERS["paper-a"], ["width=0.5", "network.dropout=0.2", "variant=ag", "size=128", "epochs=8"])
    assert (recipe.network.attention, recipe.network.width, recipe.network.dropout) == ("ag", 0.5, 0.2)
    assert (recipe.view.size, recipe.epochs) == (128, 8)
    assert paper_recipe(PAPERS["paper-c"], ["clahe=true"]).view.clahe


def test_texts_need_no_quotes() -> None:
    assert paper_recipe(PAPERS["paper-a"], ["choose_on=scored fold"]).choose_on == "scored fold"
    assert paper_recipe(PAPERS["paper-a"], ['choose_on="scored fold"']).choose_on == "scored fold"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("variant=gate", "variant is 'gate', but paper-a has none, ag, se, cbam; choose one of them"),
        ("color=1", "--set color names no setting of PaperRecipe"),
        ("loss=mse", "loss is 'mse', but it must be one of bce, bce-dice, cross-entropy, adaptive-tversky; correct the setting"),
        ("optimizer=sgd", "optimizer is 'sgd', but it must be one of adam, adamw"),
        ("monitor=auc", "monitor is 'auc', but it must be one of mean_iou, iou, dice, loss"),
        ("choose_on=all", "choose_on is 'all', but it must be one of next fold, scored fold"),
        ("schedule.kind=cosine", "schedule.kind is 'cosine', but it must be one of constant, plateau, warm-up"),
        ("view.kind=color", "view.kind is 'color', but it must be one of gray, crop-zscore, slice-zscore"),
        ("name=paper-b", "name is 'paper-b', but paper-a needs 'paper-a'; leave it out"),
        ("scheme=glioma", "scheme is 'glioma', but paper-a needs 'tumor'"),
        ("loss=cross-entropy", "loss is 'cross-entropy', but it does not fit a network of 1 maps; bce and bce-dice fit one map"),
        ('inputs=["t1", "flair"]', "inputs are t1, flair, but the network reads 3 channels; give as many, or one"),
        ('required=["t2"]', "required has t2, but inputs are t1ce only"),
        ("batch=0", "batch is 0, but it must be greater than 0"),
        ("width=-1", "network.width is -1.0, but it must be greater than 0"),
        ("size=100", "view.size is 100, but the networks halve it five times, so a multiple of 32 is needed"),
        ("batch=many", "--set batch was given 'many', but int is needed"),
        ("epochs", "--set epochs has no '=', but settings are key=value"),
    ],
)
def test_what_no_run_could_begin_with_is_refused(setting: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        paper_recipe(PAPERS["paper-a"], [setting])
