"""The panels of the module, from top to bottom; a new one is one line here."""

from __future__ import annotations

from BrainTumorSegGUI.editPanel import EditPanel
from BrainTumorSegGUI.evaluationPanel import EvaluationPanel
from BrainTumorSegGUI.inputsPanel import InputsPanel
from BrainTumorSegGUI.queuePanel import QueuePanel
from BrainTumorSegGUI.resultPanel import ResultPanel
from BrainTumorSegGUI.runPanel import RunPanel

PANELS = (InputsPanel, RunPanel, ResultPanel, EditPanel, QueuePanel, EvaluationPanel)
