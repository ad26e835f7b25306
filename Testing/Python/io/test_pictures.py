"""PNG and JPEG slices, and PNG masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.io.pictures import list_pictures, read_picture, read_picture_labels, write_mask

_GRAY = np.array([[0, 10, 20], [30, 40, 255]], np.uint8)


def _save(picture: np.ndarray, path: Path, mode: str | None = None, **options: object) -> Path:
    image = Image.fromarray(picture)
    (image.convert(mode) if mode else image).save(path, **options)  # type: ignore[arg-type]
    return path


def test_a_gray_png_is_one_slice_without_millimeters(tmp_path: Path) -> None:
    volume = read_picture(_save(_GRAY, tmp_path / "a.png"))
    assert volume.array.shape == (1, 2, 3)
    assert volume.array[0].tolist() == _GRAY.tolist()
    assert not volume.has_millimeters
    assert volume.name == "a.png"


def test_sixteen_bits_are_kept(tmp_path: Path) -> None:
    volume = read_picture(_save(np.array([[0, 1000], [2, 65535]], np.uint16), tmp_path / "a.png"))
    assert volume.array.dtype == np.uint16
    assert volume.array[0].tolist() == [[0, 1000], [2, 65535]]


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "LA"])
def test_gray_saved_in_color_is_gray(tmp_path: Path, mode: str) -> None:
    assert read_picture(_save(_GRAY, tmp_path / "a.png", mode)).array[0].tolist() == _GRAY.tolist()


def test_a_gray_color_jpeg_is_accepted_though_its_channels_differ_a_little(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    gray = rng.integers(60, 200, (32, 32, 1)).astype(np.uint8)
    noisy = np.clip(np.repeat(gray, 3, axis=2) + rng.integers(-1, 2, (32, 32, 3)), 0, 255).astype(np.uint8)
    volume = read_picture(_save(noisy, tmp_path / "a.jpg", quality=95))
    assert np.abs(volume.array[0].astype(int) - gray[..., 0]).mean() < 12


def test_a_picture_in_color_is_refused(tmp_path: Path) -> None:
    color = np.zeros((4, 4, 3), np.uint8)
    color[..., 0] = 200
    with pytest.raises(InputError, match=r"a\.png is a color picture \(its channels differ by 200 gray levels on average\)"):
        read_picture(_save(color, tmp_path / "a.png"))


def test_exif_rotation_is_ignored_so_that_the_mask_fits_the_file(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees when shown
    assert read_picture(_save(_GRAY, tmp_path / "a.jpg", exif=exif)).array.shape == (1, 2, 3)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_picture_cut_short_is_refused(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64)).astype(np.uint8)
    path = _save(noise, tmp_path / f"a{suffix}")
    path.write_bytes(path.read_bytes()[:-1500])
    with pytest.raises(InputError, match="cannot be read as a picture"):
        read_picture(path)


def test_another_format_under_the_name_of_a_png_is_refused(tmp_path: Path) -> None:
    Image.fromarray(_GRAY).save(tmp_path / "a.png", format="BMP")
    with pytest.raises(InputError, match="it is no PNG or JPEG"):
        read_picture(tmp_path / "a.png")


def test_white_in_a_mask_is_label_one(tmp_path: Path) -> None:
    white = np.array([[0, 255], [255, 0]], np.uint8)
    for path in (_save(white, tmp_path / "a.png"), _save(white, tmp_path / "b.png", "1"), _save(white, tmp_path / "c.png", "RGB")):
        assert read_picture_labels(path).array[0].tolist() == [[0, 1], [1, 0]]


def test_label_values_in_a_mask_are_kept(tmp_path: Path) -> None:
    labels = np.array([[0, 1], [2, 4]], np.uint8)
    assert read_picture_labels(_save(labels, tmp_path / "a.png")).array[0].tolist() == labels.tolist()
    palette = Image.frombytes("P", (2, 2), labels.tobytes())
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    palette.save(tmp_path / "p.png")
    assert read_picture_labels(tmp_path / "p.png").array[0].tolist() == labels.tolist()


def test_a_jpeg_is_no_mask(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="whose compression changes label values; save the mask as PNG"):
        read_picture_labels(_save(_GRAY, tmp_path / "a.jpg"))


def test_a_mask_is_written_with_its_label_values(tmp_path: Path) -> None:
    write_mask(np.array([[[0, 1, 3]]]), tmp_path / "m.png")
    with Image.open(tmp_path / "m.png") as picture:
        assert picture.mode == "L" and picture.size == (3, 1)
        assert np.asarray(picture).tolist() == [[0, 1, 3]]


@pytest.mark.parametrize(
    ("labels", "message"), [(np.zeros((2, 2, 2)), "2 slices"), (np.full((1, 2, 2), 300), "from 300 to 300"), (np.full((2, 2), -1), "from -1")]
)
def test_what_does_not_fit_into_a_mask_is_refused(tmp_path: Path, labels: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        write_mask(labels, tmp_path / "m.png")
    assert list(tmp_path.iterdir()) == []


def test_slices_are_listed_in_the_order_that_people_count(tmp_path: Path) -> None:
    for name in ("s10.png", "s2.jpg", "S1.PNG", ".hidden.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "folder.png").mkdir()
    assert [path.name for path in list_pictures(tmp_path)] == ["S1.PNG", "s2.jpg", "s10.png"]


def test_folders_that_cannot_be_segmented_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no PNG or JPEG slices"):
        list_pictures(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        list_pictures(tmp_path / "missing")
    for name in ("a.png", "a.jpg"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=r"holds both a\.(png|jpg) and a\.(png|jpg), but each stem names one slice"):
        list_pictures(tmp_path)
