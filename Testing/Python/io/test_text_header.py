"""What SimpleITK passes over in NRRD and MetaImage files."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.text_header import check_meta_image, check_nrrd


def _good(folder: Path, suffix: str, packed: bool = False) -> bytes:
    """24 voxels of 2 bytes: 48 bytes."""
    image = SimpleITK.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    image.SetSpacing((1.0, 2.0, 3.0))
    SimpleITK.WriteImage(image, str(folder / f"good{suffix}"), useCompression=packed)
    return (folder / f"good{suffix}").read_bytes()


def _replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    assert content.count(old) == 1
    return content.replace(old, new)


def _with_spacings(content: bytes, words: bytes) -> bytes:
    """NRRD has spacings only where it has no space directions."""
    content = re.sub(rb"space(| origin):[^\n]*\n", b"", content)
    return re.sub(rb"space directions:[^\n]*", b"spacings: " + words, content)


def _check(path: Path) -> None:
    (check_nrrd if path.suffix in (".nrrd", ".nhdr") else check_meta_image)(path)


def _message(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        _check(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr", ".mha", ".mhd"])
@pytest.mark.parametrize("packed", [False, True])
def test_good_files_pass(tmp_path: Path, suffix: str, packed: bool) -> None:
    _good(tmp_path, suffix, packed)
    _check(tmp_path / f"good{suffix}")


@pytest.mark.parametrize("spacing", [b"0", b"-1", b"nan", b"inf", b"x"])
def test_a_spacing_that_is_not_above_zero_is_refused(tmp_path: Path, spacing: bytes) -> None:
    words = spacing + b" 2 3"
    expected = f"has the spacing {words.decode()} mm, but all three must be greater than 0"
    assert expected in _message(tmp_path / "a.mha", _replaced(_good(tmp_path, ".mha"), b"ElementSpacing = 1 2 3", b"ElementSpacing = " + words))
    assert expected in _message(tmp_path / "a.nrrd", _with_spacings(_good(tmp_path, ".nrrd"), words))


def test_a_meta_image_cut_short_is_refused_with_its_lengths(tmp_path: Path) -> None:
    assert "a.mha is cut short (47 of 48 bytes of voxels)" in _message(tmp_path / "a.mha", _good(tmp_path, ".mha")[:-1])


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
def test_a_packed_file_cut_short_is_refused(tmp_path: Path, suffix: str) -> None:
    assert "is cut short or damaged, so voxels are missing" in _message(tmp_path / f"a{suffix}", _good(tmp_path, suffix, packed=True)[:-1])


@pytest.mark.parametrize(("suffix", "byte"), [(".nrrd", -6), (".mha", -2)])  # in gzip's and in zlib's checksum
def test_a_packed_file_with_a_wrong_checksum_is_refused(tmp_path: Path, suffix: str, byte: int) -> None:
    content = bytearray(_good(tmp_path, suffix, packed=True))
    content[byte] ^= 0xFF
    assert "is damaged" in _message(tmp_path / f"a{suffix}", bytes(content))


def test_a_meta_image_without_voxels_is_refused(tmp_path: Path) -> None:
    content = _replaced(_good(tmp_path, ".mha"), b"DimSize = 4 3 2", b"DimSize = 0 3 2")
    assert "has the size (0, 3, 2), so it holds no voxels" in _message(tmp_path / "a.mha", content)


def test_a_missing_file_of_voxels_is_named(tmp_path: Path) -> None:
    content = _good(tmp_path, ".mhd")
    data = next(path for path in tmp_path.iterdir() if path.suffix in (".raw", ".zraw"))
    data.unlink()
    assert f"its voxels are in {data.name}, but there is no such file beside it" in _message(tmp_path / "good.mhd", content)


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha"])
def test_text_is_no_image(tmp_path: Path, name: str) -> None:
    assert "is not a" in _message(tmp_path / name, b"hello world\n")
