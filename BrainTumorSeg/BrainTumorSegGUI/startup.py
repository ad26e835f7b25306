"""What is registered once, when Slicer has started and all modules are there: the Segment Editor effect and the sample data."""

from __future__ import annotations

from pathlib import Path

EFFECT_FILE = Path(__file__).resolve().parents[1] / "SegmentEditorTumorAILib" / "SegmentEditorEffect.py"


def registerExtras() -> None:
    from BrainTumorSegGUI.sampleData import registerSampleData

    registerEffect()
    registerSampleData()


def registerEffect() -> None:
    """Give the Segment Editor the effect "Tumor (AI)", as Slicer registers its own scripted effects."""
    import qSlicerSegmentationsEditorEffectsPythonQt as effects

    instance = effects.qSlicerSegmentEditorScriptedEffect(None)
    instance.setPythonSource(EFFECT_FILE.as_posix())
    instance.self().register()
