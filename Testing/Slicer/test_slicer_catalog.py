"""What the Extensions Index and its catalog read: the entry, the icon, the pictures; and the sample data that the module offers."""

import hashlib
import json
import re
import struct
import sys
import types
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ENTRY = ROOT / "BrainTumorSeg.json"
CMAKE = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
SCHEMA = "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0.1.json"
# The rules of that schema (required, additionalProperties: false, types), by hand.
REQUIRED = {"$schema", "category", "scm_url"}
ALLOWED = {
    **dict.fromkeys(("$schema", "category", "scm_url", "scm_revision", "scm_type", "build_subdirectory"), str),
    "build_dependencies": list,
    "enabled": bool,
    "tier": int,
}
TIERS = {1, 3, 5}
SYSTEMS = {"git", "local"}


def entry():
    return json.loads(ENTRY.read_text(encoding="utf-8"))


def cmake_value(name):
    return re.search(rf'set\({name} "([^"]*)"\)', CMAKE).group(1)


def in_repository(url):
    """The file of this repository that a raw GitHub URL points to."""
    prefix = cmake_value("EXTENSION_HOMEPAGE").replace("https://github.com/", "https://raw.githubusercontent.com/") + "/main/"
    assert url.startswith(prefix)
    return ROOT / url.removeprefix(prefix)


def size_of_png(path):
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


def test_the_entry_is_valid_against_the_schema_of_the_index():
    assert entry()["$schema"].partition("#")[0] == SCHEMA
    assert set(entry()) >= REQUIRED
    assert {name: type(value) for name, value in entry().items()} == {name: ALLOWED[name] for name in entry()}
    assert all(isinstance(name, str) for name in entry()["build_dependencies"])
    assert entry()["tier"] in TIERS
    assert entry().get("scm_type", "git") in SYSTEMS


def test_the_entry_has_unix_line_ends_and_the_name_of_the_project():
    assert b"\r" not in ENTRY.read_bytes()
    assert ENTRY.read_bytes().endswith(b"}\n")
    assert f"project({ENTRY.stem})" in CMAKE


def test_the_repository_is_reachable_as_the_index_wants_it():
    url = urllib.parse.urlsplit(entry()["scm_url"])
    assert url.scheme in {"git", "https"}
    assert "slicer" in Path(url.path).stem.lower()
    assert url.geturl().removesuffix(".git") == cmake_value("EXTENSION_HOMEPAGE")


def test_icon_and_pictures_of_the_catalog_are_in_the_repository():
    assert size_of_png(in_repository(cmake_value("EXTENSION_ICONURL"))) == (128, 128)
    screenshots = cmake_value("EXTENSION_SCREENSHOTURLS").split()
    assert len(screenshots) >= 2
    for url in screenshots:
        assert min(size_of_png(in_repository(url))) >= 300


def test_no_picture_is_bigger_than_a_megabyte():
    assert [path.name for path in (ROOT / "Resources" / "Screenshots").iterdir() if path.stat().st_size > 2**20] == []


@pytest.mark.parametrize("page", ["README.md", "docs/tutorials/radiologist.md"])
def test_every_picture_of_a_page_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert pictures
    assert [name for name in pictures if not ((ROOT / page).parent / name).is_file()] == []


def test_the_tutorial_names_its_data_and_says_what_the_module_is_not():
    text = (ROOT / "docs" / "tutorials" / "radiologist.md").read_text(encoding="utf-8")
    assert "MRBrainTumor1" in text
    assert "not a medical device" in text.lower()


class SampleData(types.ModuleType):
    """The door of Slicer's Sample Data module: keeps what is registered."""

    def __init__(self):
        super().__init__("SampleData")
        self.registered = []
        self.SampleDataLogic = types.SimpleNamespace(registerCustomSampleDataSource=lambda **source: self.registered.append(source))


@pytest.fixture
def sample_data(monkeypatch):
    pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")
    module = SampleData()
    monkeypatch.setitem(sys.modules, "SampleData", module)
    return module


def test_the_phantom_is_offered_with_its_reference(sample_data, tmp_path):
    from BrainTumorSegGUI.sampleData import registerSampleData

    registerSampleData()
    [source] = sample_data.registered
    assert len({len(source[name]) for name in ("uris", "fileNames", "checksums", "nodeNames", "loadFileTypes")}) == 1
    for uri, checksum in zip(source["uris"], source["checksums"]):
        target = tmp_path / "downloaded"
        urllib.request.urlretrieve(uri, target)  # as the Sample Data module does it
        assert checksum == f"SHA256:{hashlib.sha256(target.read_bytes()).hexdigest()}"
    assert Path(source["thumbnailFileName"]).is_file()


def test_nothing_is_offered_where_the_phantom_is_not_installed(sample_data, monkeypatch, tmp_path):
    from BrainTumorSegGUI import sampleData

    monkeypatch.setattr(sampleData, "PHANTOM_FOLDER", tmp_path)
    sampleData.registerSampleData()
    assert sample_data.registered == []


def test_at_start_up_the_effect_and_the_sample_data_are_registered(sample_data, monkeypatch):
    import standin_effects
    from BrainTumorSegGUI import startup

    standin_effects.install(monkeypatch)
    pytest.importorskip("PySide6", reason="PySide6 (widgets for the test host) is not installed")
    startup.registerExtras()
    assert [effect.name for effect in standin_effects.qSlicerSegmentEditorEffectFactory().registeredEffects()] == ["Tumor (AI)"]
    assert len(sample_data.registered) == 1
