"""Slicer's own slice and 3-D views, drawn into memory: slice logics and displayable managers of slicer-core, without the application."""

from __future__ import annotations

import os

os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")  # before VTK: no screen is needed

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

ORIENTATIONS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}


class View:
    """A render window with one renderer and the displayable managers that fill it."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.renderer = vtk.vtkRenderer()
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(True)
        self.window.SetMultiSamples(8)
        self.window.SetSize(*size)
        self.window.AddRenderer(self.renderer)
        self.interactor = vtk.vtkGenericRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.interactor.Initialize()
        self.group = slicer.vtkMRMLDisplayableManagerGroup()
        self.group.SetRenderer(self.renderer)

    def show(self, viewNode: slicer.vtkMRMLAbstractViewNode, *managers: slicer.vtkMRMLAbstractDisplayableManager) -> None:
        for manager in managers:
            manager.SetMRMLApplicationLogic(slicer.applicationLogic)
            self.group.AddDisplayableManager(manager)
        self.group.SetMRMLDisplayableNode(viewNode)

    def picture(self) -> np.ndarray:
        """What the view shows now, uint8 RGB [row, column, 3], the top row first."""
        self.window.Render()
        grabber = vtk.vtkWindowToImageFilter()
        grabber.SetInput(self.window)
        grabber.ReadFrontBufferOff()
        grabber.Update()
        image = grabber.GetOutput()
        width, height, _depth = image.GetDimensions()
        return numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()


class SliceView(View):
    """One slice of a volume with the segmentations over it."""

    def __init__(self, name: str, size: tuple[int, int], volumeNode: slicer.vtkMRMLScalarVolumeNode) -> None:
        super().__init__(size)
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(slicer.applicationLogic)
        self.logic.SetMRMLScene(slicer.mrmlScene)
        self.sliceNode = self.logic.AddSliceNode(name)
        if slicer.applicationLogic.GetSliceLogics() is None:
            slicer.applicationLogic.SetSliceLogics(vtk.vtkCollection())
        slicer.applicationLogic.GetSliceLogics().AddItem(self.logic)  # where the displayable managers look for it
        self.sliceNode.SetOrientation(ORIENTATIONS[name])
        self.logic.GetSliceCompositeNode().SetBackgroundVolumeID(volumeNode.GetID())
        self.logic.ResizeSliceNode(*size)
        self.logic.FitSliceToBackground(*size)
        mapper = vtk.vtkImageMapper()
        mapper.SetInputConnection(self.logic.GetImageDataConnection())
        mapper.SetColorWindow(255)
        mapper.SetColorLevel(127.5)
        actor = vtk.vtkActor2D()
        actor.SetMapper(mapper)
        self.renderer.AddViewProp(actor)
        self.show(self.sliceNode, slicer.vtkMRMLSegmentationsDisplayableManager2D())

    def jump(self, ras: tuple[float, float, float]) -> None:
        """Show the slice through a point (mm); the picture stays centered."""
        self.sliceNode.JumpSliceByOffsetting(*ras)


class ThreeDView(View):
    """The surfaces of segmentations, with the slices that are set visible."""

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__(size)
        viewNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLViewNode", "View1")
        viewNode.SetLayoutName("1")
        self.renderer.GradientBackgroundOn()
        self.renderer.SetBackground(viewNode.GetBackgroundColor())
        self.renderer.SetBackground2(viewNode.GetBackgroundColor2())
        self.show(viewNode, slicer.vtkMRMLModelDisplayableManager(), slicer.vtkMRMLSegmentationsDisplayableManager3D())

    def look(self, at: tuple[float, float, float], fromRas: tuple[float, float, float], distanceMm: float) -> None:
        """Look at a point from a direction."""
        direction = np.array(fromRas) / np.linalg.norm(fromRas)
        camera = self.renderer.GetActiveCamera()
        camera.SetFocalPoint(*at)
        camera.SetPosition(*(np.array(at) + distanceMm * direction))
        camera.SetViewUp(0, 0, 1)
        self.renderer.ResetCameraClippingRange()
