"""Checkpoints hold tensors and JSON, nothing that runs, and an interruption never costs the last one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.training import checkpoint


def test_tensors_and_metadata_come_back_as_they_were(tmp_path: Path) -> None:
    tensors = {
        "a": torch.rand(2, 3),
        "count": torch.tensor(7),
        "half": torch.rand(3).bfloat16(),
        "last": torch.rand(2, 4, 3, 3).contiguous(memory_format=torch.channels_last),
    }
    checkpoint.save_tensors(tmp_path / "a.safetensors", tensors, {"step": 3, "losses": [0.5, 1.0]})
    loaded, metadata = checkpoint.load_tensors(tmp_path / "a.safetensors")
    assert metadata == {"step": 3, "losses": [0.5, 1.0]}
    assert set(loaded) == set(tensors)
    for name, tensor in tensors.items():
        assert torch.equal(loaded[name], tensor), name
        assert loaded[name].dtype == tensor.dtype
    assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def test_the_file_is_safetensors_and_no_pickle(tmp_path: Path) -> None:
    checkpoint.save_tensors(tmp_path / "a.safetensors", {"a": torch.zeros(2, 3)}, {"step": 3})
    content = (tmp_path / "a.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert header["a"] == {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    assert len(content) == 8 + length + 24  # nothing but the header and six numbers


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    checkpoint.save_tensors(path, {"a": torch.ones(2)}, {"step": 1})

    def interrupted(tensors: dict, target: Path, metadata: dict) -> None:
        Path(target).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint, "save_file", interrupted)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save_tensors(path, {"a": torch.zeros(2)}, {"step": 2})
    loaded, metadata = checkpoint.load_tensors(path)
    assert loaded["a"].tolist() == [1, 1]
    assert metadata == {"step": 1}


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"last\.safetensors does not exist, so there is nothing to load; train first or give another run folder"):
        checkpoint.load_tensors(tmp_path / "last.safetensors")


def test_several_states_are_packed_into_one_and_apart_again() -> None:
    states = {"network": {"a.weight": torch.ones(2), "b": torch.zeros(1)}, "net": {"a.weight": torch.full((2,), 5.0)}}
    packed = checkpoint.pack(states)
    assert set(packed) == {"network|a.weight", "network|b", "net|a.weight"}
    assert {name: tensor.tolist() for name, tensor in checkpoint.unpack(packed, "net").items()} == {"a.weight": [5, 5]}
    assert set(checkpoint.unpack(packed, "network")) == {"a.weight", "b"}


def test_packed_tensors_share_no_memory(tmp_path: Path) -> None:
    shared = torch.arange(6.0)
    packed = checkpoint.pack({"a": {"whole": shared, "part": shared[:3]}})
    checkpoint.save_tensors(tmp_path / "a.safetensors", packed, {})
    assert checkpoint.load_tensors(tmp_path / "a.safetensors")[0]["a|part"].tolist() == [0, 1, 2]


def test_a_restored_optimizer_goes_on_exactly() -> None:
    def step(layer: nn.Linear, optimizer: torch.optim.Optimizer, seed: int) -> None:
        optimizer.zero_grad()
        layer(torch.rand(4, 3, generator=torch.Generator().manual_seed(seed))).square().sum().backward()
        optimizer.step()

    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
    step(layer, optimizer, 0)
    step(layer, optimizer, 1)
    copy = nn.Linear(3, 2)
    copy.load_state_dict(layer.state_dict())
    restored = torch.optim.AdamW(copy.parameters(), lr=0.1)
    checkpoint.restore_optimizer(restored, {name: tensor.clone() for name, tensor in checkpoint.optimizer_tensors(optimizer).items()})
    step(layer, optimizer, 2)
    step(copy, restored, 2)
    assert torch.equal(copy.weight, layer.weight)
    assert torch.equal(copy.bias, layer.bias)
