"""The exceptions that reach a user: one sentence each, saying what, why and the cure."""

from __future__ import annotations


class BrainTumorSegError(Exception):
    """Base of every error whose text is meant to be shown to a user as it stands."""


class InputError(BrainTumorSegError, ValueError):
    """An argument, a file or a volume that cannot be used; the text says what, why and the cure."""


class ModelError(BrainTumorSegError, RuntimeError):
    """A model that is missing, altered or not one of ours; the text says what, why and the cure."""


class Cancelled(BrainTumorSegError):
    """The user stopped the work; nothing was written."""
