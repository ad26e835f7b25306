"""Every candidate fits the recipe, neighbors are the slices before and after under the same change, and a run is read when it is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from BrainTumorSegLib.data.case_set import CHANNELS, Case, CaseSet
from BrainTumorSegLib.training.hardware import choose_hardware
from BrainTumorSegLib.training.region_batches import RegionBatches
from Testing.Benchmarks.compare_networks import CANDIDATES, NeighborBatches, NeighborCase, compare, comparison_text
from Testing.Python.gliomas import case, case_set, region_recipe

pytestmark = pytest.mark.usefixtures("one_thread")
C = len(CHANNELS)


def rising(name: str, fold: int) -> Case:
    """A phantom whose tissue is z everywhere, in gray levels."""
    usual = case(name, fold)
    levels = np.arange(usual.labels.shape[0], dtype=np.uint8)[:, None, None]
    return replace(usual, tissue=np.broadcast_to(levels, usual.tissue.shape).copy())


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_gives_the_three_regions_of_a_slice(name: str) -> None:
    candidate = CANDIDATES[name]
    torch.manual_seed(0)
    network, started_from = candidate.make()
    images = torch.rand(2, C * (3 if candidate.neighbors else 1), 64, 64, requires_grad=True)
    maps = network(images)
    assert maps.shape == (2, 3, 64, 64)
    maps.square().mean().backward()
    assert images.grad is not None and images.grad[:, :C].any()
    assert started_from


def test_with_neighbors_a_network_begins_as_one_that_sees_the_slice_alone() -> None:
    network, _ = CANDIDATES["neighbors"].make()
    images = torch.rand(1, 3 * C, 64, 64)
    others = torch.cat([images[:, :C], torch.rand(1, 2 * C, 64, 64)], 1)
    network.eval()
    with torch.no_grad():
        assert torch.allclose(network(images), network(others), atol=1e-5)
        assert not torch.allclose(network(images), network(images.roll(1, 1)), atol=1e-3)


def test_tissue_slices_have_the_slices_before_and_after_and_at_the_ends_themselves() -> None:
    of = rising("a", 1)
    near = NeighborCase(of.name, of.source, of.fold, of.tissue, of.labels, of.spacing_mm, of.whole)
    seen = np.rint(near.tissue_slices("axial")[:, :, 20, 20] / 0.02).astype(int)
    last = len(of.labels) - 1
    assert [sorted(set(row)) for row in (seen[0], seen[7], seen[last])] == [[0, 1], [6, 7, 8], [last - 1, last]]
    assert seen[7].tolist() == [7] * C + [6] * C + [8] * C


def test_batches_with_neighbors_change_all_three_slices_alike() -> None:
    recipe = region_recipe(patch_steps=0.0, planes={"axial": 1}, drop_slices=1.0, drop=0.5)
    cases = CaseSet(rising(name, 1) for name in "ab")
    images, regions, known = NeighborBatches(cases, recipe)(5)
    usual = RegionBatches(cases, recipe)(5)
    assert torch.equal(images[:, :C], usual[0]) and torch.equal(regions, usual[1]) and torch.equal(known, usual[2])
    given = usual[0].abs().sum((2, 3)) > 0
    assert torch.equal(images.abs().sum((2, 3)) > 0, given.repeat(1, 3))
    center, before, after = images.view(len(images), 3, C, *images.shape[2:]).mean((3, 4)).unbind(1)
    assert (before[given] < center[given]).all() and (center[given] < after[given]).all()


def test_a_candidate_is_trained_scored_and_then_read(tmp_path: Path) -> None:
    first = compare("neighbors", case_set(), 5, 1, tmp_path, choose_hardware("cpu"))
    assert (first["n"], first["n_et"], first["step"], first["fold"]) == (2, 1, 1, 5)
    weights = (tmp_path / "neighbors" / "weights.safetensors").read_bytes()
    again = compare("neighbors", case_set(), 5, 1, tmp_path, choose_hardware("cpu"))
    assert again == first
    assert (tmp_path / "neighbors" / "weights.safetensors").read_bytes() == weights


def test_the_table_has_the_order_of_the_candidates() -> None:
    scores = {
        "dice_by_kind": {"WT": 0.9, "TC": 0.8, "ET": 0.71},
        "flair_WT": 0.5,
        "parameters": 3_840_000,
        "minutes": 6.6,
        "started_from": "ImageNet weights x",
    }
    text = comparison_text({"system-c": {**scores, "started_from": "random weights"}, "shipped": scores}).splitlines()
    assert text[2].endswith("| 0.900 | 0.800 | 0.710 | 0.500 | 3.84 | 7 | ImageNet |")
    assert text[3].startswith("| system C's whole network") and text[3].endswith("| random |")
