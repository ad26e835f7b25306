"""Numbers of folds that mean the same in every set."""

from __future__ import annotations

ALL_CASES = 0
"""The fold that no case belongs to: nothing is kept out of training."""
