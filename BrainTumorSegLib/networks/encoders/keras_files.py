"""Reading the files in which ImageNet weights of Keras's networks are passed on: arrays by layer and variable name."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from BrainTumorSegLib.errors import InputError

Weights = dict[str, np.ndarray]
"""`layer/variable` -> array, convolution kernels as [height, width, in, out]."""

_CONVOLUTION = ("kernel", "bias")
_NORMALIZATION = ("gamma", "beta", "moving_mean", "moving_variance")
_SUFFIXES = ".json (TensorFlow.js), .h5, .keras, .npz or .safetensors"


def read_keras_weights(path: Path) -> Weights:
    """All arrays of a weight file.

    TensorFlow.js's model.json with its shards beside it; Keras's .h5 (of weights or a whole model, old or new) and
    .keras; .npz and .safetensors with the names of `Weights`.

    Raises:
        InputError: the file is missing, of another kind or damaged, or the package that reads it is not installed.
    """
    readers = {".json": _read_tensorflow_js, ".h5": _read_h5, ".keras": _read_keras, ".npz": _read_npz, ".safetensors": _read_safetensors}
    if path.suffix not in readers:
        raise InputError(f"{path} holds no weights that can be read here; give a file of Keras's network as {_SUFFIXES}")
    if not path.is_file():
        raise InputError(f"{path} does not exist, but the encoder should start from it; correct the path or leave it out to start at random")
    try:
        return readers[path.suffix](path)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} cannot be read ({error}); download it again") from error


def _read_tensorflow_js(path: Path) -> Weights:
    weights: Weights = {}
    for group in json.loads(path.read_text(encoding="utf-8"))["weightsManifest"]:
        data = b"".join((path.parent / shard).read_bytes() for shard in group["paths"])
        offset = 0
        for entry in group["weights"]:
            if entry["dtype"] != "float32" or "quantization" in entry:
                raise InputError(f"{path} stores {entry['name']} in a reduced type, but float32 is needed; give the file that was not quantized")
            count = int(np.prod(entry["shape"]))
            weights[entry["name"]] = np.frombuffer(data, "<f4", count, offset).reshape(entry["shape"])
            offset += 4 * count
    return weights


def _h5py(path: Path) -> Any:
    try:
        import h5py
    except ImportError:
        raise InputError(f"{path} is an HDF5 file, which h5py reads, but h5py is not installed; run pip install h5py") from None
    return h5py


def _read_h5(path: Path) -> Weights:
    with _h5py(path).File(path, "r") as file:
        root = file.get("model_weights", file)
        weights: Weights = {}
        for layer in root:
            # the attribute keeps the order of a layer's variables, whose own names differ between Keras's versions
            names = [name.decode() if isinstance(name, bytes) else name for name in root[layer].attrs.get("weight_names", ())]
            weights.update(_named(layer, [np.asarray(root[layer][name]) for name in names]))
        return weights


def _read_keras(path: Path) -> Weights:
    """A Keras 3 archive numbers its layers by class ("conv2d_7"), in the order of config.json, where their names are."""
    with zipfile.ZipFile(path) as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
        data = io.BytesIO(archive.read("model.weights.h5"))
    weights: Weights = {}
    counts: dict[str, int] = {}
    with _h5py(path).File(data, "r") as file:
        for layer in layers:
            kind = {"Conv2D": "conv2d", "BatchNormalization": "batch_normalization"}.get(layer["class_name"])
            if kind is None:
                continue
            number = counts[kind] = counts.get(kind, -1) + 1
            variables = file["layers"][f"{kind}_{number}" if number else kind]["vars"]
            weights.update(_named(layer["config"]["name"], [np.asarray(variables[str(i)]) for i in range(len(variables))]))
    return weights


def _named(layer: str, arrays: list[np.ndarray]) -> Weights:
    names = _NORMALIZATION if len(arrays) == len(_NORMALIZATION) else _CONVOLUTION
    return {f"{layer}/{name}": array for name, array in zip(names, arrays)}


def _read_npz(path: Path) -> Weights:
    with np.load(path, allow_pickle=False) as file:
        return dict(file)


def _read_safetensors(path: Path) -> Weights:
    from safetensors.numpy import load_file

    return load_file(path)
