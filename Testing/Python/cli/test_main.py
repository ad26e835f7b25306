"""The frame around every command: one line for an error, exit codes, and starting fast."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

from BrainTumorSegLib import __version__
from BrainTumorSegLib.cli import main as program
from BrainTumorSegLib.cli import models
from BrainTumorSegLib.errors import Cancelled, InputError, ModelError


def _run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "BrainTumorSegLib", *words], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "no command is given; choose one of demo, models"),
        (("segmnt",), "there is no command 'segmnt'; choose one of demo, models"),
        (("--verbose",), "unrecognized arguments: --verbose; see braintumorseg --help"),
        (("segment", "--t1ce", "a.nii.gz"), "the following arguments are required: -o/--output; see braintumorseg segment --help"),
        (("segment", "--out", "a", "-o", "b"), "unrecognized arguments: --out a"),
        (("segment", "-o", "a.nii", "--threads", "0"), "argument --threads: '0' is no whole number from 1 on"),
        (("segment", "-o", "a.nii", "--planes", "some"), "invalid choice: 'some'"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("braintumorseg: error: ") and message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("bad\nfile"), 2, "error: bad file\n"),
        (ModelError("bad model"), 2, "error: bad model\n"),
        (Cancelled("stopped"), 130, "interrupted, nothing half-written\n"),
        (KeyboardInterrupt(), 130, "interrupted, nothing half-written\n"),
        (MemoryError(), 2, "error: this computer's memory does not suffice"),
        (ModuleNotFoundError("No module named 'torch'", name="torch"), 2, "error: models needs torch, which is not installed"),
    ],
)
def test_every_error_of_a_command_is_a_line_and_a_code(
    error: BaseException, code: int, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise error

    monkeypatch.setattr(models, "run", fail)
    assert program.main(["models"]) == code
    assert message in capsys.readouterr().err


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--version"]) == 0
    assert capsys.readouterr().out == f"braintumorseg {__version__}\n"


def test_help_lists_every_command_and_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in program.COMMANDS)
    for name in ("demo", "models", "segment", "evaluate"):
        assert program.main([name, "--help"]) == 0
        assert f"usage: braintumorseg {name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["demo", "models", "segment", "evaluate"])
def test_a_command_says_the_same_as_the_table(name: str) -> None:
    import importlib

    command: ModuleType = importlib.import_module(f"BrainTumorSegLib.cli.{name}")
    assert [name, program.COMMANDS[name]] == [command.NAME, command.HELP]


def test_starting_loads_no_heavy_library_and_no_other_command() -> None:
    code = (
        "import sys\n"
        "from BrainTumorSegLib.cli.main import main\n"
        "main(['--version'])\n"
        "heavy = {'numpy', 'scipy', 'SimpleITK', 'PIL', 'onnxruntime', 'torch'} & set(sys.modules)\n"
        "print(sorted(heavy), [name for name in sys.modules if name == 'BrainTumorSegLib.cli.segment'])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[] []"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    code = (
        "import os, sys\n"
        "read, write = os.pipe()\n"
        "os.dup2(write, 1)\n"
        "os.close(read); os.close(write)\n"  # nobody listens
        "from BrainTumorSegLib.cli.main import main\n"
        "sys.exit(main(['--version']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_module_is_the_program() -> None:
    done = _run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"braintumorseg {__version__}\n", "")
    done = _run("evaluate", "--prediction", "missing.nii", "--reference", "missing.nii")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("braintumorseg: error: ") and done.stderr.count("\n") == 1
