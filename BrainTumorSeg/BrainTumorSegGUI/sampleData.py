"""The head phantom that comes with the module, offered by Slicer's Sample Data module. It is no patient, and nothing is downloaded."""

from __future__ import annotations

import hashlib
from pathlib import Path

from slicer.i18n import tr as _

from BrainTumorSegLib import labels

SAMPLE_NAME = "BrainTumorSegPhantom"
PHANTOM_FOLDER = Path(labels.__file__).parents[1] / "Resources" / "Phantom"
THUMBNAIL = Path(__file__).resolve().parents[1] / "Resources" / "Icons" / "BrainTumorSeg.png"


def registerSampleData() -> None:
    """Offer the phantom with its reference, so that a first try has something to be compared with; nothing where it is not installed."""
    import SampleData

    files = [PHANTOM_FOLDER / "t1ce.nii.gz", PHANTOM_FOLDER / "reference.nii.gz"]
    if not all(file.is_file() for file in files):
        return
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=_("Brain Tumor Segmentation"),
        sampleName=SAMPLE_NAME,
        thumbnailFileName=str(THUMBNAIL),
        uris=[file.as_uri() for file in files],
        fileNames=[f"{SAMPLE_NAME}-{file.name}" for file in files],  # in Slicer's download cache, which all modules share
        checksums=[f"SHA256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files],
        nodeNames=["Phantom T1ce", "Phantom reference"],
        loadFileTypes=["VolumeFile", "SegmentationFile"],
    )
