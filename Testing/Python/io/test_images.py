"""Reading and writing volumes by suffix."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from PIL import Image

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.images import WRITABLE, Output, check_output, read_label_volume, read_volume, read_volumes, write_all, write_segmentation, write_volume
from BrainTumorSegLib.labels import SCHEMES
from BrainTumorSegLib.volume import Volume

# A left-handed, oblique grid: 30 degrees about z, then the third axis turned round.
_COS, _SIN = np.cos(np.pi / 6), np.sin(np.pi / 6)
_OBLIQUE = (_COS, -_SIN, 0.0, _SIN, _COS, 0.0, 0.0, 0.0, -1.0)


def _volume(array: np.ndarray) -> Volume:
    return Volume(array, (0.5, 1.25, 6.0), (-10.0, 20.0, 3.5), _OBLIQUE)


def _ramp(dtype: type = np.int16) -> np.ndarray:
    return np.arange(24).reshape(2, 3, 4).astype(dtype)


def test_several_files_are_read_at_once_each_under_its_own_name(tmp_path: Path) -> None:
    paths = {role: tmp_path / f"{role}.nii.gz" for role in ("t2", "flair", "t1")}
    for value, path in enumerate(paths.values(), 1):
        write_volume(Volume(np.full((2, 3, 4), value, np.int16), (1.0, 1.0, 1.0)), path)
    volumes = read_volumes(paths)
    assert [(role, int(volume.array[0, 0, 0])) for role, volume in volumes.items()] == [("t2", 1), ("flair", 2), ("t1", 3)]


def test_of_several_files_the_first_bad_one_is_named(tmp_path: Path) -> None:
    write_volume(Volume(np.ones((2, 3, 4), np.int16), (1.0, 1.0, 1.0)), tmp_path / "good.nii.gz")
    (tmp_path / "bad.nii.gz").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"^bad\.nii\.gz"):
        read_volumes({"t1": tmp_path / "good.nii.gz", "t2": tmp_path / "bad.nii.gz", "flair": tmp_path / "missing.nii.gz"})


def test_after_several_files_itk_warns_as_before(tmp_path: Path) -> None:
    write_volume(Volume(np.ones((2, 3, 4), np.int16), (1.0, 1.0, 1.0)), tmp_path / "a.nii.gz")
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(True)
    for _ in range(5):
        read_volumes({str(i): tmp_path / "a.nii.gz" for i in range(8)})
        assert SimpleITK.ProcessObject.GetGlobalWarningDisplay()


@pytest.mark.parametrize("suffix", [*WRITABLE, ".seg.nrrd"])
def test_a_volume_comes_back_with_its_voxels_and_its_place(tmp_path: Path, suffix: str) -> None:
    volume = _volume(_ramp())
    write_volume(volume, tmp_path / f"a{suffix}")
    back = read_volume(tmp_path / f"a{suffix}")
    assert back.array.dtype == np.int16
    assert np.array_equal(back.array, volume.array)
    assert back.same_grid(volume, tolerance_mm=1e-4)
    assert back.name == f"a{suffix}"
    assert [path.name for path in tmp_path.iterdir()] == [f"a{suffix}"]


@pytest.mark.parametrize(("given", "kept"), [(np.uint8, np.uint8), (np.uint16, np.uint16), (np.float32, np.float32), (np.float64, np.float32)])
def test_voxel_types_are_kept_but_doubles_are_halved(tmp_path: Path, given: type, kept: type) -> None:
    write_volume(_volume(_ramp(given)), tmp_path / "a.nrrd")
    assert read_volume(tmp_path / "a.nrrd").array.dtype == kept


def test_a_boolean_mask_is_written_as_zero_and_one(tmp_path: Path) -> None:
    write_volume(_volume(_ramp() > 20), tmp_path / "a.nii.gz")
    assert read_label_volume(tmp_path / "a.nii.gz").array.sum() == 3


def test_pictures_are_read_and_written_as_png(tmp_path: Path) -> None:
    write_volume(Volume(np.array([[[0, 1, 2]]], np.uint8), has_millimeters=False), tmp_path / "a.png")
    assert read_volume(tmp_path / "a.png").array.tolist() == [[[0, 1, 2]]]


def test_a_single_time_point_is_a_volume(tmp_path: Path) -> None:
    image = SimpleITK.JoinSeries([SimpleITK.GetImageFromArray(_ramp())])
    SimpleITK.WriteImage(image, str(tmp_path / "a.nii"))
    assert read_volume(tmp_path / "a.nii").array.shape == (2, 3, 4)


# --- bad input ---


def _refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_volume(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_file_a_folder_an_empty_file_and_another_kind_are_refused(tmp_path: Path) -> None:
    assert "does not exist" in _refused(tmp_path / "missing.nii.gz")
    assert "is a folder" in _refused(tmp_path)
    (tmp_path / "empty.nii.gz").write_bytes(b"")
    assert "is an empty file" in _refused(tmp_path / "empty.nii.gz")
    (tmp_path / "notes.txt").write_text("hello")
    assert "notes.txt is no image of a known kind" in _refused(tmp_path / "notes.txt")
    assert "cannot be opened" in _refused(tmp_path / "nu\0l.nii") or "does not exist" in _refused(tmp_path / "nu\0l.nii")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha", ".png"])
def test_text_under_the_name_of_an_image_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"a{suffix}").write_text("hello world\n" * 50)
    assert f"a{suffix}" in _refused(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_four_dimensions_are_refused(tmp_path: Path, suffix: str) -> None:
    image = SimpleITK.JoinSeries([SimpleITK.GetImageFromArray(_ramp())] * 2)
    SimpleITK.WriteImage(image, str(tmp_path / f"a{suffix}"))
    assert "has 4 dimensions (4, 3, 2, 2) (several time points or channels), but a volume has three" in _refused(tmp_path / f"a{suffix}")


def test_two_dimensions_are_refused_where_there_should_be_a_slice_thickness(tmp_path: Path) -> None:
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(_ramp()[0]), str(tmp_path / "a.mha"))
    assert "has 2 dimensions (4, 3) (only one slice)" in _refused(tmp_path / "a.mha")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_color_volumes_are_refused(tmp_path: Path, suffix: str) -> None:
    image = SimpleITK.GetImageFromArray(np.zeros((2, 3, 4, 3), np.uint8), isVector=True)
    SimpleITK.WriteImage(image, str(tmp_path / f"a{suffix}"))
    assert "has 3 values in each voxel" in _refused(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_a_single_voxel_is_refused(tmp_path: Path, suffix: str) -> None:
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(np.zeros((1, 1, 1), np.uint8)), str(tmp_path / f"a{suffix}"))
    assert "has 1 voxels" in _refused(tmp_path / f"a{suffix}")


@pytest.mark.parametrize("axes", ["1 0 0 0 1 0 0 1 0", "1 0.3 0 0 1 0 0 0 1", "2 0 0 0 1 0 0 0 1"], ids=["singular", "sheared", "scaled"])
def test_axes_that_are_not_at_right_angles_are_refused(tmp_path: Path, axes: str) -> None:
    write_volume(Volume(_ramp()), tmp_path / "good.mha")
    content = (tmp_path / "good.mha").read_bytes()
    (tmp_path / "a.mha").write_bytes(content.replace(b"TransformMatrix = 1 0 0 0 1 0 0 0 1", f"TransformMatrix = {axes}".encode()))
    assert "direction matrix that is singular or not orthonormal" in _refused(tmp_path / "a.mha")
    vectors = axes.split()
    directions = " ".join(f"({','.join(vectors[3 * i : 3 * i + 3])})" for i in range(3))
    if "2" not in vectors:  # in an NRRD, a longer vector is a larger spacing
        write_volume(Volume(_ramp()), tmp_path / "good.nrrd")
        content = (tmp_path / "good.nrrd").read_bytes()
        (tmp_path / "a.nrrd").write_bytes(content.replace(b"(1,0,0) (0,1,0) (0,0,1)", directions.encode()))
        assert "direction matrix that is singular or not orthonormal" in _refused(tmp_path / "a.nrrd")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_file_cut_short_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_volume(Volume(np.random.default_rng(0).integers(0, 999, (8, 9, 10)).astype(np.int16)), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert "cut short" in _refused(path)


def test_an_nrrd_without_its_file_of_voxels_is_refused(tmp_path: Path) -> None:
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(_ramp()), str(tmp_path / "a.nhdr"))
    (tmp_path / "a.raw").unlink()
    assert "its voxels are in another file, but it is not there" in _refused(tmp_path / "a.nhdr")


def test_reading_says_nothing_on_standard_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_volume(Volume(_ramp()), tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[280:284] = np.float32(-3.0).tobytes()  # an sform that disagrees with pixdim, of which ITK warns
    (tmp_path / "a.nii").write_bytes(bytes(content))
    before = SimpleITK.ProcessObject.GetGlobalWarningDisplay()
    read_volume(tmp_path / "a.nii")
    assert capfd.readouterr().err == ""
    assert SimpleITK.ProcessObject.GetGlobalWarningDisplay() == before


# --- labels ---


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_voxels_that_are_no_numbers_are_handed_on_where_the_format_keeps_them(tmp_path: Path, suffix: str) -> None:
    array = _ramp(np.float32)
    array[0, 0, 0] = np.nan
    write_volume(Volume(array), tmp_path / f"a{suffix}")
    assert np.isnan(read_volume(tmp_path / f"a{suffix}").array).sum() == 1


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd"])
def test_labels_in_whole_floats_are_accepted(tmp_path: Path, suffix: str) -> None:
    write_volume(_volume(_ramp(np.float32)), tmp_path / f"a{suffix}")
    labels = read_label_volume(tmp_path / f"a{suffix}")
    assert labels.array.dtype == np.uint8
    assert np.array_equal(labels.array, _ramp())


def test_large_labels_need_two_bytes(tmp_path: Path) -> None:
    write_volume(_volume(_ramp() * 100), tmp_path / "a.nrrd")
    assert read_label_volume(tmp_path / "a.nrrd").array.dtype == np.uint16


def test_zero_and_255_are_two_labels_in_a_volume_but_one_in_a_picture(tmp_path: Path) -> None:
    white = np.array([[[0, 255]]], np.uint8)
    write_volume(Volume(white), tmp_path / "a.nrrd")
    Image.fromarray(white[0]).save(tmp_path / "a.png")
    assert read_label_volume(tmp_path / "a.nrrd").array.max() == 255
    assert read_label_volume(tmp_path / "a.png").array.tolist() == [[[0, 1]]]


@pytest.mark.parametrize(
    ("value", "message"),
    [(0.5, "has 1 voxels that are no whole numbers"), (np.nan, "has 1 voxels"), (-1, "values from -1 to 23"), (70000, "values from 0 to 70000")],
)
def test_what_is_no_label_is_refused(tmp_path: Path, value: float, message: str) -> None:
    array = _ramp(np.float32)
    array[0, 0, 1] = value
    write_volume(Volume(array), tmp_path / "a.nrrd")
    with pytest.raises(InputError, match=message):
        read_label_volume(tmp_path / "a.nrrd")


# --- writing ---


def test_a_segmentation_names_its_segments_for_slicer(tmp_path: Path) -> None:
    array = np.zeros((2, 3, 4), np.uint8)
    array[1, 1:3, 2] = 1  # x 2..2, y 1..2, z 1..1
    write_segmentation(Volume(array), SCHEMES["glioma"], tmp_path / "a.seg.nrrd")
    image = SimpleITK.ReadImage(str(tmp_path / "a.seg.nrrd"))
    fields = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
    assert [fields[f"Segment{i}_ID"] for i in range(3)] == ["NCR", "ED", "ET"]
    assert [fields[f"Segment{i}_LabelValue"] for i in range(3)] == ["1", "2", "3"]
    assert fields["Segment0_Extent"] == "2 2 1 2 1 1"
    assert fields["Segment1_Extent"] == "0 -1 0 -1 0 -1"
    assert fields["Segment2_Name"] == "Enhancing tumor"
    assert fields["Segment1_Color"] == "0.941176 0.894118 0.258824"  # 240, 228, 66
    assert "~SCT^79654002^Edema~" in fields["Segment1_Tags"]
    assert np.array_equal(read_label_volume(tmp_path / "a.seg.nrrd").array, array)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd"])
def test_other_formats_hold_no_segment_names(tmp_path: Path, suffix: str) -> None:
    write_segmentation(Volume(np.zeros((2, 3, 4), np.uint8)), SCHEMES["tumor"], tmp_path / f"a{suffix}")
    image = SimpleITK.ReadImage(str(tmp_path / f"a{suffix}"))
    assert not any(key.startswith("Segment") for key in image.GetMetaDataKeys())


@pytest.mark.parametrize(
    ("name", "message"), [("a.txt", "names no known file format"), ("a", "names no known"), ("a.jpg", "names no known"), ("no/a.nii", "its folder does not")]
)
def test_an_output_that_cannot_be_is_refused_before_and_at_writing(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_output(tmp_path / name)
    with pytest.raises(InputError, match=message):
        write_volume(Volume(_ramp()), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


_WRITE_UNDER_A_LIMIT = """
import resource, sys
import numpy as np
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.images import write_volume
from BrainTumorSegLib.volume import Volume
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))  # stands for a disk that fills
noise = np.random.default_rng(0).integers(0, 255, (1 if sys.argv[1].endswith(".png") else 40, 300, 300)).astype(np.uint8)
try:
    write_volume(Volume(noise, has_millimeters=False), sys.argv[1])
except InputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file size are a thing of Unix")
@pytest.mark.parametrize("suffix", [*WRITABLE, ".seg.nrrd", ".png"])
def test_a_disk_that_fills_while_writing_is_one_sentence_and_leaves_no_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    done = subprocess.run([sys.executable, "-c", _WRITE_UNDER_A_LIMIT, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{path} cannot be written") and done.stdout.count("\n") == 1
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_files_that_belong_together_appear_together(tmp_path: Path) -> None:
    volume = Volume(_ramp())
    good, bad = Output(tmp_path / "a.nii.gz", volume), Output(tmp_path / "b.png", volume)  # two slices are no PNG
    with pytest.raises(InputError, match=r"2 slices does not fit into one picture \(.*b\.png\)"):
        write_all([good, bad])
    assert list(tmp_path.iterdir()) == []
    write_all([good, Output(tmp_path / "b.nrrd", volume)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.nii.gz", "b.nrrd"]


@pytest.mark.parametrize("suffix", WRITABLE)
def test_channels_are_written_as_one_image_of_vectors(tmp_path: Path, suffix: str) -> None:
    channels = np.stack([_ramp(np.float32), 1 - _ramp(np.float32)])
    write_all([Output(tmp_path / f"p{suffix}", _volume(_ramp()), channels=channels)])
    back = SimpleITK.ReadImage(str(tmp_path / f"p{suffix}"))
    assert back.GetNumberOfComponentsPerPixel() == 2
    assert np.array_equal(np.moveaxis(SimpleITK.GetArrayFromImage(back), -1, 0), channels)
    assert np.allclose(back.GetDirection(), _OBLIQUE, atol=1e-6)
