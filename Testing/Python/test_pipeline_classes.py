"""The whole way with a network of classes: the likeliest of the fused probabilities, through networks worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from BrainTumorSegLib.api import best_model
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference import whole_heads
from BrainTumorSegLib.inference.models import ModelInfo, list_models
from BrainTumorSegLib.inference.options import SegmentOptions
from BrainTumorSegLib.inference.session import Session
from BrainTumorSegLib.labels import ROLES
from BrainTumorSegLib.pipeline import Segmentation, segment
from BrainTumorSegLib.progress import CancelToken
from BrainTumorSegLib.volume import Volume
from Testing.Python.tiny import model_row, save_network, write_models

INPUTS = ("flair", "t1", "t1ce", "t2")
SIZE = 16
"""Of the volume's sides and of the view, so that no voxel is interpolated."""
BRIGHT = 74 / 255
"""The gray value of a volume's tissue, which is all that is bright here."""
EXTRAS = SegmentOptions(uncertainty=True, probabilities=True)


def class_row(path: Path, **changes: Any) -> dict[str, Any]:
    about: dict[str, Any] = {"name": "classes", "inputs": list(INPUTS), "scheme": "glioma", "outputs": "classes", "planes": ["axial"]}
    return model_row(path, **{**about, "view": {"kind": "gray", "size": SIZE}, **changes})


def write_classes(path: Path, slope: float = 40.0) -> Path:
    """softmax(slope (0.5, t1, flair, t1ce)) of 0 (dark) or 1 (bright): NCR where T1 is bright, ED where FLAIR is, ET where T1ce is, background where none."""
    onnx = pytest.importorskip("onnx")
    weights = np.zeros((4, 4, 1, 1))
    weights[[1, 2, 3], [INPUTS.index(role) for role in ("t1", "flair", "t1ce")]] = slope / BRIGHT
    nodes = [
        onnx.helper.make_node("Conv", ["slices", "weights", "bias"], ["logits"]),
        onnx.helper.make_node("Softmax", ["logits"], ["probability"], axis=1),
    ]
    return save_network(path, nodes, {"weights": weights, "bias": [slope / 2, 0, 0, 0]}, channels=len(INPUTS))


def opened(folder: Path, slope: float = 40.0, **changes: Any) -> Session:
    write_models(folder, class_row(write_classes(folder / "classes.onnx", slope), **changes))
    return Session(list_models(folder)[0], threads=1)


def study(**bright: np.ndarray) -> dict[str, Volume]:
    """Volumes of 1 mm that are 100 where a mask says, else 0; T2 and what is not given are bright in one corner, which the others share."""
    volumes = {}
    for role in INPUTS:
        array = np.zeros((SIZE,) * 3, np.uint8)
        array[bright.get(role, np.zeros(array.shape, bool))] = 100
        array[0, 0, 0] = 100
        volumes[role] = Volume(array, (1.0, 1.0, 1.0), name=role)
    return volumes


def box(*sides: slice) -> np.ndarray:
    mask = np.zeros((SIZE,) * 3, bool)
    mask[sides] = True
    return mask


TUMOR, CORE, ENHANCING = (box(*[slice(low, high)] * 3) for low, high in ((3, 13), (5, 11), (6, 9)))


def nested_study() -> dict[str, Volume]:
    """Edema of 10 voxels a side, in it necrosis of 6 (dark on FLAIR), in that 3 that enhance."""
    return study(flair=TUMOR & ~CORE, t1=CORE & ~ENHANCING, t1ce=ENHANCING)


def truth() -> np.ndarray:
    labels = TUMOR * 2
    labels[CORE], labels[ENHANCING] = 1, 3
    return labels.astype(np.uint8)


def inner(result: Segmentation) -> np.ndarray:
    """The labels but of the corner in which everything is bright."""
    labels = result.labels.array.copy()
    labels[0, 0, 0] = 0
    return labels


def test_every_class_gets_its_label_probability_and_volume(tmp_path: Path) -> None:
    result = segment(nested_study(), opened(tmp_path), EXTRAS)
    np.testing.assert_array_equal(inner(result), truth())
    assert (result.scheme, result.inputs, result.unsupported, result.planes) == ("glioma", INPUTS, (), ("axial",))
    assert result.voxels == {"NCR": 6**3 - 3**3 + 1, "ED": 10**3 - 6**3, "ET": 3**3}  # the corner is a tie of all three: the first
    assert result.probabilities is not None and result.probabilities.shape == (3, SIZE, SIZE, SIZE)
    found = result.probabilities[:, 1:]
    np.testing.assert_allclose(found, [truth()[1:] == value for value in (1, 2, 3)], atol=1e-6)  # softmax(40, 20, 0, 0)
    assert result.uncertainty is not None and result.uncertainty.array[1:].max() < 1e-4


def test_doubt_is_the_entropy_over_all_four_classes(tmp_path: Path) -> None:
    # at slope ln 9, ED against background is 9 : 3 : 1 : 1
    result = segment(study(flair=TUMOR), opened(tmp_path, slope=np.log(9.0)), EXTRAS)
    p = np.array([3, 1, 9, 1]) / 14
    assert result.probabilities is not None and result.uncertainty is not None
    np.testing.assert_allclose(result.probabilities[:, 7, 7, 7], p[1:], atol=1e-5)
    assert result.uncertainty.array[7, 7, 7] == pytest.approx(-(p * np.log(p)).sum() / np.log(4), abs=1e-4)


def test_a_temperature_changes_what_is_said_of_doubt_and_no_label(tmp_path: Path) -> None:
    plain, softer = (segment(study(flair=TUMOR), opened(tmp_path, slope=np.log(9.0), temperature=t), EXTRAS) for t in (1.0, 2.0))
    np.testing.assert_array_equal(plain.labels.array, softer.labels.array)
    p = np.sqrt([3, 1, 9, 1])
    p /= p.sum()
    assert softer.probabilities is not None and softer.uncertainty is not None
    np.testing.assert_allclose(softer.probabilities[:, 7, 7, 7], p[1:], atol=1e-5)
    assert softer.uncertainty.array[7, 7, 7] == pytest.approx(-(p * np.log(p)).sum() / np.log(4), abs=1e-4)


def test_the_threshold_decides_nothing(tmp_path: Path) -> None:
    for threshold in (0.01, 0.99):
        result = segment(study(flair=TUMOR), opened(tmp_path, slope=np.log(9.0), threshold=threshold), SegmentOptions())
        np.testing.assert_array_equal(inner(result), TUMOR * 2)  # 9/14 is enough, and 1/14 elsewhere is not
        assert (result.probabilities, result.uncertainty) == (None, None)


def test_islands_and_holes_go_by_the_scheme_in_cubic_millimeters(tmp_path: Path) -> None:
    volumes = nested_study()
    flair, t1ce = volumes["flair"].array, volumes["t1ce"].array
    flair[1, 1, 14] = flair[1, 1, 13] = 100  # an island of 2 mm3 of edema
    flair[4, 4, 4] = 0  # a hole of 1 mm3 in the edema
    t1ce[7, 7, 7] = 0  # a voxel of neither in the midst of what enhances
    t1ce[11, 11, 11] = t1ce[4, 8, 8] = t1ce[3, 3, 12] = 100  # enhancement in the edema: twice where it touches the core, and alone
    flair[11, 11, 11] = flair[4, 8, 8] = flair[3, 3, 12] = 0
    untouched = truth()
    untouched[1, 1, 13:15], untouched[4, 4, 4], untouched[7, 7, 7] = 2, 0, 0
    untouched[11, 11, 11] = untouched[4, 8, 8] = untouched[3, 3, 12] = 3
    session = opened(tmp_path)
    np.testing.assert_array_equal(inner(segment(volumes, session, SegmentOptions())), untouched)  # a published system's limits are 0
    cleaned = truth()
    cleaned[7, 7, 7] = 1  # a hole of tumor and core, so that it is core; what enhances keeps its holes
    cleaned[4, 8, 8] = cleaned[11, 11, 11] = 1  # islands of enhancement, but not of the core, which they touch with a side and a corner
    options = SegmentOptions(min_island_mm3=3.0, max_hole_mm3=1.0)
    np.testing.assert_array_equal(inner(segment(volumes, session, options)), cleaned)
    for least, kept in ((26.0, 26), (26.5, 0)):
        limits = {"min_island_mm3": 3.0, "max_hole_mm3": 1.0, "min_innermost_mm3": least}
        assert segment(volumes, opened(tmp_path, postprocess=limits), SegmentOptions()).voxels["ET"] == kept


class Planes:
    """Stands for an open model whose probabilities differ from plane to plane: of volumes without depth, a batch after the other."""

    def __init__(self, model: ModelInfo, *answers: tuple[float, float, float, float]) -> None:
        self.model, self.answers, self.shapes = model, iter(answers), []

    def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
        self.shapes.append(slices.shape)
        if len(self.shapes) % 2:  # 16 slices are two batches of 8
            self.now = np.array(next(self.answers), np.float32)
        return np.tile(self.now[None, :, None, None], (len(slices), 1, SIZE, SIZE))


@pytest.mark.parametrize(
    ("axial", "coronal", "fused", "label"),
    [
        # the label is that of the means, and not what the planes' labels would vote for
        ((0.375, 0, 0.625, 0), (0.25, 0, 0.25, 0.5), (0, 0.4375, 0.25), 2),
        ((0.4375, 0, 0.5625, 0), (0.4375, 0, 0, 0.5625), (0, 0.28125, 0.28125), 0),  # each plane sees tumor, but not of one kind
        ((0.125, 0, 0.875, 0), (0.125, 0, 0, 0.875), (0, 0.4375, 0.4375), 2),  # a tie: the first
        ((0, 0.5, 0, 0.5), (1, 0, 0, 0), (0.25, 0, 0.25), 0),
        ((0, 1, 0, 0), (1, 0, 0, 0), (0.5, 0, 0), 0),  # a tie with background
    ],
)
def test_planes_are_fused_before_the_likeliest_is_taken(
    tmp_path: Path, axial: tuple[float, ...], coronal: tuple[float, ...], fused: tuple[float, ...], label: int
) -> None:
    session = Planes(opened(tmp_path, planes=["axial", "coronal"]).model, cast(Any, axial), cast(Any, coronal))
    options = SegmentOptions(planes="all", probabilities=True, early_exit=True)
    result = segment(nested_study(), session, options)  # type: ignore[arg-type]
    assert result.planes == ("axial", "coronal")
    assert session.shapes == [(8, 4, SIZE, SIZE)] * 4  # every slice, whatever early_exit says
    assert result.probabilities is not None
    np.testing.assert_array_equal(result.probabilities[:, 8, 8, 8], fused)
    assert set(result.labels.array[1:-1, 1:-1, 1:-1].ravel().tolist()) == {label}


def test_outside_of_what_the_view_sees_there_is_background_and_no_doubt(tmp_path: Path) -> None:
    # everything is said to be edema, in a box of 12 x 10 x 8 voxels of a larger volume
    session = Planes(opened(tmp_path, view={"kind": "crop-zscore", "size": SIZE}).model, (0, 0, 1, 0))
    array = np.zeros((SIZE, 14, 12), np.int16)
    array[2:14, 3:13, 1:9] = np.random.default_rng(0).integers(50, 150, (12, 10, 8))
    result = segment({role: Volume(array, name=role) for role in INPUTS}, session, EXTRAS)  # type: ignore[arg-type]
    np.testing.assert_array_equal(result.labels.array, (array > 0) * 2)
    assert session.shapes == [(8, 4, SIZE, SIZE), (4, 4, SIZE, SIZE)]
    assert result.uncertainty is not None and result.probabilities is not None
    assert result.uncertainty.array[array == 0].max() < 1e-4
    assert result.probabilities[:, array == 0].max() == 0


def test_without_a_view_every_slice_is_run_too(tmp_path: Path) -> None:
    class Whole(Planes):
        def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
            self.shapes.append(slices.shape)
            maps = np.zeros((len(slices), 4, *slices.shape[2:]), np.float32)
            maps[:, 2] = slices[:, 0] > 1.5
            maps[:, 0] = 1 - maps[:, 2]
            return maps

    model = opened(tmp_path, view=None, planes=["axial", "coronal", "sagittal"], postprocess={"min_island_mm3": 100.0, "max_hole_mm3": 0.0}).model
    session = Whole(model)
    array = np.full((40, 40, 40), 100, np.int16)
    array[:10, :10, :10] = 0
    array[20:26, 20:28, 20:28] = 200
    volumes = {role: Volume(array, (240 / 224,) * 3, name=role) for role in INPUTS}
    told: list[str] = []
    options = SegmentOptions(planes="all", early_exit=True)
    result = segment(volumes, session, options, lambda fraction, message: told.append(message))  # type: ignore[arg-type]
    assert sum(shape[0] for shape in session.shapes) == 120
    assert not any("looking for tumor" in message for message in told)  # in a first look background would be the finding
    np.testing.assert_array_equal(result.labels.array, (array == 200) * 2)


def test_all_four_sequences_are_needed(tmp_path: Path) -> None:
    volumes = nested_study()
    del volumes["t1"]
    with pytest.raises(InputError, match="classes needs t1, which is not given; add it or choose another model"):
        segment(volumes, opened(tmp_path), SegmentOptions())


def test_the_brain_is_cut_out_for_classes_that_were_trained_without_skull(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_heads, "open_brain_network", lambda session: session)
    monkeypatch.setattr(whole_heads, "find_brains", lambda *_: (None, {}))
    path = write_classes(tmp_path / "classes.onnx")
    write_models(tmp_path, class_row(path, crop=True), model_row(path, name="single"))
    models = list_models(tmp_path)
    head = np.zeros((24, 24, 24), np.int16)
    head[2:-2, 2:-2, 2:-2] = 100
    small, large = ({role: Volume(head, (mm,) * 3, name=role) for role in ROLES} for mm in (5.0, 8.0))  # 1 and 4 L
    assert [best_model(study, models).name for study in (small, large)] == ["classes", "classes"]
    session = Planes(opened(tmp_path, crop=True).model, (1, 0, 0, 0), (1, 0, 0, 0))
    result = segment(large, session, SegmentOptions())  # type: ignore[arg-type]
    assert any("was trained without skull" in text for text in result.warnings)
    assert any("no brain was found in t1ce, so classes saw the whole head" in text for text in result.warnings)
    assert session.shapes == [(8, 4, SIZE, SIZE)] * 3  # through its own view, and not cut as a model without one
