"""What the edit panel says."""

from __future__ import annotations

from slicer.i18n import tr as _

from BrainTumorSegLib.api import ReviewPlan


def planeText(plane: str) -> str:
    """What a user calls a plane."""
    return {"axial": _("axial"), "coronal": _("coronal"), "sagittal": _("sagittal")}[plane]


def reviewText(plan: ReviewPlan, reviewed: set[int], shown: int | None) -> str:
    """How many slices are left, and what is known of the shown one."""
    left = sum(index not in reviewed for index in plan.slices)
    if not plan.slices:
        text = _("No slice has tumor or doubt.")
    elif not left:
        text = _("All {count} slices with tumor or doubt are reviewed.").format(count=len(plan.slices))
    else:
        text = _("{left} of {count} {plane} slices are left.").format(left=left, count=len(plan.slices), plane=planeText(plan.plane))
    if shown is None:
        return text
    state = _("reviewed") if shown in reviewed else _("not reviewed")
    here = _("Shown: slice {number}, {area:.0f} mm² in doubt, {state}.").format(number=shown + 1, area=plan.doubt_mm2[shown], state=state)
    return f"{text}\n{here}"


def shortcutsText() -> str:
    """The keys that work while this module is open and a segmentation is edited: ours, and those of Slicer's Segment Editor."""
    rows = [
        ("N", _("slice is reviewed, go to the next uncertain one")),
        ("M", _("later: next uncertain slice without a mark")),
        ("Shift+N", _("back to the slice reviewed last")),
        ("1 ... 0", _("choose an editing tool")),
        ("Esc", _("put the tool away")),
        (_("Space"), _("change between the last two tools")),
        ("Q, W", _("previous, next segment")),
        ("Z, Y", _("undo, redo")),
        (_("Left, Right"), _("previous, next slice")),
        ("G", _("show or hide the segments")),
    ]
    cells = "".join(f"<tr><td><b>{key}</b>&nbsp;&nbsp;</td><td>{meaning}</td></tr>" for key, meaning in rows)
    return f"<table>{cells}</table>"
