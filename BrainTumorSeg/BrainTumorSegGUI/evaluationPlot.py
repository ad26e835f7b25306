"""The scores of a comparison as bars in Slicer's plot view. Main thread only."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from BrainTumorSegGUI.evaluationTable import DICE_COLUMN, IOU_COLUMN
from BrainTumorSegGUI.publish import PROVENANCE_PREFIX

_CHART_ROLE = PROVENANCE_PREFIX + "Chart"
_COLORS = {DICE_COLUMN: (0.0, 0.447, 0.698), IOU_COLUMN: (0.902, 0.624, 0.0)}  # blue and orange, which everybody tells apart


def chartOf(tableNode: slicer.vtkMRMLTableNode) -> slicer.vtkMRMLPlotChartNode:
    """The chart of a table of scores: Dice and IoU of each class; made once and then found again, in a reopened scene too."""
    chart = tableNode.GetNodeReference(_CHART_ROLE)
    if chart is None:
        chart = _newChart(tableNode)
        tableNode.SetNodeReferenceID(_CHART_ROLE, chart.GetID())
    return chart


def showPlot(tableNode: slicer.vtkMRMLTableNode) -> slicer.vtkMRMLPlotChartNode:
    """Show the chart of a table of scores; the layout changes to one that has a plot view."""
    chart = chartOf(tableNode)
    slicer.modules.plots.logic().ShowChartInLayout(chart)
    return chart


def _newChart(tableNode: slicer.vtkMRMLTableNode) -> slicer.vtkMRMLPlotChartNode:
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", slicer.mrmlScene.GenerateUniqueName(tableNode.GetName()))
    chart.SetTitle(tableNode.GetName())
    chart.SetYAxisTitle(_("Overlap (1 is perfect)"))
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0.0, 1.0)
    for column, color in _COLORS.items():
        title = tableNode.GetColumnName(column)
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", title)
        series.SetAndObserveTableNodeID(tableNode.GetID())
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeBar)
        series.SetYColumnName(title)
        series.SetLabelColumnName(tableNode.GetColumnName(0))
        series.SetColor(*color)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    return chart
