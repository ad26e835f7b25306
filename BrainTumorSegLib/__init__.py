"""BrainTumorSeg: segmentation of brain tumors in MRI. Research only, not a medical device."""

__version__ = "0.1.0"
