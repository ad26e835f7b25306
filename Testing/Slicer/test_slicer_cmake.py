"""What CMake builds is what lies in the folder; needs neither Slicer nor CMake."""

import re
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE_FOLDER = ROOT / "BrainTumorSeg"


def listed(name):
    """The entries of a list in the module's CMakeLists.txt."""
    text = (MODULE_FOLDER / "CMakeLists.txt").read_text(encoding="utf-8")
    entries = re.search(rf"set\({name}\n(.*?)\n\s*\)", text, re.DOTALL).group(1).split()
    return {entry.replace("${MODULE_NAME}", "BrainTumorSeg") for entry in entries}


def present(*patterns):
    return {path.relative_to(MODULE_FOLDER).as_posix() for pattern in patterns for path in MODULE_FOLDER.rglob(pattern)}


def test_every_python_file_of_the_module_is_built():
    assert listed("MODULE_PYTHON_SCRIPTS") == present("*.py")


def test_every_resource_of_the_module_is_built():
    assert listed("MODULE_PYTHON_RESOURCES") == present("Resources/*/*", "Resources/*.txt")


def test_nothing_but_the_module_lies_where_slicer_looks_for_modules():
    assert [path.name for path in MODULE_FOLDER.glob("*.py")] == ["BrainTumorSeg.py"]


def test_the_project_has_the_name_of_its_catalog_entry():
    assert "project(BrainTumorSeg)" in (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")


def test_the_icon_is_a_png_of_128_by_128_pixels():
    data = (MODULE_FOLDER / "Resources" / "Icons" / "BrainTumorSeg.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (128, 128)


def test_the_workshop_is_not_built_into_slicer():
    text = (MODULE_FOLDER / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "(networks|data|training|export|bench)" in text
