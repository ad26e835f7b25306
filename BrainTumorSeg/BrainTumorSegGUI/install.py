"""What Slicer's Python lacks: onnxruntime, and nothing else, from the internet or from a file.

Main thread only: pip from a thread crashes Slicer 5.12 (Slicer#9256).
"""

from __future__ import annotations

import sys
import tempfile
import threading
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
        RuntimeError: the user declined, pip failed, or this is no main thread; the text says what to do.
    """
    missing = [requirement for requirement in _requirements(requirementsFile) if not isInstalled(requirement)]
    if not missing:
        return
    _refuseThread()
    with tempfile.TemporaryDirectory() as folder:
        _install(missing, _constraintsFile(Path(folder)))


def installWheel(wheel: str | Path, requirementsFile: Path = REQUIREMENTS_FILE) -> None:
    """Install onnxruntime from a wheel file, without the internet and without touching any other package.

    Raises:
        InputError: another package, a version that is too old, or a wheel for another Python or system.
        RuntimeError: pip failed, or this is no main thread.
    """
    _refuseThread()
    problem = wheelProblem(Path(wheel).name, _requirements(requirementsFile)[0])
    if problem:
        from BrainTumorSegLib.api import InputError

        raise InputError(problem)
    _pipInstall(["--no-index", "--no-deps", str(wheel)])


def wheelProblem(name: str, requirement: Requirement) -> str:
    """Why a wheel of this file name cannot be installed here, "" if it can."""
    from packaging.tags import sys_tags
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        package, version, _build, tags = parse_wheel_filename(name)
    except InvalidWheelFilename:
        return _("{name} is no wheel, but a file onnxruntime-...whl is needed; download it for this system").format(name=name)
    if package != requirement.name or version not in requirement.specifier:
        return _("{name} is not {requirement}, which the models need; choose another file").format(name=name, requirement=requirement)
    if tags.isdisjoint(sys_tags()):
        version = ".".join(str(part) for part in sys.version_info[:2])
        return _("{name} is for another system or Python, but this Slicer has Python {version}; download the file for it").format(name=name, version=version)
    return ""


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


def _requirements(path: Path) -> list[Requirement]:
    from packaging.requirements import Requirement

    return [Requirement(line) for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]


def _constraintsFile(folder: Path) -> Path:
    path = folder / "constraints.txt"
    path.write_text("\n".join(protectedVersions()), encoding="utf-8")
    return path


def _refuseThread() -> None:
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            _("onnxruntime is missing, but Slicer installs packages on its main thread only; press Apply once, or call install.ensureOnnxruntime()")
        )


def _hasPackaging() -> bool:
    """Slicer 5.12 and newer: asks, shows progress, and skips in testing mode."""
    try:
        import slicer.packaging  # noqa: F401
    except ImportError:
        return False
    return True


def _install(requirements: list[Requirement], constraints: Path) -> None:
    if _hasPackaging():
        slicer.packaging.pip_ensure(requirements, constraints=constraints, requester="BrainTumorSeg")
    else:
        _installBefore512(requirements, constraints)


def _installBefore512(requirements: list[Requirement], constraints: Path) -> None:
    if slicer.app.testingEnabled():
        return
    question = _("Brain Tumor Segmentation needs the Python package {packages} (about 20 MB). Install it into Slicer now?")
    packages = [str(requirement) for requirement in requirements]
    if not slicer.util.confirmOkCancelDisplay(question.format(packages=", ".join(packages)), windowTitle=_("Install Python package")):
        raise RuntimeError(_("onnxruntime is not installed, but a model cannot run without it; press Apply again and choose OK, or install it from a file"))
    _pipInstall(["-c", str(constraints), *packages])


def _pipInstall(arguments: list[str]) -> None:
    if _hasPackaging():  # shows its own progress
        slicer.util.pip_install(arguments)
        return
    # pip lets the application draw between its lines, so a busy dialog (maximum 0) shows that it is alive.
    dialog = slicer.util.createProgressDialog(labelText=_("Installing onnxruntime..."), maximum=0, windowTitle=_("Install Python package"))
    try:
        slicer.util.pip_install(arguments)
    finally:
        dialog.close()
