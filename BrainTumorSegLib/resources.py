"""Where the models and the phantom are: one function, the same three places for every door."""

from __future__ import annotations

import os
from pathlib import Path

from BrainTumorSegLib.errors import InputError

ENVIRONMENT_VARIABLE = "BRAINTUMORSEG_RESOURCES"


def find_resources() -> Path:
    """The folder that holds `Models` and `Phantom`.

    The environment variable BRAINTUMORSEG_RESOURCES names it outright. Otherwise the first that exists of: `_resources` inside
    the package (an installed wheel), `Resources` beside the package (a source checkout, or the scripted modules folder in which
    CMake puts the package beside the module), `Resources` one level up.

    Raises:
        InputError: there is no such folder.
    """
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    package = Path(__file__).resolve().parent
    places = [Path(chosen)] if chosen else [package / "_resources", package.parent / "Resources", package.parent.parent / "Resources"]
    for place in places:
        if any((place / part).is_dir() for part in ("Models", "Phantom")):
            return place
    tried = ", ".join(str(place) for place in places)
    raise InputError(f"the models and the phantom are missing (looked in {tried}), but the program needs them; install it again or set {ENVIRONMENT_VARIABLE}")
