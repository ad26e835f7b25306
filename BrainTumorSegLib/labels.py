"""Label values, names, colors, terminology codes and nested regions: stated once, used by every door."""

from __future__ import annotations

from dataclasses import dataclass

BACKGROUND = 0


@dataclass(frozen=True)
class Code:
    """A coded concept: coding scheme, value and meaning (SCT is SNOMED CT)."""

    scheme: str
    value: str
    meaning: str


BRAIN = Code("SCT", "12738006", "Brain")
_MORPHOLOGIC_ABNORMALITY = Code("SCT", "49755003", "Morphologically Altered Structure")


@dataclass(frozen=True)
class Label:
    """One class of a segmentation.

    Attributes:
        value: voxel value in a label map.
        key: short stable name used in JSON, tables and segment ids.
        name: what a user reads.
        color: sRGB, each 0-255; the three glioma colors differ for color-blind readers too.
        category, type: DICOM segmentation category and type.
    """

    value: int
    key: str
    name: str
    color: tuple[int, int, int]
    type: Code
    category: Code = _MORPHOLOGIC_ABNORMALITY


BRAIN_MASK = Label(1, "brain", "Brain", (230, 159, 0), BRAIN, Code("SCT", "123037004", "Anatomical Structure"))
"""Of the mask that is cut out of a whole head; no model's label."""


@dataclass(frozen=True)
class Region:
    """A nested region: the union of label values, as BraTS scores them.

    Attributes:
        key, name, color, type, category: as of a `Label`; regions overlap, so they are segments of their own and never one label map.
        values: the label values that it joins.
    """

    key: str
    name: str
    values: tuple[int, ...]
    color: tuple[int, int, int]
    type: Code
    category: Code = _MORPHOLOGIC_ABNORMALITY


TUMOR = Label(1, "tumor", "Tumor", (230, 159, 0), Code("SCT", "86049000", "Neoplasm, Primary"))
NCR = Label(1, "NCR", "Necrotic and non-enhancing core", (0, 114, 178), Code("SCT", "6574001", "Necrosis"))
ED = Label(2, "ED", "Edema", (240, 228, 66), Code("SCT", "79654002", "Edema"))
ET = Label(3, "ET", "Enhancing tumor", (213, 94, 0), Code("NCIt", "C113842", "Enhancing Lesion"))

SCHEMES: dict[str, tuple[Label, ...]] = {"tumor": (TUMOR,), "glioma": (NCR, ED, ET)}
REGIONS: dict[str, tuple[Region, ...]] = {
    "tumor": (),
    "glioma": (
        Region("WT", "Whole tumor", (1, 2, 3), (86, 180, 233), Code("SCT", "52988006", "Lesion")),
        Region("TC", "Tumor core", (1, 3), (204, 121, 167), TUMOR.type),
        Region("ET", "Enhancing tumor", (3,), ET.color, ET.type),
    ),
}
BRATS_ET = 4
"""BraTS 2017-2022 files write enhancing tumor as 4; readers take it as `ET.value`."""

ROLES = ("t1", "t1ce", "t2", "flair")
"""The sequences a volume can play, in the order in which files list them."""
