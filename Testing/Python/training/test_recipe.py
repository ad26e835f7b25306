"""A recipe is stored as text, read back as it was, and changed by name with values of the right type only."""

from __future__ import annotations

import json
import math
import re
from dataclasses import fields
from typing import Any

import pytest

from BrainTumorSegLib.data.augmentation import AugmentationConfig
from BrainTumorSegLib.data.glioma_cases import READERS as CASE_READERS
from BrainTumorSegLib.data.sources import READERS
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.networks.attention_unet import AttentionUNetConfig
from BrainTumorSegLib.training.recipe import Phase, Recipe, from_dict, override
from BrainTumorSegLib.training.recipes import RECIPES
from BrainTumorSegLib.training.region_recipe import RegionRecipe
from Testing.Python.tiny import tiny_recipe


@pytest.mark.parametrize(
    "recipe", [*RECIPES.values(), tiny_recipe(), override(tiny_recipe(), ["augmentation.scale=[0.5, 2]", "network.attention_gates=false"])]
)
def test_a_stored_recipe_is_read_back_as_it_was(recipe: Recipe) -> None:
    assert from_dict(json.loads(recipe.to_json()), type(recipe)) == recipe


def test_every_shipped_recipe_draws_from_sets_it_names_and_from_readers_there_are() -> None:
    for name, recipe in RECIPES.items():
        assert recipe.name == name
        regions = isinstance(recipe, RegionRecipe)
        assert set(recipe.sets) <= set(CASE_READERS if regions else READERS)
        sources = {set_.rpartition("/")[2] for set_ in recipe.sets}
        assert {pool.partition("/")[0] for pool in recipe.batch} | ({recipe.patch_source} if regions else set()) == sources
        tumor_free = sum(n for pool, n in recipe.batch.items() if pool.endswith("/none"))
        least = 0.15 if regions or name == "brain-mask" else 0.25  # about a third, or false positives rise; slices with glioma have healthy tissue too
        assert least <= tumor_free / sum(recipe.batch.values()) <= 0.4


def test_phases_follow_one_another() -> None:
    recipe = tiny_recipe(phases=(Phase(2, 32), Phase(1, 64), Phase(3, 96, frozen_stages=2)))
    assert recipe.steps == 6
    assert [recipe.phase_at(step).size for step in range(7)] == [32, 32, 64, 96, 96, 96, 96]
    assert [recipe.phase_at(step).frozen_stages for step in range(6)] == [0, 0, 0, 2, 2, 2]


def test_the_learning_rate_warms_up_and_follows_a_cosine_from_every_peak() -> None:
    recipe = tiny_recipe(phases=(Phase(6, 32, peak=1.0), Phase(8, 64), Phase(10, 32, peak=0.5)), warm_up=4, learning_rate=0.2)
    assert [recipe.rate_at(step) for step in range(5)] == pytest.approx([0.05, 0.1, 0.15, 0.2, 0.2])
    # the first cosine has 10 steps from 4 on, over two phases: in its middle it is 0, at its end the rate would be a hundredth
    assert recipe.rate_at(9) == pytest.approx(0.2 * (0.01 + 0.99 / 2))
    assert recipe.rate_at(13) == pytest.approx(0.2 * (0.01 + 0.99 * (1 + math.cos(0.9 * math.pi)) / 2))
    # the second starts at half the rate and has 10 steps from 14 on
    assert recipe.rate_at(14) == pytest.approx(0.1)
    assert recipe.rate_at(19) == pytest.approx(0.1 * (0.01 + 0.99 / 2))
    assert recipe.rate_at(24) == pytest.approx(0.001)
    assert tiny_recipe(warm_up=0, learning_rate=0.2).rate_at(0) == pytest.approx(0.2)


def test_a_first_phase_without_a_peak_starts_at_the_full_rate() -> None:
    with_peak, without = (tiny_recipe(phases=(Phase(5, 32, peak=peak), Phase(5, 64))) for peak in (1.0, None))
    assert [with_peak.rate_at(step) for step in range(10)] == [without.rate_at(step) for step in range(10)]


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("seed=2", ("seed",), 2),
        ("learning_rate=0.5", ("learning_rate",), 0.5),
        ("learning_rate=1", ("learning_rate",), 1.0),
        ('name="other"', ("name",), "other"),
        ('sets=["cheng"]', ("sets",), ("cheng",)),
        ("phases=[[5, 32], [6, 224]]", ("phases",), (Phase(5, 32), Phase(6, 224))),
        ("phases=[[5, 32, 1], [6, 224, null, 2]]", ("phases",), (Phase(5, 32, 1.0), Phase(6, 224, None, 2))),
        ("phases=[[5, 32, 1, 0, 0.5]]", ("phases",), (Phase(5, 32, 1.0, 0, 0.5),)),
        ("phases=[[5, 32, 1, 0, 1, 0.75]]", ("phases",), (Phase(5, 32, 1.0, 0, 1.0, 0.75),)),
        ('batch={"cheng/glioma": 3}', ("batch",), {"cheng/glioma": 3}),
        ('paste={"cheng/glioma": 0.3, "no_tumor/none": 1}', ("paste",), {"cheng/glioma": 0.3, "no_tumor/none": 1.0}),
        ("network.attention_gates=false", ("network", "attention_gates"), False),
        ("network.decoder_channels=[8, 8, 8, 8]", ("network", "decoder_channels"), (8, 8, 8, 8)),
        ("augmentation.scale=[1, 1.5]", ("augmentation", "scale"), (1.0, 1.5)),
        ("augmentation.flip=0", ("augmentation", "flip"), 0.0),
    ],
)
def test_a_setting_changes_exactly_what_it_names(setting: str, path: tuple[str, ...], value: Any) -> None:
    before, after = tiny_recipe(), override(tiny_recipe(), [setting])
    changed: Any = after
    for name in path:
        changed = getattr(changed, name)
    assert changed == value
    assert type(changed) is type(value)
    assert [f.name for f in fields(Recipe) if getattr(before, f.name) != getattr(after, f.name)] == [path[0]]


def test_later_settings_win_and_none_changes_nothing() -> None:
    assert override(tiny_recipe(), ["seed=2", "seed=3", "ema=0.5"]) == tiny_recipe(seed=3, ema=0.5)
    assert override(tiny_recipe(), []) == tiny_recipe()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("seed", "--set seed has no '=', but settings are key=value; write for instance --set seed=2"),
        ("sede=2", "--set sede names no setting of Recipe; it has name, sets, network, phases"),
        ("network.dropuot=0.1", "--set network.dropuot names no setting of AttentionUNetConfig; it has in_channels"),
        ("augmentation.size=1", "--set augmentation.size names no setting of AugmentationConfig"),
        ("seed.x=2", "--set seed.x looks inside seed, which is a plain value; set seed itself"),
        ("batch.cheng=2", "--set batch.cheng looks inside batch, which is a plain value; set batch itself"),
        ("name=other", "--set name=other is not a JSON value"),
        ("seed=1.5", "--set seed was given 1.5, but int is needed, as in 1; correct the value"),
        ("seed=true", "--set seed was given True, but int is needed"),
        ('seed="2"', "--set seed was given '2', but int is needed"),
        ("ema=true", "--set ema was given True, but float is needed, as in 0.995"),
        ("network.attention_gates=1", "--set network.attention_gates was given 1, but bool is needed"),
        ("network=3", "--set network was given 3, but AttentionUNetConfig is needed"),
        ('sets="cheng"', "--set sets was given 'cheng', but tuple is needed, as in ('cheng', 'no_tumor', 'brats/t1ce_slices')"),
        ("sets=[1]", "--set sets was given [1], but tuple is needed"),
        ("augmentation.scale=[0.9]", "--set augmentation.scale was given [0.9], but tuple is needed, as in (0.75, 1.35)"),
        ("network.decoder_channels=[64, 32]", "--set network.decoder_channels was given [64, 32], but tuple is needed"),
        ("network.decoder_channels=[64, 32, 16, 8.5]", "but tuple is needed"),
        ('batch={"cheng/glioma": "2"}', "--set batch was given {'cheng/glioma': '2'}, but dict is needed"),
        ('batch={"cheng/glioma": 2.5}', "--set batch was given {'cheng/glioma': 2.5}, but dict is needed"),
        ("batch=[2]", "--set batch was given [2], but dict is needed"),
        ("phases=5", "--set phases was given 5, but lists of steps, a slice size in multiples of 32 and, if wanted, peak, frozen stages"),
        ("phases=[]", "--set phases was given []"),
        ("phases=[900, 160]", "--set phases was given [900, 160]"),
        ("phases=[[900]]", "--set phases was given [[900]]"),
        ("phases=[[-1, 160]]", "--set phases was given [[-1, 160]]"),
        ("phases=[[900, 100]]", "--set phases was given [[900, 100]]"),
        ("phases=[[900, 0]]", "--set phases was given [[900, 0]]"),
        ("phases=[[900, 160, true]]", "--set phases was given [[900, 160, True]]"),
        ("phases=[[900, 160, 1, 2, 1.5]]", "--set phases was given [[900, 160, 1, 2, 1.5]]"),
        ("phases=[[900, 160, 1, 2, -0.1]]", "--set phases was given [[900, 160, 1, 2, -0.1]]"),
        ("phases=[[900, 160, 1, 2, 1, 0]]", "--set phases was given [[900, 160, 1, 2, 1, 0]]"),
        ("phases=[[900, 160, 1, 2, 1, 1.1]]", "--set phases was given [[900, 160, 1, 2, 1, 1.1]]"),
        ("phases=[[900, 160, 1, 2, 1, 1, 1]]", "--set phases was given [[900, 160, 1, 2, 1, 1, 1]]"),
        ('phases=[["900", 160]]', "--set phases was given [['900', 160]]"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_with_what_is_needed(setting: str, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        override(tiny_recipe(), [setting])


def test_what_a_recipe_leaves_out_is_the_default() -> None:
    recipe = Recipe("a", ())
    assert (recipe.network, recipe.augmentation) == (AttentionUNetConfig(), AugmentationConfig())
    assert recipe.phases[0].peak == 1.0
