"""Readers of the public sets that `t1ce-tumor` and `flair-tumor` learn from, each giving a `SliceSet` on the network's canvas.

- cheng: T1-contrast slices of 3 planes with masks (Cheng, figshare 1512427, CC BY 4.0), folds 1-4 by patient.
- no_tumor: slices without tumor ("Brain Tumor MRI Dataset"/Br35H; license not verified), near-duplicates share a fold.
- brats: T1ce volumes with labels (BraTS 2018-2021), folds 1-5 by patient; slices of all three planes.
- t1ce_slices: one axial T1ce slice a patient with the whole-tumor mask (BraTS 2020), folds as brats.
- lgg: axial FLAIR stacks of lower-grade gliomas, with skull, and whole-tumor masks (Buda et al. 2019,
  doi:10.1016/j.compbiomed.2019.05.002; TCGA-LGG, CC BY-NC-SA 4.0), folds 1-5 by patient. Their spacing is unknown.
- ms_heads: FLAIR of whole heads with multiple sclerosis and no tumor (Lesjak et al. 2018, doi:10.1007/s12021-017-9348-7,
  CC BY), each head a fold.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image

from BrainTumorSegLib.data.slice_set import SIZE, TUMOR_BIT, WHOLE_BIT, SliceSet, SliceSetBuilder
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.images import read_volume
from BrainTumorSegLib.preprocess.frame import frame_for_picture, frame_for_volume
from BrainTumorSegLib.preprocess.intensity import TissueScale, fit_tissue_scale
from BrainTumorSegLib.preprocess.orientation import orientation_of
from BrainTumorSegLib.preprocess.planes import PLANES, plane_view

_SLICE_STRIDE = 4  # neighbors look alike: every fourth slice of a volume carries nearly all there is to learn
LEAST_TISSUE = 0.03  # share of the canvas
_HEAD_FOLDS = 5  # as many as lgg has, so that each of the five heads is kept out once


def read_cheng(folder: Path) -> SliceSet:
    """Contrast-enhanced slices with masks: all tumor, kinds glioma, meningioma and pituitary."""
    builder = SliceSetBuilder()
    for row in table_rows(folder / "slices.csv"):
        picture = read_gray(folder / "images" / f"{row['id']}.jpg")
        image, target = _picture(picture, read_gray(folder / "masks" / f"{row['id']}.png") > 0)
        kind = row["tumor"].removesuffix("_tumor")
        builder.add(image, target * (TUMOR_BIT | WHOLE_BIT), fit_tissue_scale(picture), source="cheng", kind=kind, fold=int(row["fold"]), case=row["id"])
    return builder.build()


def read_no_tumor(folder: Path) -> SliceSet:
    """Tumor-free slices, those marked `excluded` left out."""
    builder = SliceSetBuilder()
    for row in table_rows(folder / "splits.csv"):
        if not row["excluded"]:
            picture = read_gray(folder / row["file"])
            image, target = _picture(picture, np.zeros(picture.shape, bool))
            builder.add(image, target, fit_tissue_scale(picture), source="no_tumor", kind="none", fold=int(row["fold"]), case=row["file"])
    return builder.build()


def read_t1ce_slices(folder: Path) -> SliceSet:
    """One axial slice a patient with its whole-tumor mask: where the tumor proper lies inside it is unknown."""
    builder = SliceSetBuilder()
    for row in table_rows(folder / "slices.csv"):
        image = read_gray(next(iter(sorted((folder / "images").glob(f"{row['brats20_case']}*")))))
        mask = read_gray(next(iter(sorted((folder / "masks").glob(f"{row['brats20_case']}*"))))) > 0
        builder.add(image, mask * WHOLE_BIT, fit_tissue_scale(image), source="t1ce_slices", kind="glioma", fold=int(row["fold"]), case=row["brats20_case"])
    return builder.build()


def read_brats(folder: Path) -> SliceSet:
    """T1ce slices of the whole cases in three planes; tumor is the core (labels 1 and 3), whole tumor adds edema."""
    builder = SliceSetBuilder()
    for row in table_rows(folder / "folds.csv"):
        case = folder / row["folder"] / row["case"]
        image, labels = (read_packed(case, "t1ce"), read_packed(case, "seg")) if row["folder"] == "packed" else _read_full(case)
        target = np.isin(labels, (1, 3)) * TUMOR_BIT | (labels > 0) * WHOLE_BIT
        for plane in PLANES:
            _add_plane(builder, plane_view(image, plane), plane_view(target, plane), fit_tissue_scale(image), int(row["fold"]), row["case"])
    return builder.build()


def read_lgg_flair(folder: Path) -> SliceSet:
    """All axial FLAIR slices of every stack, in order; the target is the whole tumor, kind glioma where a slice has it."""
    builder = SliceSetBuilder()
    for row in table_rows(folder / "folds.csv"):
        case = folder / row["case"]
        stack, masks = read_packed(case, "flair"), read_packed(case, "seg") > 0
        scale = fit_tissue_scale(stack)
        for picture, mask in zip(stack, masks):
            image, target = _picture(picture, mask)
            kind = "glioma" if mask.any() else "none"
            builder.add(image, target * (TUMOR_BIT | WHOLE_BIT), scale, source="lgg", kind=kind, fold=int(row["fold"]), case=row["case"])
    return builder.build()


def read_lgg_tumor_free(folder: Path) -> SliceSet:
    """Tumor-free axial slices of T1 with and without contrast agent from vertex to skull base, those of patients that have them."""
    builder = SliceSetBuilder()
    for row in table_rows(folder / "folds.csv"):
        masks = read_packed(folder / row["case"], "seg") > 0
        for role in ("t1", "t1ce"):
            if role in row["repeats_flair"].split():
                continue
            stack = read_packed(folder / row["case"], role)
            scale = fit_tissue_scale(stack)
            for picture in stack[~masks.any(axis=(1, 2))]:
                image, _ = _picture(picture, np.zeros(picture.shape, bool))
                _add_tumor_free(builder, image, scale, "lgg_tumor_free", int(row["fold"]), row["case"])
    return builder.build()


def read_ms_heads(folder: Path) -> SliceSet:
    """Axial FLAIR slices of heads whose lesions are no tumor, so that all are tumor-free; the first head is fold 1, the sixth again."""
    paths = sorted(folder.glob("*/flair.nii.gz"))
    if not paths:
        raise InputError(f"{folder} holds no CASE/flair.nii.gz, but this recipe trains on it; give the folder that holds it with --data")
    builder = SliceSetBuilder()
    for i, path in enumerate(paths):
        volume = read_volume(path)
        orientation = orientation_of(volume)
        stack = orientation.canonical(volume.array)
        scale = fit_tissue_scale(stack)
        frame = frame_for_volume(stack.shape[1:], orientation.canonical_spacing(volume)[1:])
        for canvas in frame.to_canvas(stack):
            _add_tumor_free(builder, _centered(canvas), scale, "ms_heads", 1 + i % _HEAD_FOLDS, path.parent.name)
    return builder.build()


def _add_tumor_free(builder: SliceSetBuilder, image: np.ndarray, scale: TissueScale, source: str, fold: int, case: str) -> None:
    """A slice of a head without tumor, unless it shows next to nothing of the head."""
    if (image > 0).mean() >= LEAST_TISSUE:
        builder.add(image, np.zeros(image.shape, np.uint8), scale, source=source, kind="none", fold=fold, case=case)


def _add_plane(builder: SliceSetBuilder, image: np.ndarray, target: np.ndarray, scale: TissueScale, fold: int, case: str) -> None:
    frame = frame_for_volume(image.shape[1:], (1.0, 1.0))
    for k in range(_SLICE_STRIDE // 2, len(image), _SLICE_STRIDE):
        if (image[k] > 0).mean() * image[k].size < LEAST_TISSUE * SIZE**2:
            continue
        canvas = _centered(frame.to_canvas(image[k : k + 1])[0])
        tumor, whole = (_centered(frame.to_canvas(target[k : k + 1] & bit)[0] >= bit / 2) * bit for bit in (TUMOR_BIT, WHOLE_BIT))
        kind = "glioma" if target[k].any() else "none"
        builder.add(canvas, tumor | whole, scale, source="brats", kind=kind, fold=fold, case=case)


def _picture(image: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    frame = frame_for_picture((image.shape[0], image.shape[1]))
    return frame.to_canvas(image[None])[0], frame.to_canvas(mask[None])[0] >= 0.5


def _centered(canvas: np.ndarray) -> np.ndarray:
    """Pad or crop to 224 x 224 about the center."""
    result = np.zeros((SIZE, SIZE), canvas.dtype)
    source, target = zip(*(_overlap(n) for n in canvas.shape))
    result[target] = canvas[source]
    return result


def _overlap(size: int) -> tuple[slice, slice]:
    if size <= SIZE:
        start = (SIZE - size) // 2
        return slice(0, size), slice(start, start + size)
    start = (size - SIZE) // 2
    return slice(start, start + SIZE), slice(0, SIZE)


def read_gray(path: Path) -> np.ndarray:
    """A picture as uint8 [height, width]; 1-bit masks become 0 and 255."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("L"))


def read_packed(case: Path, name: str) -> np.ndarray:
    """One sequence (or "seg") of a packed case, uint8 [z, y, x] on its full grid."""
    meta = json.loads((case / "meta.json").read_text())
    low, high = meta["box_lo_zyx"], meta["box_hi_zyx"]
    mosaic = np.asarray(Image.open(case / f"{name}.png")) if name == "seg" else read_gray(case / f"{name}.webp")
    depth, columns = high[0] - low[0], meta["columns"]
    rows = -(-depth // columns)
    height, width = mosaic.shape[0] // rows, mosaic.shape[1] // columns
    tiles = mosaic.reshape(rows, height, columns, width).transpose(0, 2, 1, 3).reshape(-1, height, width)[:depth]
    full = np.zeros(meta["shape_zyx"], np.uint8)
    full[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = tiles
    if name != "seg":
        full[full <= 3] = 0  # lossy coding leaves a faint halo on the empty background
    return full


def _read_full(case: Path) -> tuple[np.ndarray, np.ndarray]:
    import SimpleITK as sitk

    image = sitk.GetArrayFromImage(sitk.ReadImage(str(case / "t1ce.nii.gz"))).astype(np.float32)
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(case / "seg.nii.gz"))).astype(np.uint8)
    return image * (255.0 / np.percentile(image[image > 0], 99.9)), np.where(labels == 4, 3, labels)


def table_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a set's CSV file. Raises `InputError` where it is missing."""
    if not path.is_file():
        raise InputError(f"{path} is missing, but this recipe trains on it; give the folder that holds it with --data")
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
