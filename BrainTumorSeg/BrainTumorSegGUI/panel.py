"""What every panel is: one class in one file, with one .ui file of the same name, in one collapsible section.

A panel `EditPanel` lives in `editPanel.py` and `Resources/UI/EditPanel.ui`, whose root is a qMRMLWidget holding one ctkCollapsibleButton.
The module's widget adds it by one line and afterwards only tells it what happens:

    setup              once: connect the signals of `self.ui`
    setParameterNode   the choices of the scene that is open now, None while there is none
    update             after every change of them: show what can be done now; cheap, and changes nothing where nothing changed
    enter, exit        the user opens this module, or another one; the panel lives on
    onSceneClosed      the scene is about to close: stop timers, let go of nodes
    cleanup            the module is unloaded or Slicer closes; the widgets may be gone

Widgets with a `SlicerParameterName` are bound to the parameter of that name by `setParameterNode`. Results are told through parameters,
never from panel to panel. Only panels open windows; what they do stands in functions of other files, which take and return nodes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import slicer

if TYPE_CHECKING:
    import qt

    from BrainTumorSeg import BrainTumorSegLogic
    from BrainTumorSegGUI.parameters import BrainTumorSegParameterNode

UI_FOLDER = Path(__file__).resolve().parents[1] / "Resources" / "UI"


class Panel:
    """Base of the panels: loads the .ui file and binds it to the parameters."""

    def __init__(self, parentLayout: qt.QBoxLayout, logic: BrainTumorSegLogic, parameterNode: BrainTumorSegParameterNode | None = None) -> None:
        self.logic = logic
        self.parameterNode: BrainTumorSegParameterNode | None = None
        self._guiTag: int | None = None
        self.widget = slicer.util.loadUI(str(UI_FOLDER / f"{type(self).__name__}.ui"))
        parentLayout.addWidget(self.widget)
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.widget.setMRMLScene(slicer.mrmlScene)
        self.setup()
        self.setParameterNode(parameterNode)

    def setParameterNode(self, parameterNode: BrainTumorSegParameterNode | None) -> None:
        """Bind the widgets to these choices, and let go of the former ones."""
        self.disconnectGui()
        self.parameterNode = parameterNode
        if parameterNode is not None:
            self._guiTag = parameterNode.connectGui(self.ui)
        self.update()

    def disconnectGui(self) -> None:
        """Choices and widgets no longer change each other."""
        if self.parameterNode is not None:
            self.parameterNode.disconnectGui(self._guiTag)
        self._guiTag = None

    def setup(self) -> None:
        """Connect the widgets' signals."""

    def update(self) -> None:
        """Show what can be done now."""

    def enter(self) -> None:
        """The user has opened this module."""

    def exit(self) -> None:
        """The user has opened another module."""

    def onSceneClosed(self) -> None:
        """The scene is about to close."""

    def cleanup(self) -> None:
        """The module is about to go."""
