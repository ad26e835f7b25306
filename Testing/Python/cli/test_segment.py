"""`segment`, from files to files, with a network that marks what is bright."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from PIL import Image

from BrainTumorSegLib.cli import segment
from BrainTumorSegLib.cli.main import main
from BrainTumorSegLib.io.images import read_label_volume, read_volume, write_volume
from BrainTumorSegLib.volume import Volume
from Testing.Python.tiny import THRESHOLD_TAPS, model_row, write_models, write_network

Capture = pytest.CaptureFixture[str]


def _refused(capsys: Capture, folder: Path, *words: object) -> str:
    """The one line of an error, after seeing that no file has come or gone."""
    before = sorted(folder.rglob("*"))
    assert main(["segment", *map(str, words)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("braintumorseg: error: ") and err.count("\n") == 1
    assert sorted(folder.rglob("*")) == before
    return err


def test_the_tumor_is_written_on_the_grid_of_the_input(resources: Path, head: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out.nii.gz"
    assert main(["segment", "--t1ce", str(head), "-o", str(out), "--json"]) == 0
    stdout, stderr = capsys.readouterr()
    document = json.loads(stdout)
    image, labels = read_volume(head), read_label_volume(out)
    assert labels.same_grid(image)
    found, true = labels.array > 0, image.array == 300
    assert 2 * np.count_nonzero(found & true) / (found.sum() + true.sum()) > 0.9  # slices are resampled on the way
    voxels = int(found.sum())
    assert document["voxels"] == {"1": voxels}
    assert document["volumes_ml"]["tumor"] == pytest.approx(voxels * 0.064)  # voxels of 4 mm
    assert (document["model"], document["found"], document["inputs"], document["ignored"], document["unsupported"]) == ("bright", True, ["t1ce"], [], [])
    seconds = document["seconds"]
    assert set(seconds) == {"load", "preprocess", "inference", "postprocess", "total"}
    assert seconds["load"] > 0
    assert seconds["total"] == pytest.approx(sum(seconds.values()) - seconds["total"], abs=0.005)
    assert stderr.startswith("note: bright is for research only and no medical device; license of its weights: CC0-1.0. Made for tests.")


@pytest.mark.parametrize(
    ("words", "early_exit", "mirrored"),
    [([], None, False), (["--every-slice"], False, False), (["--quality", "thorough"], False, True), (["--quality", "standard"], None, False)],
)
def test_every_slice_and_mirrored_ones_are_run_when_asked_for(words: list[str], early_exit: bool | None, mirrored: bool) -> None:
    parser = argparse.ArgumentParser()
    segment.add_arguments(parser)
    options = segment.options_of(parser.parse_args(["-o", "out.nii.gz", *words]))
    assert (options.early_exit, options.mirrored) == (early_exit, mirrored)


def test_the_text_names_model_volume_and_file(resources: Path, head: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["segment", "--t1ce", str(head), "-o", str(tmp_path / "out.seg.nrrd")]) == 0
    text = capsys.readouterr().out
    assert "model    bright (fp32, sha256 " in text
    voxels = int(read_label_volume(tmp_path / "out.seg.nrrd").array.sum())
    assert f"Tumor: {voxels * 0.064:.2f} mL ({voxels} voxels)" in text
    assert f"written  {tmp_path / 'out.seg.nrrd'}" in text
    assert SimpleITK.ReadImage(str(tmp_path / "out.seg.nrrd")).GetMetaData("Segment0_ID") == "tumor"


def test_no_tumor_is_a_result(resources: Path, head: Path, tmp_path: Path, capsys: Capture) -> None:
    healthy = read_volume(head)
    write_volume(healthy.like(np.minimum(healthy.array, 100)), tmp_path / "healthy.nrrd")
    words = ["segment", "--t1ce", str(tmp_path / "healthy.nrrd"), "-o", str(tmp_path / "out.nii")]
    assert main(words) == 0
    assert "no tumor found" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["found"], document["voxels"]) == (False, {"1": 0})
    assert read_label_volume(tmp_path / "out.nii").array.max() == 0


def test_sequences_that_the_model_does_not_read_are_named(resources: Path, head: Path, tmp_path: Path, capsys: Capture) -> None:
    assert main(["segment", "--t1ce", str(head), "--flair", str(head), "-o", str(tmp_path / "out.nii"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ignored"] == ["flair"]


def test_uncertainty_and_probabilities_are_written_on_request(resources: Path, head: Path, tmp_path: Path) -> None:
    words = ["--uncertainty", str(tmp_path / "u.nii.gz"), "--probabilities", str(tmp_path / "p.nrrd")]
    assert main(["segment", "--t1ce", str(head), "-o", str(tmp_path / "out.nii"), *words]) == 0
    uncertainty, probability = read_volume(tmp_path / "u.nii.gz"), read_volume(tmp_path / "p.nrrd")  # one label: no vector
    assert uncertainty.same_grid(read_volume(head)) and probability.same_grid(read_volume(head))
    assert uncertainty.array.min() >= 0 and uncertainty.array.max() <= 1
    assert probability.array[22, 24, 12] > 0.9 and probability.array[0, 0, 0] < 0.1


def test_the_brain_that_is_cut_out_is_written_on_request(resources: Path, head: Path, tmp_path: Path, capsys: Capture) -> None:
    """A network that takes all tissue for brain: 2.2 L, more than a brain has, so that a model trained without skull asks for it."""
    words = ["segment", "--t1ce", str(head), "-o", str(tmp_path / "out.nii"), "--brain", str(tmp_path / "brain.nii.gz")]
    assert main(words) == 0
    assert not (tmp_path / "brain.nii.gz").exists()
    assert f"note: no brain was cut out, so {tmp_path / 'brain.nii.gz'} is not written" in capsys.readouterr().err
    folder = resources / "Models"
    row = model_row(write_network(folder / "brain.onnx", THRESHOLD_TAPS, edge=0.5), name="brain", inputs=["any"])
    models = {"format": 1, "models": [model_row(folder / "bright.onnx", name="bright", crop=True)], "brain": row}
    (folder / "models.json").write_text(json.dumps(models))
    assert main(words) == 0
    brain, image = read_label_volume(tmp_path / "brain.nii.gz"), read_volume(head)
    assert brain.same_grid(image) and set(np.unique(brain.array)) == {0, 1}
    tissue = image.array > 0
    assert 2 * np.count_nonzero(tissue & (brain.array > 0)) / (tissue.sum() + brain.array.sum()) > 0.99
    assert "more than a brain is seen in head.nii.gz" in capsys.readouterr().out


def test_planes_can_be_chosen(resources: Path, head: Path, tmp_path: Path, capsys: Capture) -> None:
    for choice, planes in (("auto", ["axial", "coronal", "sagittal"]), ("axial", ["axial"])):
        assert main(["segment", "--t1ce", str(head), "-o", str(tmp_path / "out.nii"), "--planes", choice, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["planes"] == planes


@pytest.mark.parametrize(
    ("words", "every_slice", "mirrored", "line"),
    [
        ([], False, False, "planes   axial, coronal, sagittal (some slices left out)"),
        (["--every-slice"], True, False, "planes   axial, coronal, sagittal (every slice)"),
        (["--quality", "thorough"], True, True, "planes   axial, coronal, sagittal (every slice, mirrored too)"),
        (["--planes", "axial"], True, False, "planes   axial (every slice)"),
    ],
)
def test_a_result_says_how_thoroughly_was_looked(
    resources: Path, head: Path, tmp_path: Path, capsys: Capture, words: list[str], every_slice: bool, mirrored: bool, line: str
) -> None:
    islands = {"min_island_mm3": 100.0, "max_hole_mm3": 0.0}  # 4.64 mm between two slices of 4 mm: every other one is looked at first
    write_models(resources / "Models", model_row(resources / "Models" / "bright.onnx", name="bright", postprocess=islands))
    command = ["segment", "--t1ce", str(head), "-o", str(tmp_path / "out.nii"), *words]
    assert main(command) == 0
    assert line in capsys.readouterr().out.splitlines()
    assert main([*command, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["every_slice"], document["mirrored"]) == (every_slice, mirrored)


# --- pictures ---


def _slices(folder: Path, sizes: dict[str, tuple[int, int]]) -> Path:
    """Gray discs of 100 with a bright square of 10x12 pixels of 250 in them, height and width by name."""
    folder.mkdir()
    for name, (height, width) in sizes.items():
        y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        plane = np.where(x**2 + y**2 < 0.8, 100, 0).astype(np.uint8)
        plane[height // 2 : height // 2 + 10, width // 2 : width // 2 + 12] = 250
        Image.fromarray(plane).save(folder / name)
    return folder


def test_a_picture_gives_a_mask_of_its_own_size(resources: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = _slices(tmp_path / "in", {"a.png": (150, 120)})
    assert main(["segment", "--t1ce", str(folder / "a.png"), "-o", str(tmp_path / "mask.png"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    mask = np.asarray(Image.open(tmp_path / "mask.png"))
    assert mask.shape == (150, 120)
    assert np.abs(int(mask.sum()) - 120) <= 12 and document["voxels"] == {"1": int(mask.sum())}
    assert document["volumes_ml"] is None


def test_a_folder_of_pictures_gives_a_folder_of_masks(resources: Path, tmp_path: Path, capsys: Capture) -> None:
    sizes = {"s2.png": (150, 120), "s10.jpg": (96, 96)}
    folder = _slices(tmp_path / "in", sizes)
    assert main(["segment", "--t1ce", str(folder), "-o", str(tmp_path / "out"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["s10.png", "s2.png"]
    assert Image.open(tmp_path / "out" / "s10.png").size == (96, 96)
    assert [picture["picture"] for picture in document["pictures"]] == ["s2.png", "s10.jpg"]
    assert document["voxels"]["1"] == sum(picture["voxels"]["1"] for picture in document["pictures"]) > 0
    assert document["volumes_ml"] is None and document["found"] is True
    assert main(["segment", "--t1ce", str(folder), "-o", str(tmp_path / "out")]) == 0  # over the old masks
    assert "tumor in 2 of 2 pictures" in capsys.readouterr().out


def test_a_bad_picture_in_a_folder_leaves_no_folder(resources: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = _slices(tmp_path / "in", {"s1.png": (96, 96)})
    (folder / "s2.png").write_text("hello")
    assert "s2.png cannot be read as a picture" in _refused(capsys, tmp_path, "--t1ce", folder, "-o", tmp_path / "out")


def test_blank_slices_of_a_stack_have_empty_masks_but_a_blank_stack_is_refused(resources: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = _slices(tmp_path / "in", {"s2.png": (96, 96)})
    Image.fromarray(np.zeros((90, 80), np.uint8)).save(folder / "s1.png")
    assert main(["segment", "--t1ce", str(folder), "-o", str(tmp_path / "out"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [picture["found"] for picture in document["pictures"]] == [False, True]
    assert document["warnings"] == ["s1.png is constant, so its mask is empty"]
    assert document["voxels"] == document["pictures"][1]["voxels"]
    mask = np.asarray(Image.open(tmp_path / "out" / "s1.png"))
    assert mask.shape == (90, 80)
    assert mask.max() == 0
    (folder / "s2.png").unlink()
    assert "all 1 pictures are constant" in _refused(capsys, tmp_path, "--t1ce", folder, "-o", tmp_path / "out2")


def test_folders_that_do_not_fit_together_are_refused(resources: Path, head: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "file").write_text("")
    one, two = _slices(tmp_path / "one", {"a.png": (9, 9)}), _slices(tmp_path / "two", {"b.png": (9, 9)})
    assert "hold different pictures (for instance a)" in _refused(capsys, tmp_path, "--t1ce", one, "--flair", two, "-o", tmp_path / "out")
    assert "is a folder, but other inputs are files" in _refused(capsys, tmp_path, "--t1ce", one, "--flair", head, "-o", tmp_path / "out")
    assert "is also the input --t1ce" in _refused(capsys, tmp_path, "--t1ce", one, "-o", one)
    assert "is for volumes" in _refused(capsys, tmp_path, "--t1ce", one, "-o", tmp_path / "out", "--uncertainty", tmp_path / "u.nii")
    assert "names a file, but a folder of pictures gives" in _refused(capsys, tmp_path, "--t1ce", one, "-o", tmp_path / "out.png")
    assert "is a file, but a folder is needed" in _refused(capsys, tmp_path, "--t1ce", one, "-o", tmp_path / "file")


# --- bad input ---


def test_bad_volumes_are_one_line_and_leave_no_file(resources: Path, head: Path, tmp_path: Path, capsys: Capture) -> None:
    good = read_volume(head)
    array = good.array.astype(np.float32)
    array[:2, 0, 0] = np.nan
    array[5, 5, 5] = np.inf
    write_volume(good.like(array), tmp_path / "nan.nii.gz")
    write_volume(good.like(np.full_like(good.array, 7)), tmp_path / "constant.nii.gz")
    write_volume(Volume(np.zeros((1, 1, 2), np.uint8)), tmp_path / "tiny.nii.gz")
    (tmp_path / "short.nii.gz").write_bytes(head.read_bytes()[:-100])
    (tmp_path / "text.nii.gz").write_text("hello")
    SimpleITK.WriteImage(SimpleITK.JoinSeries([SimpleITK.ReadImage(str(head))] * 2), str(tmp_path / "4d.nii.gz"))
    expected = {
        "missing.nii.gz": "does not exist",
        "text.nii.gz": "is not a NIfTI image",
        "short.nii.gz": "cut short or damaged",
        "4d.nii.gz": "has 4 dimensions",
        "nan.nii.gz": "has 3 voxels that are NaN or infinite",
        "constant.nii.gz": "is constant",
        "tiny.nii.gz": "is constant",
    }
    for name, message in expected.items():
        assert message in _refused(capsys, tmp_path, "--t1ce", tmp_path / name, "-o", tmp_path / "out.nii.gz"), name


def test_bad_outputs_are_refused_before_the_work(resources: Path, head: Path, tmp_path: Path, capsys: Capture) -> None:
    def refused(*words: object) -> str:
        return _refused(capsys, tmp_path, "--t1ce", head, *words)

    assert "names no known file format" in refused("-o", tmp_path / "out.txt")
    assert "its folder does not exist" in refused("-o", tmp_path / "no" / "out.nii.gz")
    assert "is also the input --t1ce" in refused("-o", head)
    assert "is also --output" in refused("-o", tmp_path / "out.nii", "--uncertainty", tmp_path / "out.nii")
    assert "which holds no fractions" in refused("-o", tmp_path / "out.nii", "--uncertainty", tmp_path / "u.png")
    assert "which holds no volumes" in refused("-o", tmp_path / "out.nii", "--brain", tmp_path / "b.png")
    assert "the input is a volume, but" in refused("-o", tmp_path / "out.png")
    assert "the input is a picture, but" in _refused(
        capsys, tmp_path, "--t1ce", _slices(tmp_path / "in", {"a.png": (99, 99)}) / "a.png", "-o", tmp_path / "out.nii"
    )


def test_no_input_and_no_fitting_model_are_refused(resources: Path, head: Path, tmp_path: Path, capsys: Capture) -> None:
    assert "no input is given" in _refused(capsys, tmp_path, "-o", tmp_path / "out.nii")
    assert "no model reads flair alone" in _refused(capsys, tmp_path, "--flair", head, "-o", tmp_path / "out.nii")
    assert "there is no model 'x'" in _refused(capsys, tmp_path, "--t1ce", head, "--model", "x", "-o", tmp_path / "out.nii")


def test_what_ran_is_reported_and_a_provider_that_is_not_there_is_refused(resources: Path, head: Path, tmp_path: Path, capsys: Capture) -> None:
    pictures = _slices(tmp_path / "in", {"a.png": (200, 99)})
    for source, out in ((head, "out.nii"), (pictures, "out")):
        assert main(["segment", "--t1ce", str(source), "-o", str(tmp_path / out), "--provider", "cpu", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["provider"] == "cpu"
    missing = _refused(capsys, tmp_path, "--t1ce", head, "-o", tmp_path / "two.nii", "--provider", "directml")
    assert "the provider directml is not in the installed onnxruntime" in missing
    assert "provider is 'tpu'" in _refused(capsys, tmp_path, "--t1ce", pictures, "-o", tmp_path / "two", "--provider", "tpu")


def test_an_altered_model_is_refused(resources: Path, head: Path, tmp_path: Path, capsys: Capture) -> None:
    with (resources / "Models" / "bright.onnx").open("ab") as stream:
        stream.write(b"x")
    assert "sha256" in _refused(capsys, tmp_path, "--t1ce", head, "-o", tmp_path / "out.nii")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file size are a thing of Unix")
def test_a_disk_that_fills_leaves_no_file(resources: Path, head: Path, tmp_path: Path) -> None:
    words = ["segment", "--t1ce", str(head), "-o", str(tmp_path / "out.nii"), "--uncertainty", str(tmp_path / "u.nii.gz")]
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))"
    code = f"{limit}\nfrom BrainTumorSegLib.cli.main import main\nsys.exit(main({words!r}))"
    before = sorted(tmp_path.rglob("*"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("braintumorseg: error: ") and "out.nii cannot be written" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
@pytest.mark.parametrize(("model", "kind"), [("slow", "volume"), ("bright", "folder")])
def test_ctrl_c_ends_the_run_and_leaves_nothing(resources: Path, head: Path, tmp_path: Path, model: str, kind: str) -> None:
    source, out = (head, "out.nii.gz") if kind == "volume" else (_slices(tmp_path / "in", {f"{i}.png": (200, 200) for i in range(300)}), "out")
    before = sorted(tmp_path.rglob("*"))
    words = [sys.executable, "-m", "BrainTumorSegLib", "segment", "--t1ce", str(source), "--model", model, "-o", str(tmp_path / out)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stderr is not None
    assert process.stderr.readline().startswith("note:")  # the network is about to run
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait(timeout=30) == 130, rest
    assert rest.splitlines()[-1] == "braintumorseg: interrupted, nothing half-written"
    assert sorted(tmp_path.rglob("*")) == before


def test_the_same_input_gives_the_same_file(resources: Path, head: Path, tmp_path: Path) -> None:
    for name in ("one.nii", "two.nii"):
        assert main(["segment", "--t1ce", str(head), "-o", str(tmp_path / name), "--threads", "1"]) == 0
    assert (tmp_path / "one.nii").read_bytes() == (tmp_path / "two.nii").read_bytes()
