"""Four sequences and a model: chosen by themselves, with the reason, and with what is doubtful about them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.util import VTKObservationMixin

from BrainTumorSegGUI import inputs, modelCard
from BrainTumorSegGUI.grayValues import Look, lookAt
from BrainTumorSegGUI.panel import Panel
from BrainTumorSegGUI.parameters import inputNodes
from BrainTumorSegGUI.queueTask import QueueTask
from BrainTumorSegGUI.sentences import errorsShown, translated
from BrainTumorSegGUI.summary import roleText
from BrainTumorSegLib.api import InputError, ModelInfo
from BrainTumorSegLib.labels import ROLES

_SETTLED_MS = 200
"""New volumes are looked at when none has come for so long: a volume gets its image after it was added to the scene."""
_WARNING_COLOR = "#d55e00"
"""Vermilion, which the color-blind tell from gray; a sign stands before each warning too."""
_NODE_EVENTS = (vtk.vtkCommand.ModifiedEvent, slicer.vtkMRMLTransformableNode.TransformModifiedEvent)


class InputsPanel(Panel, VTKObservationMixin):
    """Chooses the volumes and the model."""

    def __init__(self, parentLayout, logic, parameterNode=None) -> None:
        VTKObservationMixin.__init__(self)
        self._seen: set[str] = set()  # IDs of volumes that were offered a place before
        self._unknown: list[str] = []  # IDs of volumes that wait for one until their gray values were looked at
        self._observed: dict[str, str] = {}  # role -> ID of the volumes that are watched for changes
        self._tags: list = []
        self._models: list = []
        super().__init__(parentLayout, logic, parameterNode)

    def setup(self) -> None:
        self._notes = {"t1": self.ui.t1Note, "t1ce": self.ui.t1ceNote, "t2": self.ui.t2Note, "flair": self.ui.flairNote}
        self._settled = qt.QTimer()
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLED_MS)
        self._settled.connect("timeout()", self.onSettled)
        self._looking = QueueTask()
        self._items = qt.QStandardItemModel()
        self.ui.modelSelector.setModel(self._items)
        self.ui.modelSelector.connect("activated(int)", self.onModelChosen)
        self.ui.findButton.connect("clicked(bool)", self.onFind)
        self.ui.importButton.connect("clicked(bool)", self.onImport)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeAddedEvent, self.onSceneChanged)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneImported)

    def update(self) -> None:
        chosen = inputNodes(self.parameterNode) if self.parameterNode is not None else {}
        self._watch(chosen)
        model = self._showModels(chosen)
        for role, note in self._notes.items():
            self._showNote(note, role, chosen, model)
        self._look(chosen)

    def enter(self) -> None:
        self.onSettled()

    def onSceneClosed(self) -> None:
        self._stop()
        self._seen.clear()

    def cleanup(self) -> None:
        self._stop()
        self.removeObservers()

    def onSceneChanged(self, caller=None, event=None) -> None:
        self._settled.start()

    def onSceneImported(self, caller=None, event=None) -> None:
        """A saved scene brings its choices; what it left empty stays empty."""
        if self.parameterNode is not None and inputNodes(self.parameterNode):
            self._seen |= {node.GetID() for node in inputs.offeredVolumes()}

    def onSettled(self) -> None:
        """Give new volumes the places that are empty."""
        new = [node for node in inputs.offeredVolumes() if node.GetID() not in self._seen]
        if self.parameterNode is not None and new:
            self._seen |= {node.GetID() for node in new}
            self._offer(new)
        self.update()

    def onFind(self, checked: bool = False) -> None:
        """Choose anew among all volumes, also where the user has chosen."""
        self._unknown = []
        with slicer.util.NodeModify(self.parameterNode.parameterNode):
            for role in ROLES:
                setattr(self.parameterNode, role, None)
            self._offer(inputs.offeredVolumes())
        self.update()

    def onModelChosen(self, index: int) -> None:
        if self.parameterNode is not None and 0 <= index < len(self._models):
            self.parameterNode.model = self._models[index].name

    def onImport(self, checked: bool = False) -> None:
        path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), _("Import models"), "", _("Models (*.zip)"))
        if not path:
            return
        with errorsShown(_("The models could not be imported."), waitCursor=True):
            names = ", ".join(model.title for model in self.logic.importModels(path))
            self.ui.importLabel.text = _("Imported: {models}.").format(models=names) if names else _("These models are here already.")
            self.ui.importLabel.visible = True
        self.update()

    def onInputModified(self, caller=None, event=None) -> None:
        self._settled.start()

    def _offer(self, nodes: Iterable[slicer.vtkMRMLScalarVolumeNode]) -> None:
        """Give these volumes the places that are empty; those of which nothing tells wait until their gray values were looked at."""
        nodes = list(nodes)
        self._unknown += [node.GetID() for node in nodes if not inputs.isGuessed(node)]
        self._fill(node for node in nodes if inputs.isGuessed(node))

    def _look(self, chosen: Mapping[str, slicer.vtkMRMLScalarVolumeNode]) -> None:
        """Answer what is open about gray values in a thread, one question after the other."""
        if self._looking.busy or self.parameterNode is None:
            return
        unknown = [node for node in map(slicer.mrmlScene.GetNodeByID, self._unknown) if node is not None]
        for node, question in inputs.openQuestions(unknown, chosen):
            with contextlib.suppress(InputError):  # it cannot be read, which its note says
                self._ask(lookAt(node, question))
                return
        if unknown:
            self._unknown = []
            self._fill(node for node in unknown if inputs.isGuessed(node))

    def _ask(self, look: Look) -> None:
        title = _("The gray values could not be looked at.")
        self._looking.start(look.answer, lambda answer: self._onLooked(look, answer), lambda: self._onLooked(look, look.noAnswer), title)

    def _onLooked(self, look: Look, answer: object) -> None:
        look.keep(answer)
        self.update()

    def _stop(self) -> None:
        self._settled.stop()
        self._looking.finish()
        self._unknown = []
        self._watch({})

    def _fill(self, nodes: Iterable[slicer.vtkMRMLScalarVolumeNode]) -> None:
        taken = inputNodes(self.parameterNode)
        free = [node for node in nodes if node not in taken.values()]
        with slicer.util.NodeModify(self.parameterNode.parameterNode):
            for role, node in inputs.proposedInputs(free).items():
                if role not in taken:
                    setattr(self.parameterNode, role, node)

    def _watch(self, chosen: Mapping[str, slicer.vtkMRMLScalarVolumeNode]) -> None:
        """A chosen volume that is renamed, moved or changed gets another note."""
        ids = {role: node.GetID() for role, node in chosen.items()}
        if ids == self._observed:
            return
        for node, tag in self._tags:
            node.RemoveObserver(tag)
        self._observed = ids
        # Not by the mixin, which would keep a volume in memory after it has left the scene.
        self._tags = [(node, node.AddObserver(event, self.onInputModified)) for node in chosen.values() for event in _NODE_EVENTS]

    def _showModels(self, chosen: Mapping[str, slicer.vtkMRMLScalarVolumeNode]):
        """Fill the model selector, models that cannot run greyed with the reason; returns the model that is chosen."""
        try:
            self._models = self.logic.models()
        except self.logic.userErrors as error:  # the module still opens, to say why it cannot run
            self._models = []
            self.ui.modelCard.text = translated(str(error))
            return None
        self._items.clear()
        for model in self._models:
            problem = modelCard.problemText(model, chosen)
            item = qt.QStandardItem(_("{title} ({problem})").format(title=model.title, problem=problem) if problem else model.title)
            item.setEnabled(not problem)
            item.setToolTip(problem or model.task)
            self._items.appendRow(item)
        name = self.parameterNode.model if self.parameterNode is not None else ""
        model = modelCard.chosenModel(self._models, name, chosen)
        self.ui.modelSelector.currentIndex = self._models.index(model) if model else -1
        self.ui.modelCard.text = modelCard.cardText(model) if model else _("No model is installed.")
        self.ui.modelCard.toolTip = modelCard.detailText(model) if model else ""
        absent = name and name not in [installed.name for installed in self._models]
        self.ui.modelNote.text = _("⚠ The model {name} of this scene is not installed; another is chosen.").format(name=name) if absent else ""
        self.ui.modelNote.visible = bool(absent)
        return model

    def _showNote(self, note, role: str, chosen: Mapping[str, slicer.vtkMRMLScalarVolumeNode], model: ModelInfo | None) -> None:
        warnings, remarks, used = [], [], model.inputs if model else ()
        if role in chosen:
            warnings = inputs.warningTexts(role, chosen, used)
            remarks = [inputs.reasonText(role, chosen[role])] if not warnings else []
            remarks += [] if role in used else [_("The chosen model does not read it.")]
        elif chosen and model and role in model.missing(chosen):
            warnings = [_("The chosen model needs {role}.").format(role=roleText(role))]
        note.text = "\n".join([*(_("⚠ {warning}").format(warning=warning) for warning in warnings), *remarks])
        note.styleSheet = f"color: {_WARNING_COLOR}" if warnings else "color: gray"
        note.visible = bool(note.text)
