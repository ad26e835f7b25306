"""What the case queue says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from BrainTumorSegLib import api

if TYPE_CHECKING:
    from BrainTumorSegGUI.queueOpenCase import OpenCase


def stateText(state: str) -> str:
    """What a user calls the state of a case."""
    return {api.TO_DO: _("to do"), api.AI_DONE: _("AI done"), api.REVIEWED: _("reviewed"), api.DOUBTFUL: _("doubtful")}[state]


def timeText(seconds: int) -> str:
    """A time somebody worked, "" for none."""
    if not seconds:
        return ""
    if seconds < 60:
        return _("{seconds} s").format(seconds=seconds)
    minutes = seconds // 60
    return _("{minutes} min").format(minutes=minutes) if minutes < 60 else _("{hours} h {minutes} min").format(hours=minutes // 60, minutes=minutes % 60)


def queueText(queue: api.CaseQueue | None, opened: OpenCase | None, idle: bool) -> str:
    """How much of a queue is done, which case is open, and what of it was not saved."""
    if queue is None:
        return ""
    count = queue.count()
    states = ", ".join(f"{number} {stateText(state)}" for state, number in count.states.items() if number)
    lines = [_("{count} cases: {states}.").format(count=len(queue.cases), states=states)]
    if count.seconds:
        lines[0] += " " + _("Time spent: {time}.").format(time=timeText(count.seconds))
    lines.append(_("Masks are kept in {folder}.").format(folder=queue.corrected))
    if opened is not None:
        lines.append(_("Open: {case}.").format(case=opened.name))
        if opened.ignored:
            lines.append(_("Not saved, since no label of training stands for them: {names}.").format(names=", ".join(opened.ignored)))
    if not idle:
        lines.append(_("Reading or saving..."))
    return "\n".join(lines)
