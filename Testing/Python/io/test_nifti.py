"""What SimpleITK passes over in NIfTI files: every case here is read by it without an error."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.images import read_volume
from BrainTumorSegLib.io.nifti import check_nifti

# Offsets of NIfTI-1 fields: dim 40, pixdim 76 (its entry 1 is x: 80), qform and sform code 252 and 254, srow_x 280.
_PIXDIM_X, _CODES, _SROW_X = 80, 252, 280


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """The bytes of a good image of 4x3x2 voxels of 2 bytes: 352 + 48 = 400."""
    image = SimpleITK.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    image.SetSpacing((1.0, 2.0, 3.0))
    SimpleITK.WriteImage(image, str(tmp_path / "whole.nii"))
    return (tmp_path / "whole.nii").read_bytes()


def _changed(whole: bytes, form: str, offset: int, *values: float) -> bytes:
    changed = bytearray(whole)
    struct.pack_into("<" + form, changed, offset, *values)
    return bytes(changed)


def _message(folder: Path, content: bytes, name: str = "case.nii") -> str:
    (folder / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        check_nifti(folder / name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_good_file_passes_packed_and_not(tmp_path: Path, whole: bytes) -> None:
    assert len(whole) == 400
    for name, content in (("a.nii", whole), ("a.nii.gz", gzip.compress(whole)), ("b.nii.gz", whole)):
        (tmp_path / name).write_bytes(content)
        check_nifti(tmp_path / name)


def test_a_big_endian_file_passes(tmp_path: Path) -> None:
    head = bytearray(352)
    struct.pack_into(">i", head, 0, 348)
    struct.pack_into(">8h", head, 40, 3, 4, 3, 2, 1, 1, 1, 1)
    struct.pack_into(">2h", head, 70, 2, 8)
    struct.pack_into(">8f", head, 76, 1, 1, 1, 1, 0, 0, 0, 0)
    struct.pack_into(">f", head, 108, 352)
    head[344:348] = b"n+1\0"
    (tmp_path / "big.nii").write_bytes(bytes(head) + bytes(range(24)))
    assert read_volume(tmp_path / "big.nii").array.tolist() == np.arange(24).reshape(2, 3, 4).tolist()


@pytest.mark.parametrize("missing", [1, 48, 52])
def test_a_file_cut_short_is_refused_with_its_lengths(tmp_path: Path, whole: bytes, missing: int) -> None:
    assert SimpleITK.ReadImage(_written(tmp_path / "itk.nii", whole[:-missing])).GetSize() == (4, 3, 2)  # no error there
    assert f"cut short ({48 - missing if missing < 48 else 0} of 48 bytes" in _message(tmp_path, whole[:-missing])


@pytest.mark.parametrize("missing", [1, 4, 8, 30])
def test_a_packed_file_cut_short_is_refused(tmp_path: Path, whole: bytes, missing: int) -> None:
    assert "cut short or damaged" in _message(tmp_path, gzip.compress(whole)[:-missing], "case.nii.gz")


def test_a_packed_file_whose_content_was_cut_short_before_is_refused(tmp_path: Path, whole: bytes) -> None:
    assert "cut short (38 of 48 bytes" in _message(tmp_path, gzip.compress(whole[:390]), "case.nii.gz")


def test_a_packed_file_with_a_wrong_checksum_is_refused(tmp_path: Path, whole: bytes) -> None:
    packed = bytearray(gzip.compress(whole))
    packed[-5] ^= 0xFF
    assert "damaged (CRC check failed" in _message(tmp_path, bytes(packed), "case.nii.gz")


@pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan"), float("inf")])
def test_a_spacing_that_is_not_above_zero_is_refused_with_its_value(tmp_path: Path, whole: bytes, spacing: float) -> None:
    message = _message(tmp_path, _changed(whole, "f", _PIXDIM_X, spacing))
    assert f"has the spacing ({spacing}, 2.0, 3.0) mm, but all three must be greater than 0" in message


@pytest.mark.parametrize("codes", [(0, 1), (1, 1)], ids=["without qform", "with a good qform"])
@pytest.mark.parametrize("first_row", [(0, 0, 0, 0), (-1, -2, 0, 0), (float("nan"), 0, 0, 0)], ids=["singular", "sheared", "nan"])
def test_a_direction_that_is_not_orthonormal_is_refused(tmp_path: Path, whole: bytes, codes: tuple[int, int], first_row: tuple[float, ...]) -> None:
    changed = _changed(_changed(whole, "2h", _CODES, *codes), "4f", _SROW_X, *first_row)
    assert "direction matrix (sform) that is singular or not orthonormal" in _message(tmp_path, changed)


def test_a_sheared_sform_of_an_atlas_is_passed_over_as_the_qform_places_the_patient(tmp_path: Path, whole: bytes) -> None:
    atlas = _changed(_changed(whole, "2h", _CODES, 1, 4), "4f", _SROW_X, -1, -0.5, 0, 0)
    assert read_volume(_written(tmp_path / "atlas.nii", atlas)).spacing_mm == (1.0, 2.0, 3.0)


def test_a_size_of_zero_is_refused(tmp_path: Path, whole: bytes) -> None:
    assert "has the size (4, 0, 2), so it holds no voxels" in _message(tmp_path, _changed(whole, "h", 44, 0))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("packed", [False, True])
def test_voxels_that_are_no_numbers_are_counted(tmp_path: Path, kind: type, packed: bool) -> None:
    array = np.zeros((5, 300, 300), kind)  # more than one chunk
    array[0, 0, 0] = array[4, 299, 299] = np.nan
    array[2, 7, 7] = -np.inf
    path = tmp_path / ("a.nii.gz" if packed else "a.nii")
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(array), str(path))
    assert np.isfinite(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))).all()  # SimpleITK hides them
    with pytest.raises(InputError, match="has 3 voxels that are NaN or infinite"):
        check_nifti(path)


def test_bytes_after_the_voxels_do_not_count(tmp_path: Path, whole: bytes) -> None:
    floats = _changed(_changed(whole, "2h", 70, 16, 32), "h", 46, 1)  # 4x3x1 voxels of 4 bytes
    floats = floats[:352] + np.ones(12, np.float32).tobytes() + np.full(4, np.nan, np.float32).tobytes()
    check_nifti(Path(_written(tmp_path / "a.nii", floats)))


def test_what_is_not_nifti_is_refused(tmp_path: Path) -> None:
    assert "is not a NIfTI image" in _message(tmp_path, b"hello world\n" * 50)
    assert "is not a NIfTI image" in _message(tmp_path, b"", "empty.nii.gz")


def _written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)
