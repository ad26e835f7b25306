"""Weight files of every kind give the same arrays by the same names."""

from __future__ import annotations

import builtins
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.networks.encoders.keras_files import Weights, read_keras_weights

NUMBERS = np.random.default_rng(0)


def weights() -> Weights:
    """Two convolutions, the second without bias, and a BN."""
    shapes = {"a/kernel": (3, 3, 2, 4), "a/bias": (4,), "n/gamma": (4,), "n/beta": (4,), "n/moving_mean": (4,), "n/moving_variance": (4,)}
    return {name: NUMBERS.random(shape, np.float32) for name, shape in {**shapes, "b/kernel": (1, 1, 4, 5)}.items()}


def same(given: Weights, expected: Weights) -> bool:
    return given.keys() == expected.keys() and all(np.array_equal(given[name], expected[name]) for name in expected)


def write_tensorflow_js(folder: Path, arrays: Weights, **entry: Any) -> Path:
    """model.json and two shards, cut in the middle of an array."""
    data = b"".join(array.tobytes() for array in arrays.values())
    (folder / "shard1.bin").write_bytes(data[:100])
    (folder / "shard2.bin").write_bytes(data[100:])
    entries = [{"name": name, "shape": list(array.shape), "dtype": "float32", **entry} for name, array in arrays.items()]
    manifest = [{"paths": ["shard1.bin", "shard2.bin"], "weights": entries}]
    (folder / "model.json").write_text(json.dumps({"format": "layers-model", "weightsManifest": manifest}))
    return folder / "model.json"


def test_tensorflow_js_shards_are_one_file_cut_in_pieces(tmp_path: Path) -> None:
    expected = weights()
    assert same(read_keras_weights(write_tensorflow_js(tmp_path, expected)), expected)


def test_a_reduced_type_is_refused(tmp_path: Path) -> None:
    for entry in ({"dtype": "float16"}, {"quantization": {"dtype": "uint8"}}):
        with pytest.raises(InputError, match=r"stores a/kernel in a reduced type, but float32 is needed; give the file that was not quantized"):
            read_keras_weights(write_tensorflow_js(tmp_path, weights(), **entry))


def test_npz_and_safetensors_keep_the_names(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    expected = weights()
    np.savez(tmp_path / "w.npz", **expected)
    save_file(expected, tmp_path / "w.safetensors")
    for name in ("w.npz", "w.safetensors"):
        assert same(read_keras_weights(tmp_path / name), expected), name


@pytest.mark.parametrize("inside", ["", "model_weights"])
def test_h5_variables_are_named_by_their_order_whatever_they_are_called(tmp_path: Path, inside: str) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py, which reads Keras's files, is not installed")
    expected = weights()
    with h5py.File(tmp_path / "w.h5", "w") as file:
        root = file.create_group(inside) if inside else file
        root.create_group("activation").attrs["weight_names"] = []
        for layer in ("a", "n", "b"):
            group = root.create_group(layer)
            # names as Keras 1 wrote them, which sort otherwise than they are meant
            names = [f"{layer}_{9 - i}:0" for i, name in enumerate(name for name in expected if name.startswith(layer))]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, key in zip(names, (key for key in expected if key.startswith(layer))):
                group[name] = expected[key]
    assert same(read_keras_weights(tmp_path / "w.h5"), expected)


def test_a_keras_archive_numbers_its_layers_by_class(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py", reason="h5py, which reads Keras's files, is not installed")
    expected = weights()
    layers = [("InputLayer", "input"), ("Conv2D", "a"), ("BatchNormalization", "n"), ("Activation", "relu"), ("Conv2D", "b")]
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        for place, layer in (("conv2d", "a"), ("batch_normalization", "n"), ("conv2d_1", "b")):
            for i, key in enumerate(key for key in expected if key.startswith(layer)):
                file[f"layers/{place}/vars/{i}"] = expected[key]
    with zipfile.ZipFile(tmp_path / "w.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": [{"class_name": c, "config": {"name": n}} for c, n in layers]}}))
        archive.writestr("model.weights.h5", data.getvalue())
    assert same(read_keras_weights(tmp_path / "w.keras"), expected)


def test_without_h5py_an_hdf5_file_is_refused_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.h5"
    path.write_bytes(b"\x89HDF")
    whole = builtins.__import__

    def without_h5py(name: str, *rest: Any) -> Any:
        if name == "h5py":
            raise ImportError(name)
        return whole(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_h5py)
    with pytest.raises(InputError, match="w.h5 is an HDF5 file, which h5py reads, but h5py is not installed; run pip install h5py"):
        read_keras_weights(path)


def test_what_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"w\.pth holds no weights that can be read here; give a file of Keras's network as \.json"):
        read_keras_weights(tmp_path / "w.pth")
    with pytest.raises(InputError, match=r"w\.npz does not exist, but the encoder should start from it; correct the path"):
        read_keras_weights(tmp_path / "w.npz")
    (tmp_path / "w.npz").write_bytes(b"half a file")
    with pytest.raises(InputError, match=r"w\.npz cannot be read .*; download it again"):
        read_keras_weights(tmp_path / "w.npz")
    path = write_tensorflow_js(tmp_path, weights())
    (tmp_path / "shard2.bin").unlink()
    with pytest.raises(InputError, match=r"model\.json cannot be read .*shard2\.bin.*; download it again"):
        read_keras_weights(path)
