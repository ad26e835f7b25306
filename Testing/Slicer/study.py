"""The subject hierarchy as the application keeps it: slicer-core gives no node an item by itself."""

from __future__ import annotations

import slicer
import vtk


class Study:
    """A patient's study. From now on every node that is added to the scene gets an item, outside of it."""

    def __init__(self) -> None:
        self._hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
        patient = self._hierarchy.CreateSubjectItem(self._hierarchy.GetSceneItemID(), "Patient")
        self._item = self._hierarchy.CreateStudyItem(patient, "Study")
        self._tag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeAddedEvent, self._onAdded)

    def put(self, node: slicer.vtkMRMLNode) -> None:
        """As loading from DICOM does it."""
        self._hierarchy.CreateItem(self._item, node)

    def __contains__(self, node: slicer.vtkMRMLNode) -> bool:
        return self._hierarchy.GetItemParent(self._hierarchy.GetItemByDataNode(node)) == self._item

    def close(self) -> None:
        slicer.mrmlScene.RemoveObserver(self._tag)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onAdded(self, caller: slicer.vtkMRMLScene, event: str, node: slicer.vtkMRMLNode) -> None:
        self._hierarchy.CreateItem(self._hierarchy.GetSceneItemID(), node)
