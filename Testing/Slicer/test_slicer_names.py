"""Every name of Slicer, Qt and CTK that the module uses stands in a reviewed table, with the page that documents it."""

import ast
from pathlib import Path

import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import host
import slicer
import slicer.util

TABLE = Path(__file__).with_name("slicer_names.txt")
ROOTS = {"slicer", "qt", "ctk"}


def reviewed():
    """The names of the table, each with where it is documented."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split(maxsplit=1) for line in lines)


def dotted(node):
    """ "slicer.modules.terminologies.logic().LoadTerminologyFromFile" of an expression, "" if it begins elsewhere."""
    if isinstance(node, ast.Name):
        return node.id if node.id in ROOTS else ""
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    if isinstance(node, ast.Call):
        called = dotted(node.func)
        return f"{called}()" if called else ""
    return ""


def used_in(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.partition(".")[0] in ROOTS:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if alias.name.partition(".")[0] in ROOTS and "." in alias.name}
        elif isinstance(node, ast.Attribute) and dotted(node):
            names.add(dotted(node))
    # Of a chain only the whole: slicer.modules is not listed beside slicer.modules.terminologies.
    return {name for name in names if not any(other.startswith((f"{name}.", f"{name}().")) for other in names)}


def used():
    return set().union(*(used_in(path) for path in host.MODULE_FILE.parent.rglob("*.py")))


def test_every_name_is_in_the_table_and_every_entry_is_used():
    assert sorted(used()) == sorted(reviewed())


def test_every_entry_says_where_the_name_is_documented():
    assert [name for name, where in reviewed().items() if not where.startswith("https://")] == []


@pytest.mark.parametrize("name", sorted(name for name in reviewed() if name.startswith(("slicer.vtk", "slicer.util."))))
def test_a_name_of_slicer_core_really_exists(name):
    owner = slicer
    for part in name.partition("()")[0].split(".")[1:]:
        owner = getattr(owner, part)
