"""What is installed into Slicer's Python, when, and what is never touched; and the license shown before a model's first use."""

import sys
import types
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

pytest.importorskip("slicer_core", reason="slicer-core (real MRML without the application) is not installed for this Python")

import slicer
import slicer.util
from BrainTumorSegGUI import install
from BrainTumorSegGUI.consent import confirmLicense, licenseText

ABSENT = "a-package-that-nobody-has>=1.0"


@dataclass
class Model:
    name: str = "t1ce-tumor"
    title: str = "Tumor in T1ce"
    license: str = "CC BY-NC 4.0"
    license_note: str = "The strictest license of its training sets."


class Settings:
    """The two methods of QSettings that are used."""

    def __init__(self):
        self.stored = {}

    def value(self, key):
        return self.stored.get(key)

    def setValue(self, key, value):
        self.stored[key] = value


class Questions:
    """Stands in for a confirmation dialog: notes the question and gives the answer."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []

    def __call__(self, text, windowTitle=None):
        self.asked.append(text)
        return self.answer


@pytest.fixture
def user(monkeypatch):
    """Slicer used by a person: not in testing mode."""
    monkeypatch.setattr(slicer.app, "testingEnabled", lambda: False)


@pytest.fixture
def missing(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text(f"# a comment\n\n{ABSENT}\n", encoding="utf-8")
    return path


def test_only_onnxruntime_is_asked_for():
    assert install.REQUIREMENTS_FILE.read_text(encoding="utf-8") == "onnxruntime>=1.20\n"


def test_nothing_is_asked_where_it_is_installed(monkeypatch, user, tmp_path):
    questions = Questions(True)
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", questions)
    path = tmp_path / "requirements.txt"
    path.write_text("numpy>=1.0\n", encoding="utf-8")
    install.ensureOnnxruntime(path)
    assert questions.asked == []


def test_a_version_that_is_too_old_counts_as_missing():
    from packaging.requirements import Requirement

    assert install.isInstalled(Requirement("numpy>=1.0"))
    assert not install.isInstalled(Requirement("numpy>=999"))
    assert not install.isInstalled(Requirement(ABSENT))


def test_numpy_is_held_at_the_version_it_has():
    assert f"numpy=={metadata.version('numpy')}" in install.protectedVersions()


def test_slicer_before_5_12_asks_once_and_holds_slicers_own_packages(monkeypatch, user, missing):
    questions, installed, dialogs = Questions(True), [], []

    def pip_install(arguments):
        installed.append(arguments)
        constraints = Path(arguments[1]).read_text(encoding="utf-8")
        assert f"numpy=={metadata.version('numpy')}" in constraints.splitlines()

    def createProgressDialog(labelText, maximum, windowTitle):
        dialogs.append(labelText)
        return types.SimpleNamespace(close=lambda: dialogs.append("closed"))

    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", questions)
    monkeypatch.setattr(slicer.util, "pip_install", pip_install)
    monkeypatch.setattr(slicer.util, "createProgressDialog", createProgressDialog)
    install.ensureOnnxruntime(missing)
    assert len(questions.asked) == 1
    assert [(arguments[0], *arguments[2:]) for arguments in installed] == [("-c", ABSENT)]
    assert dialogs == ["Installing onnxruntime...", "closed"]


def test_slicer_before_5_12_installs_nothing_where_the_user_declines(monkeypatch, user, missing):
    installed = []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", Questions(False))
    monkeypatch.setattr(slicer.util, "pip_install", installed.append)
    with pytest.raises(RuntimeError, match="press Apply again and choose OK"):
        install.ensureOnnxruntime(missing)
    assert installed == []


def test_nothing_is_installed_in_testing_mode(monkeypatch, missing):
    installed = []
    monkeypatch.setattr(slicer.util, "pip_install", installed.append)
    install.ensureOnnxruntime(missing)
    assert installed == []


def test_slicer_5_12_installs_by_its_own_packaging_module(monkeypatch, user, missing):
    calls = []

    def pip_ensure(requirements, constraints, requester):
        calls.append((requirements, constraints.read_text(encoding="utf-8"), requester))

    packaging = types.ModuleType("slicer.packaging")
    packaging.pip_ensure = pip_ensure
    monkeypatch.setitem(sys.modules, "slicer.packaging", packaging)
    monkeypatch.setattr(slicer, "packaging", packaging, raising=False)
    install.ensureOnnxruntime(missing)
    [(requirements, constraints, requester)] = calls
    assert [(type(requirement).__name__, str(requirement)) for requirement in requirements] == [("Requirement", ABSENT)]
    assert f"numpy=={metadata.version('numpy')}" in constraints
    assert requester == "BrainTumorSeg"


def test_an_older_python_is_refused_in_one_sentence(monkeypatch):
    assert install.pythonProblem() == ""
    monkeypatch.setattr(sys, "version_info", (3, 9, 10))
    problem = install.pythonProblem()
    assert "Python 3.9" in problem and "install Slicer 5.10 or newer" in problem
    assert problem.count(". ") == 0


def test_a_license_is_shown_once_and_the_answer_is_remembered(monkeypatch, user):
    questions, settings = Questions(True), Settings()
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", questions)
    assert confirmLicense(Model(), settings)
    assert confirmLicense(Model(), settings)
    assert len(questions.asked) == 1
    assert "research only" in questions.asked[0]


def test_a_license_that_is_not_accepted_asks_again(monkeypatch, user):
    questions, settings = Questions(False), Settings()
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", questions)
    assert not confirmLicense(Model(), settings)
    assert not confirmLicense(Model(), settings)
    assert len(questions.asked) == 2


def test_a_changed_license_and_another_model_ask_again(monkeypatch, user):
    questions, settings = Questions(True), Settings()
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", questions)
    confirmLicense(Model(), settings)
    confirmLicense(Model(name="glioma"), settings)
    confirmLicense(Model(license="CC BY 4.0"), settings)
    assert len(questions.asked) == 3


def test_testing_mode_accepts_nothing_in_a_users_name(monkeypatch):
    settings = Settings()
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", Questions(True))
    assert confirmLicense(Model(), settings)
    assert settings.stored == {}


def test_the_license_text_names_license_note_and_purpose():
    text = licenseText(Model())
    assert all(part in text for part in ("Tumor in T1ce", "CC BY-NC 4.0", "The strictest license of its training sets.", "not a medical device"))


REQUIREMENT = "onnxruntime>=1.20"


def wheel_name(package="onnxruntime", version="1.22.0", tag=None):
    from packaging.tags import sys_tags

    return f"{package}-{version}-{tag or next(sys_tags())}.whl"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        (wheel_name(), ""),
        (wheel_name(version="1.19.2"), "is not onnxruntime>=1.20, which the models need"),
        (wheel_name("onnxruntime_gpu"), "is not onnxruntime>=1.20, which the models need"),
        (wheel_name(tag="cp27-cp27m-win32"), "is for another system or Python"),
        ("onnxruntime.zip", "is no wheel, but a file onnxruntime-...whl is needed"),
    ],
)
def test_a_wheel_that_does_not_fit_is_refused_before_pip(name, problem):
    from packaging.requirements import Requirement

    found = install.wheelProblem(name, Requirement(REQUIREMENT))
    assert problem in found
    assert bool(found) == bool(problem)


@pytest.mark.parametrize("packaging", [True, False])
def test_a_wheel_is_installed_without_the_internet_and_without_any_other_package(monkeypatch, tmp_path, packaging):
    arguments, dialogs = [], []
    monkeypatch.setattr(slicer.util, "pip_install", arguments.append)
    monkeypatch.setattr(slicer.util, "createProgressDialog", lambda **options: types.SimpleNamespace(close=lambda: dialogs.append("closed")))
    monkeypatch.setattr(install, "_hasPackaging", lambda: packaging)  # Slicer 5.12 shows its own progress
    install.installWheel(tmp_path / wheel_name())
    assert arguments == [["--no-index", "--no-deps", str(tmp_path / wheel_name())]]
    assert dialogs == ([] if packaging else ["closed"])
    with pytest.raises(ValueError, match="is not onnxruntime"):
        install.installWheel(tmp_path / "numpy-2.0.0-py3-none-any.whl")
    assert len(arguments) == 1


def test_nothing_is_ever_installed_from_a_thread(monkeypatch, user, missing):
    import threading

    called, errors = [], []
    monkeypatch.setattr(slicer.util, "pip_install", called.append)
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", Questions(True))

    def attempt():
        try:
            install.ensureOnnxruntime(missing)
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    assert called == []
    assert "main thread only" in errors[0]
