"""Where the models and the phantom are: one function, the same three places for every door."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from BrainTumorSegLib.errors import InputError

ENVIRONMENT_VARIABLE = "BRAINTUMORSEG_RESOURCES"
IMPORTED_VARIABLE = "BRAINTUMORSEG_IMPORTED_MODELS"


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


def imported_models_folder() -> Path | None:
    """Where a user's own models are kept, there or not; they outlast an update of the extension.

    The environment variable BRAINTUMORSEG_IMPORTED_MODELS names it, else it is `BrainTumorSeg/Models` in the user's data folder.
    None where BRAINTUMORSEG_RESOURCES names all resources outright.
    """
    chosen = os.environ.get(IMPORTED_VARIABLE)
    if chosen:
        return Path(chosen)
    if os.environ.get(ENVIRONMENT_VARIABLE):
        return None
    return _user_data_folder() / "BrainTumorSeg" / "Models"


def _user_data_folder() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
