"""A result becomes a segmentation node that Slicer understands, and survives its file."""

import dataclasses
import datetime

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
import standin
import vtk
from BrainTumorSegGUI.publish import loadTerminology, placeBeside, publishSegmentation, publishSteps
from BrainTumorSegGUI.resultSegments import terminologyEntry
from BrainTumorSegGUI.resultUncertainty import COLORS_TAG, uncertaintyOf
from BrainTumorSegGUI.volumes import volumeFromNode
from grids import DIRECTIONS, ijk_to_ras

import BrainTumorSegLib
from BrainTumorSegLib import labels

SHAPE = (4, 5, 6)  # k, j, i
TUMOR_ENTRY = (
    "BrainTumorSeg brain tumors~SCT^49755003^Morphologically Altered Structure~SCT^86049000^Neoplasm, Primary~^^~"
    "Anatomic codes - DICOM master list~SCT^12738006^Brain~^^"
)


def volume_node(directions=DIRECTIONS["oblique"], name="MRHead"):
    return slicer.util.addVolumeFromArray(np.arange(np.prod(SHAPE), dtype=np.int16).reshape(SHAPE), ijk_to_ras(directions), name)


def label_array():
    array = np.zeros(SHAPE, np.uint8)
    array[1, 2, 2:5] = 1
    array[2, 2, 3] = 2
    return array


def result_for(node, array, **fields):
    return standin.Result(volumeFromNode(node).like(array), **fields)


def publish(node, array, **fields):
    return publishSegmentation(result_for(node, array, **fields), node, {"t1ce": node})


def ras_of_segment(node, segment_id):
    """World positions of a segment's voxels, one row each, by Slicer's own matrix."""
    image = slicer.vtkOrientedImageData()
    assert node.GetBinaryLabelmapRepresentation(segment_id, image)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    extent = image.GetExtent()
    positions = [
        matrix.MultiplyPoint((i, j, k, 1))[:3]
        for k in range(extent[4], extent[5] + 1)
        for j in range(extent[2], extent[3] + 1)
        for i in range(extent[0], extent[1] + 1)
        if image.GetScalarComponentAsDouble(i, j, k, 0)
    ]
    return np.array(positions)


@pytest.mark.parametrize("name", DIRECTIONS)
def test_a_segment_lies_where_its_voxels_were_in_the_volume(name):
    node = volume_node(DIRECTIONS[name])
    segmentation_node = publish(node, (label_array() == 1).astype(np.uint8))
    matrix = ijk_to_ras(DIRECTIONS[name])
    expected = [(matrix @ [i, 2, 1, 1])[:3] for i in (2, 3, 4)]
    assert ras_of_segment(segmentation_node, "tumor") == pytest.approx(np.array(expected))


def test_a_segment_has_the_name_the_color_and_the_codes_of_its_label():
    segmentation = publish(volume_node(), label_array(), scheme="glioma").GetSegmentation()
    assert [segmentation.GetNthSegmentID(index) for index in range(3)] == ["NCR", "ED", "ET"]
    segments = [segmentation.GetNthSegment(index) for index in range(3)]
    assert [segment.GetName() for segment in segments] == ["Necrotic and non-enhancing core", "Edema", "Enhancing tumor"]
    for segment, label in zip(segments, labels.SCHEMES["glioma"], strict=True):
        assert segment.GetColor() == pytest.approx([channel / 255 for channel in label.color])
        assert segment.GetTerminology() == terminologyEntry(label, "BrainTumorSeg brain tumors")


def test_the_codes_of_a_tumor_are_those_of_the_design():
    segmentation = publish(volume_node(), label_array()).GetSegmentation()
    assert segmentation.GetSegment("tumor").GetTerminology() == TUMOR_ENTRY


def test_slicer_finds_every_label_in_our_terminology_list():
    logic = slicer.modules.terminologies.logic()
    name = loadTerminology()
    assert name == "BrainTumorSeg brain tumors"
    assert logic.IsTerminologyContextLoaded(name)
    category, entry_type = slicer.vtkSlicerTerminologyCategory(), slicer.vtkSlicerTerminologyType()
    assert logic.GetNumberOfCategoriesInTerminology(name) == 1
    assert logic.GetNthCategoryInTerminology(name, 0, category)
    listed = {}
    for index in range(logic.GetNumberOfTypesInTerminologyCategory(name, category)):
        assert logic.GetNthTypeInTerminologyCategory(name, category, index, entry_type)
        listed[(entry_type.GetCodingSchemeDesignator(), entry_type.GetCodeValue())] = entry_type.GetCodeMeaning()
    for label in (label for scheme in labels.SCHEMES.values() for label in scheme):
        assert category.GetCodeValue() == label.category.value
        assert listed[(label.type.scheme, label.type.value)] == label.type.meaning


def test_slicer_reads_our_entry_back_as_codes():
    stored = publish(volume_node(), label_array(), scheme="glioma").GetSegmentation().GetSegment("ET").GetTerminology()
    entry = slicer.vtkSlicerTerminologyEntry()
    assert slicer.modules.terminologies.logic().DeserializeTerminologyEntry(stored, entry)
    read = (entry.GetCategoryObject(), entry.GetTypeObject(), entry.GetRegionObject())
    assert [(code.GetCodingSchemeDesignator(), code.GetCodeValue(), code.GetCodeMeaning()) for code in read] == [
        ("SCT", "49755003", "Morphologically Altered Structure"),
        ("NCIt", "C113842", "Enhancing Lesion"),
        ("SCT", "12738006", "Brain"),
    ]


def test_labels_that_do_not_overlap_share_one_image():
    node = publish(volume_node(), label_array(), scheme="glioma")
    segmentation = node.GetSegmentation()
    assert segmentation.GetNumberOfLayers() == 1
    assert [segmentation.GetSegment(key).GetLabelValue() for key in ("NCR", "ED", "ET")] == [1, 2, 3]
    assert len(ras_of_segment(node, "NCR")) == 3
    assert len(ras_of_segment(node, "ED")) == 1


def test_a_label_without_voxels_is_an_empty_segment():
    node = publish(volume_node(), label_array(), scheme="glioma")
    assert len(ras_of_segment(node, "ET")) == 0


def test_a_volume_without_tumor_gives_an_empty_segment_and_says_so():
    node = publish(volume_node(), np.zeros(SHAPE, np.uint8), found=False)
    assert node.GetSegmentation().GetNthSegmentID(0) == "tumor"
    assert node.GetAttribute("BrainTumorSeg.Found") == "false"


def test_the_grid_of_the_volume_is_the_reference_geometry():
    node = volume_node()
    segmentation_node = publish(node, label_array())
    assert segmentation_node.GetNodeReference("referenceImageGeometryRef") is node
    image = slicer.vtkOrientedImageData()
    text = segmentation_node.GetSegmentation().GetConversionParameter("Reference image geometry")
    assert slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, image, False)
    assert image.GetDimensions() == (6, 5, 4)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    assert slicer.util.arrayFromVTKMatrix(matrix) == pytest.approx(ijk_to_ras(DIRECTIONS["oblique"]))


def test_the_result_of_a_transformed_volume_lies_in_the_patient():
    node = volume_node(DIRECTIONS["lps"])
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.array([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 40], [0, 0, 0, 1]])))
    node.SetAndObserveTransformNodeID(transform.GetID())
    segmentation_node = publish(node, label_array())
    assert segmentation_node.GetParentTransformNode() is None
    first = (ijk_to_ras(DIRECTIONS["lps"]) @ [2, 2, 1, 1])[:3] + [0, 0, 40]
    assert ras_of_segment(segmentation_node, "tumor")[0] == pytest.approx(first)
    image = slicer.vtkOrientedImageData()
    text = segmentation_node.GetSegmentation().GetConversionParameter("Reference image geometry")
    slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, image, False)
    assert image.GetOrigin() == pytest.approx((11.0, -7.0, 45.0))


def test_a_node_tells_what_made_it():
    before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    node = publish(volume_node(), label_array(), sha256="a" * 64, planes=("axial", "coronal"), every_slice=False, mirrored=True)
    names = ("Model", "ModelSha256", "Precision", "Scheme", "Inputs", "Planes", "EverySlice", "Mirrored", "Found")
    stored = {name: node.GetAttribute(f"BrainTumorSeg.{name}") for name in names}
    assert stored == {
        "Model": "stand-in",
        "ModelSha256": "a" * 64,
        "Precision": "int8",
        "Scheme": "tumor",
        "Inputs": "t1ce=MRHead",
        "Planes": "axial, coronal",
        "EverySlice": "false",
        "Mirrored": "true",
        "Found": "true",
    }
    assert node.GetAttribute("BrainTumorSeg.Version") == BrainTumorSegLib.__version__
    assert before <= datetime.datetime.fromisoformat(node.GetAttribute("BrainTumorSeg.Time")) <= datetime.datetime.now(datetime.timezone.utc)


def test_every_result_is_a_new_node_with_a_name_of_its_own():
    node = volume_node()
    first, second = publish(node, label_array()), publish(node, label_array())
    assert first is not second
    assert (first.GetName(), second.GetName()) == ("MRHead tumor", "MRHead tumor_1")


def test_a_result_that_cannot_be_published_leaves_no_node():
    node = volume_node()
    before = slicer.mrmlScene.GetNumberOfNodes()
    with pytest.raises(KeyError):
        publish(node, label_array(), scheme="unknown")
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_a_result_is_put_into_the_study_of_its_volume():
    # The application makes the items by itself; slicer-core does not.
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Patient")
    study = hierarchy.CreateStudyItem(patient, "Study")
    volume, segmentation_node = volume_node(), slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    hierarchy.CreateItem(study, volume)
    item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), segmentation_node)
    placeBeside(segmentation_node, volume)
    assert hierarchy.GetItemParent(item) == study


def test_all_that_is_published_lies_in_the_study_of_its_volume(study):
    volume = volume_node()
    study.put(volume)
    node = publishSegmentation(with_doubt(volume), volume, {"t1ce": volume})
    assert node in study
    assert uncertaintyOf(node) in study


def test_a_volume_outside_the_hierarchy_moves_nothing():
    placeBeside(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode"), volume_node())


def test_a_seg_nrrd_file_brings_everything_back(tmp_path):
    array = label_array()
    array[3, 4, 5] = 3
    node = publish(volume_node(), array, scheme="glioma", sha256="b" * 64)
    path = tmp_path / "result.seg.nrrd"
    node.AddDefaultStorageNode(str(path))
    assert node.GetStorageNode().IsA("vtkMRMLSegmentationStorageNode")
    assert node.GetStorageNode().WriteData(node)
    loaded = slicer.modules.segmentations.logic().LoadSegmentationFromFile(str(path))
    for label in labels.SCHEMES["glioma"]:
        before, after = node.GetSegmentation().GetSegment(label.key), loaded.GetSegmentation().GetSegment(label.key)
        assert after.GetName() == label.name
        assert after.GetColor() == pytest.approx(before.GetColor(), abs=1e-5)
        assert after.GetTerminology() == before.GetTerminology()
        assert after.GetLabelValue() == label.value
        tag = vtk.reference("")
        assert after.GetTag("BrainTumorSeg.ModelSha256", tag) and str(tag) == "b" * 64
        assert ras_of_segment(loaded, label.key) == pytest.approx(ras_of_segment(node, label.key), abs=1e-4)
    geometry = "Reference image geometry"
    images = [slicer.vtkOrientedImageData() for _ in range(2)]
    for image, owner in zip(images, (node, loaded), strict=True):
        slicer.vtkSegmentationConverter.DeserializeImageGeometry(owner.GetSegmentation().GetConversionParameter(geometry), image, False)
    assert images[0].GetExtent() == images[1].GetExtent()
    assert images[0].GetOrigin() == pytest.approx(images[1].GetOrigin(), abs=1e-4)


def surface_of(node, segment_id):
    surface = vtk.vtkPolyData()
    assert node.GetClosedSurfaceRepresentation(segment_id, surface)
    return surface


def test_the_surfaces_are_those_that_slicer_makes_and_are_shown_in_3d():
    node, other = (publish(volume_node(), label_array(), scheme="glioma") for _ in range(2))
    other.RemoveClosedSurfaceRepresentation()
    assert other.CreateClosedSurfaceRepresentation()
    for key in ("NCR", "ED"):
        assert surface_of(node, key).GetNumberOfPoints() == surface_of(other, key).GetNumberOfPoints() > 0
    assert surface_of(node, "ET").GetNumberOfPoints() == 0  # empty
    assert node.GetDisplayNode().GetDisplayRepresentationName3D() == "Closed surface"


def test_a_surface_follows_its_segment():
    node = publish(volume_node(), label_array(), scheme="glioma")
    before = surface_of(node, "ED").GetBounds()
    image = slicer.vtkOrientedImageData()
    node.GetBinaryLabelmapRepresentation("NCR", image)
    assert slicer.vtkSlicerSegmentationsModuleLogic.SetBinaryLabelmapToSegment(image, node, "ED")
    assert surface_of(node, "ED").GetBounds() != before


def test_no_tumor_has_no_surface():
    node = publish(volume_node(), np.zeros(SHAPE, np.uint8), found=False)
    assert surface_of(node, "tumor").GetNumberOfPoints() == 0


def test_no_surface_is_said_to_be_made_where_no_tumor_was_found():
    node = volume_node()
    steps = publishSteps(result_for(node, np.zeros(SHAPE, np.uint8), found=False), node, {"t1ce": node})
    assert list(steps) == ["Adding the segmentation", "Showing the surfaces"]


def with_doubt(node):
    result = result_for(node, label_array(), scheme="glioma")
    return dataclasses.replace(result, uncertainty=result.labels.like(np.linspace(0, 1, result.labels.array.size, dtype=np.float32).reshape(SHAPE)))


def test_the_steps_say_what_comes_next_and_surfaces_come_last():
    node = volume_node()
    assert list(publishSteps(with_doubt(node), node, {"t1ce": node})) == [
        "Adding the segmentation",
        "Adding the uncertainty",
        "Making the surface of Necrotic and non-enhancing core",
        "Making the surface of Edema",
        "Showing the surfaces",
    ]


def test_the_uncertainty_is_a_volume_on_the_grid_of_the_image():
    node = volume_node()
    volume = uncertaintyOf(publishSegmentation(with_doubt(node), node, {"t1ce": node}))
    assert volume.GetName() == "MRHead tumor uncertainty"
    assert slicer.util.arrayFromVolume(volume).ravel() == pytest.approx(np.linspace(0, 1, np.prod(SHAPE)))
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    assert slicer.util.arrayFromVTKMatrix(matrix) == pytest.approx(ijk_to_ras(DIRECTIONS["oblique"]))
    assert (volume.GetDisplayNode().GetWindowLevelMin(), volume.GetDisplayNode().GetWindowLevelMax()) == (0, 1)
    assert volume.GetDisplayNode().GetApplyThreshold()


def test_without_uncertainty_there_is_no_volume_of_it():
    assert uncertaintyOf(publish(volume_node(), label_array())) is None


def with_brain(node):
    """A result of a head whose brain, 2 x 3 x 4 voxels, was cut out."""
    array = np.zeros(SHAPE, np.uint8)
    array[1:3, 1:4, 1:5] = 1
    result = result_for(node, label_array(), scheme="glioma")
    return dataclasses.replace(result, brain=result.labels.like(array))


def test_the_brain_that_was_cut_out_is_an_outline_beside_the_result(study):
    node = volume_node()
    study.put(node)
    assert list(publishSteps(with_brain(node), node, {"t1ce": node}))[1] == "Adding the brain"
    brain = slicer.mrmlScene.GetFirstNodeByName("MRHead tumor brain")
    assert brain in study
    assert brain.GetAttribute("BrainTumorSeg.BrainOf") == "MRHead tumor"
    assert brain.GetNodeReference(brain.GetReferenceImageGeometryReferenceRole()) is node
    assert not brain.GetDisplayNode().GetVisibility2DFill() and brain.GetDisplayNode().GetVisibility2DOutline()
    segment = brain.GetSegmentation().GetSegment("brain")
    assert (brain.GetSegmentation().GetNumberOfSegments(), segment.GetName()) == (1, "Brain")
    assert "SCT^123037004^Anatomical Structure~SCT^12738006^Brain" in segment.GetTerminology()
    expected = ijk_to_ras(DIRECTIONS["oblique"]) @ np.array([[i, j, k, 1] for k in (1, 2) for j in (1, 2, 3) for i in (1, 2, 3, 4)]).T
    np.testing.assert_allclose(np.array(ras_of_segment(brain, "brain")), expected[:3].T, atol=1e-6)


def test_where_nothing_was_cut_out_no_brain_is_added():
    publish(volume_node(), label_array())
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1


@pytest.mark.parametrize("steps", [2, 3])
def test_giving_up_takes_the_brain_away_too(steps):
    node = volume_node()
    before = node_ids()
    publishing = publishSteps(with_brain(node), node, {"t1ce": node})
    for _ in range(steps):
        next(publishing)
    publishing.close()
    assert node_ids() == before


def node_ids():
    slicer.mrmlScene.GetSubjectHierarchyNode()  # makes it, as the application has already done
    return [slicer.mrmlScene.GetNthNode(index).GetID() for index in range(slicer.mrmlScene.GetNumberOfNodes())]


@pytest.mark.parametrize("steps", range(6))
def test_publishing_that_is_given_up_leaves_the_scene_as_it_was(steps):
    node = volume_node()
    colors = slicer.mrmlScene.GetSingletonNode(COLORS_TAG, "vtkMRMLColorTableNode")
    if colors is not None:  # it outlives the scene
        slicer.mrmlScene.RemoveNode(colors)
    before = node_ids()
    publishing = publishSteps(with_doubt(node), node, {"t1ce": node})
    for _ in range(steps):
        next(publishing, None)
    if steps == 5:
        assert len(node_ids()) > len(before)
    publishing.close()
    assert node_ids() == before


def test_publishing_that_is_given_up_keeps_the_uncertainty_of_an_earlier_result():
    node = volume_node()
    first = publishSegmentation(with_doubt(node), node, {"t1ce": node})
    before = node_ids()
    publishing = publishSteps(with_doubt(node), node, {"t1ce": node})
    for _ in range(4):
        next(publishing)
    publishing.close()
    assert node_ids() == before
    assert uncertaintyOf(first).GetDisplayNode().GetColorNode() is not None


def test_giving_up_after_the_scene_was_closed_is_safe():
    node = volume_node()
    publishing = publishSteps(with_doubt(node), node, {"t1ce": node})
    for _ in range(4):
        next(publishing)
    slicer.mrmlScene.Clear()
    removed = []
    tag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeRemovedEvent, lambda caller, event: removed.append(event))
    publishing.close()
    slicer.mrmlScene.RemoveObserver(tag)
    assert removed == []  # what has gone with the scene is not removed a second time


def test_each_step_makes_one_piece_of_the_result(monkeypatch):
    made, real = [], slicer.vtkSlicerSegmentationsModuleLogic

    class Logic(real):
        """Slicer's own, which also tells when a surface is made: until the last step no surface is in the scene."""

        @staticmethod
        def GetSegmentClosedSurfaceRepresentation(node, segmentId, surface):
            made.append(f"surface of {segmentId}")
            return real.GetSegmentClosedSurfaceRepresentation(node, segmentId, surface)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def on_added(caller, event, added):
        if added.IsA("vtkMRMLSegmentationNode") or added.IsA("vtkMRMLScalarVolumeNode"):
            made.append(added.GetClassName())

    node = volume_node()
    result = with_doubt(node)
    monkeypatch.setattr(slicer, "vtkSlicerSegmentationsModuleLogic", Logic)
    tag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeAddedEvent, on_added)
    pieces, phrase = {}, "before the first"
    publishing = publishSteps(result, node, {"t1ce": node})
    while phrase is not None:
        made.clear()
        following = next(publishing, None)
        pieces[phrase] = list(made)
        phrase = following
    slicer.mrmlScene.RemoveObserver(tag)
    assert pieces == {
        "before the first": [],
        "Adding the segmentation": ["vtkMRMLSegmentationNode"],
        "Adding the uncertainty": ["vtkMRMLScalarVolumeNode"],
        "Making the surface of Necrotic and non-enhancing core": ["surface of NCR"],
        "Making the surface of Edema": ["surface of ED"],
        "Showing the surfaces": [],
    }


def test_surfaces_are_made_from_the_box_of_the_tumor_and_not_from_the_head():
    node = publish(volume_node(), label_array(), scheme="glioma")
    for key in ("NCR", "ED"):
        assert node.GetBinaryLabelmapInternalRepresentation(key).GetExtent() == (2, 4, 2, 2, 1, 2)  # i, j, k of 4 voxels
