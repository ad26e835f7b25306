"""The terminology list that ships is the one that labels.py makes."""

from pathlib import Path

from BrainTumorSegLib.labels import ED, SCHEMES
from BrainTumorSegLib.terminology import CONTEXT_NAME, FILE_NAME, terminology, terminology_text, write_terminology

COMMITTED = Path(__file__).resolve().parents[2] / "Resources" / "Terminology" / FILE_NAME


def types_of_all_categories():
    return [entry for category in terminology()["SegmentationCodes"]["Category"] for entry in category["Type"]]


def test_the_committed_file_is_what_labels_make():
    cure = "labels.py has changed: call write_terminology(Path('Resources/Terminology'))"
    assert COMMITTED.read_text(encoding="utf-8") == terminology_text(), cure


def test_every_label_is_found_by_its_code_exactly_once():
    codes = [(entry["CodingSchemeDesignator"], entry["CodeValue"]) for entry in types_of_all_categories()]
    assert len(codes) == len(set(codes))
    for scheme in SCHEMES.values():
        for label in scheme:
            assert (label.type.scheme, label.type.value) in codes


def test_an_entry_carries_the_color_and_the_key_of_its_label():
    edema = next(entry for entry in types_of_all_categories() if entry["CodeValue"] == "79654002")
    assert edema["recommendedDisplayRGBValue"] == list(ED.color)
    assert edema["3dSlicerLabel"] == "ED"
    assert edema["CodeMeaning"] == "Edema"


def test_the_categories_ask_slicer_for_an_anatomic_region():
    categories = terminology()["SegmentationCodes"]["Category"]
    assert [category["CodeValue"] for category in categories] == ["49755003"]
    assert all(category["showAnatomy"] for category in categories)


def test_the_written_file_has_the_name_and_the_line_ends_of_the_committed_one(tmp_path):
    path = write_terminology(tmp_path)
    assert path == tmp_path / FILE_NAME
    assert b"\r" not in path.read_bytes()
    assert CONTEXT_NAME in path.read_text(encoding="utf-8")
