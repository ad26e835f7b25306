"""What Slicer's Python lacks: onnxruntime, and nothing else. Main thread only: pip from a thread crashes Slicer 5.12 (Slicer#9256)."""

from __future__ import annotations

import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

if TYPE_CHECKING:
    from packaging.requirements import Requirement

REQUIREMENTS_FILE = Path(__file__).resolve().parents[1] / "Resources" / "requirements.txt"
MINIMUM_PYTHON = (3, 10)
PROTECTED = ("numpy", "scipy", "SimpleITK")
"""Part of Slicer; replacing them breaks other modules."""


def pythonProblem() -> str:
    """Why this module cannot run in this Slicer, "" where it can."""
    if sys.version_info[:2] >= MINIMUM_PYTHON:
        return ""
    version = ".".join(str(part) for part in sys.version_info[:2])
    return _("This Slicer has Python {version}, but onnxruntime for Brain Tumor Segmentation needs Python 3.10; install Slicer 5.10 or newer.").format(
        version=version
    )


def ensureOnnxruntime(requirementsFile: Path = REQUIREMENTS_FILE) -> None:
    """Ask and install what the requirements file lists, if it is missing; returns at once where it is there.

    Raises:
        RuntimeError: the user declined, or pip failed; the text says what to do.
    """
    from packaging.requirements import Requirement

    requirements = [line for line in requirementsFile.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    missing = [text for text in requirements if not isInstalled(Requirement(text))]
    if not missing:
        return
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(protectedVersions()), encoding="utf-8")
        _install(missing, constraints)


def isInstalled(requirement: Requirement) -> bool:
    """True where a distribution of this name is installed in a version that the requirement allows."""
    try:
        return requirement.specifier.contains(metadata.version(requirement.name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False


def protectedVersions() -> list[str]:
    """pip constraints that hold Slicer's own packages at the version they have."""
    installed = {distribution.metadata["Name"].lower(): distribution.version for distribution in metadata.distributions() if distribution.metadata["Name"]}
    return [f"{name}=={installed[name.lower()]}" for name in PROTECTED if name.lower() in installed]


def _install(requirements: list[str], constraints: Path) -> None:
    try:
        import slicer.packaging  # Slicer 5.12 and newer: asks, shows progress, skips in testing mode
    except ImportError:
        _installBefore512(requirements, constraints)
        return
    slicer.packaging.pip_ensure(requirements, constraints=constraints, requester="BrainTumorSeg")


def _installBefore512(requirements: list[str], constraints: Path) -> None:
    if slicer.app.testingEnabled():
        return
    question = _("Brain Tumor Segmentation needs the Python package {packages} (about 20 MB). Install it into Slicer now?")
    if not slicer.util.confirmOkCancelDisplay(question.format(packages=", ".join(requirements)), windowTitle=_("Install Python package")):
        raise RuntimeError(_("onnxruntime is not installed, but a model cannot run without it; press Apply again and choose OK"))
    # pip lets the application draw between its lines, so a busy dialog (maximum 0) shows that it is alive.
    dialog = slicer.util.createProgressDialog(labelText=_("Installing onnxruntime..."), maximum=0, windowTitle=_("Install Python package"))
    try:
        slicer.util.pip_install(["-c", str(constraints), *requirements])
    finally:
        dialog.close()
