"""Pictures of the README and the catalog: the phantom (no patient), segmented by the shipped model, in Slicer's own views."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import slicer
import slicer.util
import views
import vtk
from BrainTumorSegGUI.evaluation import ComparisonRun
from BrainTumorSegGUI.evaluationDifference import COLORS, partNames, publishDifference
from BrainTumorSegGUI.publish import publishSegmentation
from BrainTumorSegGUI.volumes import imageFromVolume
from pictures import grab
from PIL import Image, ImageDraw, ImageFont

from BrainTumorSegLib import api

SIZE = (560, 440)  # of one view, pixels
GAP = 4
BEHIND_MM = 32.0
SIDES = {"Red": "RLAP", "Green": "RLSI", "Yellow": "APSI"}  # left, right, top, bottom of each slice view
LINE = {"Red": (243, 74, 51), "Green": (110, 176, 75), "Yellow": (237, 213, 76), "View1": (116, 124, 190)}
TITLES = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal", "View1": "3-D"}


def drawViews(folder: Path) -> None:
    """Write `slicer-views.png` (the result) and `slicer-difference.png` (the result against the phantom's own tumor) into a folder."""
    phantom = api.find_resources() / "Phantom"
    volume, reference = api.read_volume(phantom / "t1ce.nii.gz"), api.read_label_volume(phantom / "reference.nii.gz")
    volumeNode = addVolume(volume, "Phantom T1ce")
    result = api.segment({"t1ce": volume})
    segmentation = publishSegmentation(result, volumeNode, {"t1ce": volumeNode})
    middle = middleRas(result.labels)
    slices = {name: views.SliceView(name, SIZE, volumeNode) for name in views.ORIENTATIONS}
    volume_ml = sum(result.volumes_ml.values())
    draw(slices, segmentation, middle, f"{segmentation.GetName()}: {volume_ml:.1f} mL").save(folder / "slicer-views.png", optimize=True)
    run = ComparisonRun(segmentation, addVolume(reference, "Phantom reference", "vtkMRMLLabelMapVolumeNode"))
    while not run.poll(0.1).finished:
        pass
    pair, row = run.comparison.rows[0]
    difference = publishDifference(run.comparison, pair, volumeNode)
    segmentation.GetDisplayNode().SetVisibility(False)
    caption = f"Dice {row.dice:.3f}, HD95 {row.hd95_mm:.1f} mm"
    legend = {partNames()[value]: color for value, color in COLORS.items()}
    draw(slices, difference, middle, caption, legend).save(folder / "slicer-difference.png", optimize=True)
    slicer.mrmlScene.RemoveNode(difference)
    segmentation.GetDisplayNode().SetVisibility(True)


def drawPanels(folder: Path) -> None:
    """Write `panels.png` into a folder: the module's panels after a run and a comparison, drawn with the test host's widgets."""
    import ctk
    import qt
    from BrainTumorSegGUI.panels import PANELS

    import BrainTumorSeg

    scene = slicer.mrmlScene
    volumeNode, result, reference = (scene.GetFirstNodeByName(name) for name in ("Phantom T1ce", "Phantom T1ce tumor", "Phantom reference"))
    logic = BrainTumorSeg.BrainTumorSegLogic()
    parameters = logic.getParameterNode()
    parameters.t1ce, parameters.segmentation, parameters.reference = volumeNode, result, reference
    parameters.evaluation, _notices = logic.evaluate(result, reference)
    columns: list[list[Image.Image]] = [[], []]
    for index, panelClass in enumerate(PANELS):
        parent = slicer.qMRMLWidget()
        parent.setLayout(qt.QVBoxLayout())
        panel = panelClass(parent.layout(), logic, parameters)
        for widget in vars(panel.ui).values():
            if isinstance(widget, ctk.ctkCollapsibleButton):
                widget.collapsed = False
        panel.enter()
        panel.update()
        with tempfile.TemporaryDirectory() as temporary:
            grab(parent, Path(temporary) / "panel.png")
            columns[2 * index // len(PANELS)].append(Image.open(Path(temporary) / "panel.png").convert("RGB").copy())
        panel.exit()
        panel.cleanup()
        panel.setParameterNode(None)
    sideBySide(columns).save(folder / "panels.png", optimize=True)


def sideBySide(columns: list[list[Image.Image]]) -> Image.Image:
    """Columns of pictures, each column from the top."""
    widths = [max(picture.width for picture in column) for column in columns]
    heights = [sum(picture.height for picture in column) for column in columns]
    sheet = Image.new("RGB", (sum(widths), max(heights)), columns[0][0].getpixel((0, 0)))
    for index, column in enumerate(columns):
        y = 0
        for picture in column:
            sheet.paste(picture, (sum(widths[:index]), y))
            y += picture.height
    return sheet


def addVolume(volume: api.Volume, name: str, kind: str = "vtkMRMLScalarVolumeNode") -> slicer.vtkMRMLVolumeNode:
    matrix = vtk.vtkMatrix4x4()
    imageFromVolume(volume).GetImageToWorldMatrix(matrix)
    node = slicer.util.addVolumeFromArray(np.round(volume.array).astype(np.int16), slicer.util.arrayFromVTKMatrix(matrix), name, kind)
    if kind == "vtkMRMLScalarVolumeNode":
        node.GetDisplayNode().SetAutoWindowLevel(False)
        node.GetDisplayNode().SetWindowLevelMinMax(0, float(np.percentile(volume.array, 99.7)))
    return node


def middleRas(labels: api.Volume) -> tuple[float, float, float]:
    """The tumor's middle in RAS mm."""
    index = np.argwhere(labels.array).mean(axis=0)[::-1]
    lps = np.array(labels.origin) + labels.matrix @ (index * labels.spacing_mm)
    return -float(lps[0]), -float(lps[1]), float(lps[2])


def draw(slices: dict, segmentation: slicer.vtkMRMLSegmentationNode, middle: tuple, caption: str, legend: dict | None = None) -> Image.Image:
    """Four views, as Slicer lays them out: axial and 3-D above, coronal and sagittal below."""
    segmentation.CreateClosedSurfaceRepresentation()
    pictures = {}
    for name, view in slices.items():
        view.jump(middle)
        pictures[name] = view.picture()
        view.sliceNode.SetSliceVisible(True)
        view.jump((0.0, middle[1] - BEHIND_MM, middle[2] - BEHIND_MM))  # in 3-D the slices stand behind the tumor and below it
    inSpace = views.ThreeDView(SIZE)
    inSpace.look(middle, fromRas=(0.9, 0.9, 0.6), distanceMm=400)
    pictures["View1"] = inSpace.picture()
    width, height = SIZE
    sheet = Image.new("RGB", (2 * width + GAP, 2 * height + GAP), (40, 40, 40))
    for (name, picture), place in zip(pictures.items(), ((0, 0), (0, 1), (1, 1), (1, 0))):
        sheet.paste(annotated(picture, name), (place[0] * (width + GAP), place[1] * (height + GAP)))
    write(sheet, caption, legend or {})
    return sheet


def annotated(picture: np.ndarray, name: str) -> Image.Image:
    """A view with its name, the bar that Slicer marks it with, and the sides of the patient."""
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, SIZE[0], 7), fill=LINE[name])
    pen.text((10, 16), TITLES[name], font=font(18), fill="white")
    if name in SIDES:
        left, right, top, bottom = SIDES[name]
        middle = (SIZE[0] // 2, SIZE[1] // 2)
        for letter, place in ((left, (16, middle[1])), (right, (SIZE[0] - 16, middle[1])), (top, (middle[0], 24)), (bottom, (middle[0], SIZE[1] - 16))):
            pen.text(place, letter, font=font(18), fill=(255, 220, 120), anchor="mm")
    return image


def write(sheet: Image.Image, caption: str, legend: dict[str, tuple[int, int, int]]) -> None:
    """The caption in the 3-D view, and what its colors mean."""
    pen = ImageDraw.Draw(sheet)
    x, y = SIZE[0] + GAP, SIZE[1] - 34
    pen.rectangle((x, y, x + SIZE[0], SIZE[1] - 1), fill=(30, 30, 45))
    x += 12
    pen.text((x, y + 6), caption, font=font(18), fill="white")
    for index, (name, color) in enumerate(legend.items()):
        pen.rectangle((x, 48 + 26 * index, x + 16, 64 + 26 * index), fill=color, outline="black")
        pen.text((x + 24, 46 + 26 * index), name, font=font(18), fill="black")


def font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)
