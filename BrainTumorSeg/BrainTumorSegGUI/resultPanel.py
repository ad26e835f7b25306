"""The result: which segmentation, what made it, and how it is shown."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from BrainTumorSegGUI.panel import Panel
from BrainTumorSegGUI.publish import PROVENANCE_PREFIX
from BrainTumorSegGUI.resultRegions import addRegions, hasRegions
from BrainTumorSegGUI.resultUncertainty import showUncertainty, uncertaintyIsShown, uncertaintyOf
from BrainTumorSegGUI.sentences import errorsShown


class ResultPanel(Panel):
    """The chosen segmentation, its provenance, its surfaces, its uncertainty and its nested regions."""

    def setup(self) -> None:
        self.ui.show3dCheckBox.connect("clicked(bool)", self.onShow3d)
        self.ui.showUncertaintyCheckBox.connect("clicked(bool)", self.onShowUncertainty)
        self.ui.regionsButton.connect("clicked(bool)", self.onRegions)

    def update(self) -> None:
        node = self._node()
        self.ui.provenanceLabel.text = provenanceText(node)
        self.ui.provenanceLabel.visible = bool(provenanceText(node))
        self.ui.show3dCheckBox.enabled = node is not None
        self.ui.show3dCheckBox.checked = node is not None and surfacesAreShown(node)
        hasUncertainty = node is not None and uncertaintyOf(node) is not None
        self.ui.showUncertaintyCheckBox.enabled = hasUncertainty
        self.ui.showUncertaintyCheckBox.checked = hasUncertainty and uncertaintyIsShown(node)
        self.ui.regionsButton.visible = hasRegions(node)

    def enter(self) -> None:
        self.update()  # another module may have changed what is shown

    def onShow3d(self, checked: bool) -> None:
        with errorsShown(_("The surfaces could not be shown."), waitCursor=True):
            showSurfaces(self._node(), checked)

    def onShowUncertainty(self, checked: bool) -> None:
        with errorsShown(_("The uncertainty could not be shown.")):
            showUncertainty(self._node(), checked)

    def onRegions(self, checked: bool = False) -> None:
        with errorsShown(_("The nested regions could not be made."), waitCursor=True):
            addRegions(self._node())

    def _node(self) -> slicer.vtkMRMLSegmentationNode | None:
        return self.parameterNode.segmentation if self.parameterNode is not None else None


def surfacesAreShown(node: slicer.vtkMRMLSegmentationNode) -> bool:
    """Whether a segmentation has closed surfaces that 3-D views show."""
    name = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    display = node.GetDisplayNode()
    return display is not None and bool(display.GetVisibility3D()) and node.GetSegmentation().ContainsRepresentation(name)


def showSurfaces(node: slicer.vtkMRMLSegmentationNode, shown: bool) -> None:
    """Show the closed surfaces in 3-D, made now where there are none, or hide them; hidden ones still follow the segments."""
    if shown:
        node.CreateClosedSurfaceRepresentation()
    node.GetDisplayNode().SetVisibility3D(shown)


def provenanceText(node: slicer.vtkMRMLSegmentationNode | None) -> str:
    """What made a segmentation, in one line; "" for one that no model made."""
    stored = {name: node.GetAttribute(PROVENANCE_PREFIX + name) if node is not None else None for name in ("Model", "Precision", "Inputs", "Time", "Edited")}
    if not stored["Model"]:
        return ""
    text = _("Edited, begun as the result of {model} ({precision}) on {inputs}, {time}") if stored["Edited"] else _("{model} ({precision}) on {inputs}, {time}")
    when = (stored["Time"] or "")[:16].replace("T", " ")
    return text.format(model=stored["Model"], precision=stored["Precision"], inputs=stored["Inputs"], time=when)
