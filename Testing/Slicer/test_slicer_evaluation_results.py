"""What becomes of a comparison: the CSV file, the difference segmentation, the plot."""

import csv

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import host
import slicer
import slicer.util
from boxes import box, label_map
from BrainTumorSegGUI import evaluationDifference as difference
from BrainTumorSegGUI.evaluation import ComparisonRun
from BrainTumorSegGUI.evaluationPlot import chartOf, showPlot
from BrainTumorSegGUI.evaluationSides import collectSide
from BrainTumorSegGUI.evaluationTable import tableFromComparison, writeCsv
from watching import wait_for

from BrainTumorSegLib.api import InputError


def compared(prediction, reference):
    nodes = label_map(prediction, "Result"), label_map(reference, "Truth")
    run = ComparisonRun(*nodes)
    wait_for(run)
    return run.comparison, nodes[1]


def lines(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_the_csv_file_holds_every_score_and_both_names(tmp_path):
    table = tableFromComparison(compared(box(2, 5), box(3, 6))[0])
    writeCsv(table, tmp_path / "scores.csv")
    header, row = lines(tmp_path / "scores.csv")
    assert header == ["segmentation", "reference", "class", "dice", "iou", "hd95_mm", "status", "volume_ml", "reference_volume_ml"]
    assert row[:3] == ["Result", "Truth", "Tumor"]
    assert [float(cell) for cell in (*row[3:6], *row[7:])] == pytest.approx([2 / 3, 1 / 2, 1.0, 0.096, 0.096], abs=5e-5)
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_an_undefined_distance_is_an_empty_cell_with_its_reason(tmp_path):
    writeCsv(tableFromComparison(compared(box(0, 0), box(3, 6))[0]), tmp_path / "scores.csv")
    assert lines(tmp_path / "scores.csv")[1][5:7] == ["", "missed"]


def test_a_file_that_cannot_be_written_is_told_in_words_and_keeps_what_was_there(tmp_path):
    table = tableFromComparison(compared(box(2, 5), box(3, 6))[0])
    (tmp_path / "scores.csv").mkdir()
    with pytest.raises(InputError, match=r"scores\.csv was not written .*choose another folder"):
        writeCsv(table, tmp_path / "scores.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def test_a_difference_tells_agreed_missed_and_false_apart():
    # Found i = 2..4, true i = 3..5: 3 and 4 are agreed, 5 is missed, 2 is false.
    comparison, reference = compared(box(2, 5), box(3, 6))
    node = difference.publishDifference(comparison, comparison.rows[0][0], reference)
    names = [node.GetSegmentation().GetNthSegment(index).GetName() for index in range(3)]
    assert names == ["Agreed", "Missed", "False"]
    side = collectSide(node)
    masks = [side.mask([node.GetSegmentation().GetNthSegmentID(index)]).array for index in range(3)]
    assert all(np.array_equal(mask, expected) for mask, expected in zip(masks, [box(3, 5), box(5, 6), box(2, 3)]))
    assert node.GetName() == "Tumor: Result vs Truth"


def test_a_difference_lies_on_the_grid_of_the_reference_and_says_what_it_compares():
    comparison, reference = compared(box(2, 5), box(3, 6))
    node = difference.publishDifference(comparison, comparison.rows[0][0], reference)
    assert collectSide(node).grid.same_grid(comparison.reference.grid)
    assert node.GetAttribute("BrainTumorSeg.Reference") == "Truth"
    assert node.GetDisplayNode() is not None


def test_a_difference_lies_in_the_study_of_the_reference(study):
    comparison, reference = compared(box(2, 5), box(3, 6))
    study.put(reference)
    assert difference.publishDifference(comparison, comparison.rows[0][0], reference) in study


def test_no_difference_is_shown_as_one():
    comparison, _ = compared(box(0, 0), box(0, 0))
    node = difference.publishDifference(comparison, comparison.rows[0][0], None)
    assert node.GetSegmentation().GetNumberOfSegments() == 3


# Machado, Oliveira & Fernandes 2009 (doi:10.1109/TVCG.2009.113), severity 1.0, on linear RGB.
COLOR_BLIND = {
    "nobody": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def lab(color, matrix):
    """CIE L*a*b* (D65) of an sRGB color of 0-255 as somebody with this deficiency sees it."""
    srgb = np.array(color) / 255.0
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(matrix) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("deficiency", COLOR_BLIND)
def test_the_colors_of_a_difference_are_told_apart(deficiency):
    colors = [lab(color, COLOR_BLIND[deficiency]) for color in difference.COLORS.values()]
    distances = [np.linalg.norm(first - second) for index, first in enumerate(colors) for second in colors[index + 1 :]]
    assert min(distances) > 30  # 2.3 is just noticeable


def test_the_chart_shows_dice_and_iou_of_each_class():
    table = tableFromComparison(compared(box(2, 5), box(3, 6))[0])
    chart = chartOf(table)
    series = [chart.GetNthPlotSeriesNode(index) for index in range(chart.GetNumberOfPlotSeriesNodes())]
    assert [(one.GetYColumnName(), one.GetLabelColumnName()) for one in series] == [("Dice", "Class"), ("IoU", "Class")]
    assert all(one.GetTableNode() is table and one.GetPlotType() == one.PlotTypeBar for one in series)
    assert chart.GetYAxisRange() == (0.0, 1.0)
    assert not chart.GetYAxisRangeAuto()


def test_a_table_has_one_chart_however_often_it_is_shown():
    table = tableFromComparison(compared(box(2, 5), box(3, 6))[0])
    assert chartOf(table) is chartOf(table)


def test_the_plot_is_shown_in_a_layout_that_has_a_plot_view(monkeypatch):
    layout = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLayoutNode")
    logic = slicer.vtkSlicerPlotsLogic()
    logic.SetMRMLScene(slicer.mrmlScene)
    logic.SetMRMLApplicationLogic(slicer.applicationLogic)
    layout.AddLayoutDescription(logic.GetLayoutWithPlot(layout.SlicerLayoutNone), "<layout></layout>")  # as the application knows it
    monkeypatch.setattr(slicer.modules, "plots", host.Module(logic), raising=False)
    chart = showPlot(tableFromComparison(compared(box(2, 5), box(3, 6))[0]))
    assert layout.GetViewArrangement() == logic.GetLayoutWithPlot(layout.SlicerLayoutNone)
    assert slicer.applicationLogic.GetSelectionNode().GetActivePlotChartID() == chart.GetID()
