"""The arrows of the house: who may import whom, and what the door must not drag in."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "BrainTumorSegLib"
MODULE = Path(__file__).parents[2] / "BrainTumorSeg"

FLOOR = {
    "errors": -1, "labels": 0, "volume": 0, "progress": 0, "resources": 0,
    "io": 1, "preprocess": 1, "metrics": 1, "pictures": 1, "terminology": 1,
    "inference": 2,
    "pipeline": 3, "evaluation": 3, "evaluation_files": 3,
    "cohort": 4,
    "api": 5,
    "cli": 6, "__main__": 7,
}  # fmt: skip
SAME_FLOOR = {("evaluation_files", "evaluation"), ("pictures", "io")}
"""Neighbors that may know each other: the table of files uses the table of one case; pictures are written as files are."""
CLI_EXTRA = {"export": {"export"}, "train": {"training"}, "benchmark": {"bench"}}
"""The workshop, each room inside its own command only."""
WORKSHOP = {
    "networks": {"networks", "errors"},
    "data": {"data", "io", "preprocess", "errors", "labels", "volume"},
    "training": {"training", "data", "networks", "metrics", "errors"},
    "export": {"export", "training", "data", "networks", "inference", "metrics", "labels", "errors"},
    "bench": {"bench", "export", "training", "data", "networks", "pipeline", "inference", "io", "preprocess", "errors", "resources", "volume"},
}
HEAVY = ("torch", "monai", "onnxruntime", "onnx", "scipy", "SimpleITK", "PIL", "matplotlib", "vtk", "slicer", "qt", "ctk")
SLOW = ("hashlib", "secrets", "tempfile", "zipfile")
"""Of Python's own: the first brings OpenSSL, the others what is seldom used; together they took as long as half of our own rooms."""


def imports(path: Path) -> list[tuple[str, bool]]:
    """(module, at file scope and at run time) of every import statement."""
    tree = ast.parse(path.read_text())
    found = []
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} has a relative import; name the whole path"
            names = [f"{node.module}.{alias.name}" if node.module == "BrainTumorSegLib" else str(node.module) for alias in node.names]
        found += [(name, node in tree.body) for name in names]
    return found


def room_of(path: Path) -> str:
    part = path.relative_to(LIBRARY).parts[0]
    return part.removesuffix(".py")


def ours(path: Path) -> set[str]:
    return {name.split(".")[1] for name, _ in imports(path) if name.startswith("BrainTumorSegLib.")}


FILES = sorted(path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py" or path.parent != LIBRARY)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_arrows_only_go_down(path):
    room = room_of(path)
    known = ours(path) - {room, "__version__"}
    if room in WORKSHOP:
        assert known <= WORKSHOP[room]
        return
    if room == "cli":
        assert known <= {"api", "labels", "errors", "progress"} | CLI_EXTRA.get(path.stem, set())
        return
    for other in known:
        assert other in FLOOR, f"{room} imports {other}, which stands on no floor it may see"
        assert FLOOR[other] < FLOOR[room] or (room, other) in SAME_FLOOR, f"{room} (floor {FLOOR[room]}) imports {other} (floor {FLOOR[other]})"


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p) not in WORKSHOP], ids=lambda path: str(path.relative_to(LIBRARY)))
def test_nothing_heavy_or_slow_is_imported_at_file_scope_outside_the_workshop(path):
    tree = ast.parse(path.read_text())
    for name, at_file_scope in imports(path):
        if at_file_scope:
            assert name.split(".")[0] not in (*HEAVY, *SLOW), f"{path.name} imports {name} at file scope"
    assert tree is not None


def test_metrics_know_nothing_of_ours():
    for path in (LIBRARY / "metrics").glob("*.py"):
        assert ours(path) <= {"metrics"}, path.name


def test_the_module_knows_only_the_door_and_the_labels():
    for path in MODULE.rglob("*.py"):
        assert ours(path) <= {"api", "labels", "__version__"}, path.name


def test_importing_the_door_brings_nothing_heavy():
    code = f"import sys, BrainTumorSegLib.api; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=LIBRARY.parent, check=True)
    assert done.stdout.strip() == "[]"


def test_inference_never_reaches_the_workshop():
    code = (
        "import sys, pkgutil, importlib, BrainTumorSegLib.inference as room;"
        "[importlib.import_module(f'BrainTumorSegLib.inference.{m.name}') for m in pkgutil.iter_modules(room.__path__)];"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('torch', 'monai')"
        " or m.startswith(('BrainTumorSegLib.networks', 'BrainTumorSegLib.training', 'BrainTumorSegLib.data'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=LIBRARY.parent, check=True)
    assert done.stdout.strip() == "[]"
