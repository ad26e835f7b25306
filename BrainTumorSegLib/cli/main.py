"""The command `braintumorseg`: finds the command, runs it, and turns every error into one line and an exit code.

Exit codes: 0 done, 2 bad input or usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from BrainTumorSegLib import __version__
from BrainTumorSegLib.cli import worker
from BrainTumorSegLib.errors import BrainTumorSegError, Cancelled, InputError

PROGRAM = "braintumorseg"
COMMANDS = {
    "demo": "segment the embedded head phantom, score the result and draw it",
    "models": "list the models on this machine",
    "segment": "segment brain tumors in a volume, a picture or a folder of pictures",
    "evaluate": "score segmentations against references (Dice, IoU, HD95)",
    "train": "train a network by one of the recipes",
    "export": "make the files of a model (ONNX, int8) from a training run",
    "benchmark": "time the models in fp32 and int8 on this machine",
}
"""Name and help of each command. The module `cli/NAME.py` has HELP, add_arguments and run, and is imported only when NAME runs."""

DONE, BAD_INPUT, INTERRUPTED = 0, 2, 130


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose usage errors are one line like every other error, and which takes no shortened options."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(prog=prog, description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; `argv` defaults to that of the process."""
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
        return code
    except (KeyboardInterrupt, Cancelled):
        return _interrupted()
    except BrokenPipeError:  # the reader has seen enough, as in `braintumorseg models | head -1`
        _forget_stdout()
        return DONE
    except BrainTumorSegError as error:
        return _failed(str(error))
    except MemoryError:
        return _failed("this computer's memory does not suffice; crop or resample the volume, or close other programs")
    except OSError as error:
        _forget_stdout()
        return _failed(f"the system reports '{error.strerror or error}'{f' for {error.filename}' if error.filename else ''}; correct this and try again")


def _run(words: list[str]) -> int:
    if words and words[0] in COMMANDS:
        return _run_command(words[0], words[1:])
    parser = Parser(PROGRAM, "Segment brain tumors in MRI. Research only, not a medical device.")
    parser.usage = f"{PROGRAM} [--version] COMMAND ..."
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    lines = [f"  {name:<10} {text}" for name, text in COMMANDS.items()]
    parser.epilog = "\n".join(["commands:", *lines, "", f"{PROGRAM} COMMAND --help says more about a command."])
    parser.add_argument("--version", action="store_true", help="print the version and leave")
    if words and not words[0].startswith("-"):
        raise InputError(f"there is no command {words[0]!r}; choose one of {', '.join(COMMANDS)}")
    try:
        arguments = parser.parse_args(words)
    except SystemExit:  # argparse leaves this way after --help
        return DONE
    if not arguments.version:
        raise InputError(f"no command is given; choose one of {', '.join(COMMANDS)}")
    print(PROGRAM, __version__)
    return DONE


def _run_command(name: str, words: list[str]) -> int:
    try:
        command = importlib.import_module(f"BrainTumorSegLib.cli.{name}")
        parser = Parser(f"{PROGRAM} {name}", command.__doc__ or COMMANDS[name])
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        command.add_arguments(parser)
        return int(command.run(parser.parse_args(words)))
    except SystemExit:  # argparse leaves this way after --help
        return DONE
    except ModuleNotFoundError as error:
        extra = "braintumorseg[train]" if name in ("train", "export") else "braintumorseg"
        raise InputError(f"{name} needs {error.name}, which is not installed; install it, for instance with: pip install '{extra}'") from error


def _failed(text: str) -> int:
    print(f"{PROGRAM}: error: {' '.join(text.split())}", file=sys.stderr)
    return BAD_INPUT


def _interrupted() -> int:
    print(f"{PROGRAM}: interrupted, nothing half-written", file=sys.stderr)
    if worker.still_running():  # it writes no files, and must not keep the process
        _forget_stdout()
        os._exit(INTERRUPTED)
    return INTERRUPTED


def _forget_stdout() -> None:
    """So that Python does not stumble over the closed pipe once more when it ends."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return
