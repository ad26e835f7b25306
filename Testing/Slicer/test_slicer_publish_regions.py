"""Nested regions, and colors that the color-blind tell apart."""

import itertools

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
import standin
from BrainTumorSegGUI.publish import publishSegmentation
from BrainTumorSegGUI.resultRegions import addRegions, hasRegions
from BrainTumorSegGUI.resultSegments import referenceGeometry, segmentMask
from BrainTumorSegGUI.resultUncertainty import showUncertainty, uncertaintyColors, uncertaintyIsShown, uncertaintyOf
from BrainTumorSegGUI.volumes import volumeFromNode

from BrainTumorSegLib import labels
from BrainTumorSegLib.api import InputError


def array_of_labels():
    """Necrosis at i = 1, enhancing tumor at 2, edema at 3, and nothing at 0."""
    array = np.zeros((3, 4, 4), np.uint8)
    array[1, 1] = (0, 1, 3, 2)
    return array


def published(scheme="glioma", **fields):
    node = slicer.util.addVolumeFromArray(np.zeros((3, 4, 4), np.int16), np.diag([-1.0, -1, 2, 1]), "T1ce")
    array = array_of_labels() if scheme == "glioma" else (array_of_labels() > 0).astype(np.uint8)
    return publishSegmentation(standin.Result(volumeFromNode(node).like(array), scheme=scheme, **fields), node, {"t1ce": node})


def row_of(node, segment_id):
    """The only row of voxels that has labels."""
    return segmentMask(node, segment_id, referenceGeometry(node))[1, 1].astype(int).tolist()


def test_a_region_is_the_union_of_its_labels_and_the_result_stays_as_it_is():
    node = published()
    regions = addRegions(node)
    assert {key: row_of(regions, key) for key in ("WT", "TC", "ET")} == {"WT": [0, 1, 1, 1], "TC": [0, 1, 1, 0], "ET": [0, 0, 1, 0]}
    assert {key: row_of(node, key) for key in ("NCR", "ET", "ED")} == {"NCR": [0, 1, 0, 0], "ET": [0, 0, 1, 0], "ED": [0, 0, 0, 1]}


def test_a_region_has_the_name_the_color_and_the_codes_of_the_table():
    segmentation = addRegions(published()).GetSegmentation()
    for region in labels.REGIONS["glioma"]:
        segment = segmentation.GetSegment(region.key)
        assert segment.GetName() == region.name
        assert segment.GetColor() == pytest.approx([channel / 255 for channel in region.color])
        assert "SCT^12738006^Brain~" in segment.GetTerminology()
        assert f"{region.type.scheme}^{region.type.value}^{region.type.meaning}" in segment.GetTerminology()


def test_regions_have_surfaces_and_the_volume_of_their_result():
    node = published()
    regions = addRegions(node)
    assert regions.GetNodeReference("referenceImageGeometryRef") is node.GetNodeReference("referenceImageGeometryRef")
    assert regions.GetDisplayNode().GetDisplayRepresentationName3D() == "Closed surface"
    assert regions.GetAttribute("BrainTumorSeg.RegionsOf") == "T1ce tumor"


def test_regions_lie_in_the_study_of_their_result(study):
    node = published()
    study.put(node)
    assert addRegions(node) in study


def test_regions_are_made_of_what_the_segments_are_now():
    node = published()
    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation("ED", image)
    slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(image, node, "ET")
    assert row_of(addRegions(node), "TC") == [0, 1, 0, 1]


def test_a_tumor_without_sub_regions_has_no_nested_ones():
    node = published("tumor")
    before = slicer.mrmlScene.GetNumberOfNodes()
    assert not hasRegions(node)
    assert not hasRegions(None)
    with pytest.raises(InputError, match="T1ce tumor lacks one of the segments"):
        addRegions(node)
    assert slicer.mrmlScene.GetNumberOfNodes() == before


# Machado, Oliveira and Fernandes 2009 (doi:10.1109/TVCG.2009.113), full severity, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}


def lab(color, vision):
    """CIE L*a*b* (D65) of an sRGB color, 0 to 1, as somebody with that vision sees it."""
    color = np.asarray(color, float)
    linear = np.clip(VISION[vision] @ np.where(color <= 0.04045, color / 12.92, ((color + 0.055) / 1.055) ** 2.4), 0, 1)
    x, y, z = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ linear / (0.9505, 1, 1.089)
    fx, fy, fz = (value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("parts", [labels.SCHEMES["glioma"], labels.REGIONS["glioma"]], ids=["labels", "regions"])
def test_the_color_blind_tell_segments_apart(parts, vision):
    seen = [lab(np.array(part.color) / 255, vision) for part in parts]
    assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) > 20  # 2.3 is just noticeable


@pytest.mark.parametrize("vision", VISION)
def test_the_uncertainty_grows_brighter_for_every_kind_of_color_vision(vision):
    table = uncertaintyColors()
    lightness = []
    for index in range(0, 256, 15):
        color = [0.0] * 4
        assert table.GetColor(index, color)
        lightness.append(lab(color[:3], vision)[0])
    assert (np.diff(lightness) > 1).all()


def test_there_is_one_color_table_for_all_results():
    assert uncertaintyColors() is uncertaintyColors()
    assert uncertaintyColors().GetNumberOfColors() == 256


def test_the_uncertainty_is_laid_over_the_image_only_when_asked_for():
    composite = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    doubt = slicer.util.addVolumeFromArray(np.zeros((3, 4, 4), np.float32), name="FLAIR")
    composite.SetForegroundVolumeID(doubt.GetID())
    node = published()
    showUncertainty(node, True)  # it has none
    assert composite.GetForegroundVolumeID() == doubt.GetID()
    node = published(uncertainty=volumeFromNode(doubt))
    assert not uncertaintyIsShown(node)
    showUncertainty(node, False)  # leaves what else is shown
    assert composite.GetForegroundVolumeID() == doubt.GetID()
    showUncertainty(node, True)
    assert uncertaintyIsShown(node)
    assert composite.GetForegroundVolumeID() == uncertaintyOf(node).GetID()
    assert composite.GetForegroundOpacity() == pytest.approx(0.6)
    showUncertainty(node, False)
    assert composite.GetForegroundVolumeID() is None
