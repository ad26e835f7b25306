"""Models brought along as a zip, for a computer without the internet: read, proven by sha256, and kept beside the shipped ones."""

from __future__ import annotations

import json
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from BrainTumorSegLib.errors import InputError, ModelError
from BrainTumorSegLib.inference.models import FORMAT, TABLE_NAME, ModelInfo, imported_models, list_models, read_rows
from BrainTumorSegLib.io.atomic import writing
from BrainTumorSegLib.resources import imported_models_folder

if TYPE_CHECKING:
    import zipfile

_MOST_BYTES = 500_000_000
"""Of one file when unpacked; the shipped models have 8 MB."""
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError)


def import_models(path: str | Path) -> list[ModelInfo]:
    """Add the models of a zip, which holds a models.json and the files that it names, to the user's own.

    Nothing is written before all files are proven. Files get names of our making, so no path of the zip is ever followed.

    Returns:
        The models that came in; those that are here already are left out.

    Raises:
        InputError: no zip, a path that leaves it, a file that is missing or is not what its sha256 says, a model that this version cannot
            run, or another model under the name of a shipped one.
    """
    import zipfile  # with its kinds of compression: nobody else needs it

    folder = imported_models_folder()
    if folder is None:
        raise InputError("the models folder is named by BRAINTUMORSEG_RESOURCES, so none can be added; set BRAINTUMORSEG_IMPORTED_MODELS too")
    try:
        with zipfile.ZipFile(path) as archive:
            rows, contents = _read(archive, Path(path).name)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); choose another file") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(f"{path} is no zip file that can be read ({error}); copy it again") from None
    added = _not_here_yet(rows, Path(path).name)
    if added:
        _write(folder, added, contents)
    names = {row["name"] for row in added}
    return [model for model in imported_models() if model.name in names]


def _read(archive: zipfile.ZipFile, name: str) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Rows of models.json, and the proven bytes of each file by its sha256."""
    members = {_safe(member, name): member for member in archive.infolist() if not member.is_dir()}
    tables = [inner for inner in members if inner.name == TABLE_NAME]
    if len(tables) != 1:
        raise InputError(f"{name} has {len(tables)} files {TABLE_NAME}, but one must say what its models are; choose a zip of models")
    try:
        table = json.loads(_unpacked(archive, members[tables[0]], name).decode("utf-8"))
        models = read_rows(table, Path(), name)
        rows = [dict(row) for row in table["models"]]
    except ModelError as error:
        raise InputError(str(error)) from None
    except InputError:
        raise
    except _DAMAGED as error:
        raise InputError(f"the {TABLE_NAME} in {name} is damaged ({error!r}); get the zip again") from None
    contents = {}
    for model in models:
        _check_runnable(model, name)
        contents[model.sha256] = _proven(archive, members.get(tables[0].parent / model.file), model, name)
    return rows, contents


def _safe(member: zipfile.ZipInfo, name: str) -> PurePosixPath:
    inner = PurePosixPath(member.filename.replace("\\", "/"))
    if inner.is_absolute() or ".." in inner.parts or ":" in member.filename or stat.S_ISLNK(member.external_attr >> 16):
        raise InputError(f"{name} holds the path {member.filename!r}, which leaves its folder, so nothing of it was read; get the zip from its maker again")
    return inner


def _check_runnable(model: ModelInfo, name: str) -> None:
    if model.unknown:
        raise InputError(f"{model.name} in {name} needs what this version does not know ({', '.join(model.unknown)}); update the program")


def _proven(archive: zipfile.ZipFile, member: zipfile.ZipInfo | None, model: ModelInfo, name: str) -> bytes:
    if member is None:
        raise InputError(f"{model.file} of {model.name} is missing in {name}; get the zip again")
    content = _unpacked(archive, member, name)
    import hashlib

    found = hashlib.sha256(content).hexdigest()
    if found != model.sha256:
        raise InputError(f"{model.file} in {name} has sha256 {found[:12]}..., but {model.name} is {model.sha256[:12]}..., so it was altered; get the zip again")
    return content


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> bytes:
    if member.file_size > _MOST_BYTES:
        raise InputError(f"{member.filename} in {name} has {member.file_size / 1e6:.0f} MB, which is too much for a model; get the zip again")
    return archive.read(member)


def _not_here_yet(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """A newer file replaces an imported one of its name, and never a shipped one."""
    here = {model.name: model.sha256 for model in list_models()}
    own = {model.name for model in imported_models()}
    for row in rows:
        if row["name"] in here and row["name"] not in own and here[row["name"]] != row["sha256"]:
            raise InputError(f"{name} holds another model called {row['name']}, which is a shipped one's name; have it renamed by its maker")
    return [row for row in rows if here.get(row["name"]) != row["sha256"]]


def _write(folder: Path, rows: list[dict[str, Any]], contents: dict[str, bytes]) -> None:
    """Model files first, the table last: a table never names a file that is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        row["file"] = f"{row['sha256'][:16]}.onnx"
        with writing(folder / row["file"]) as hidden:
            hidden.write_bytes(contents[row["sha256"]])
    table = folder / TABLE_NAME
    former = json.loads(table.read_text(encoding="utf-8"))["models"] if table.is_file() else []
    names = {row["name"] for row in rows}
    document = {"format": FORMAT, "models": [row for row in former if row["name"] not in names] + rows}
    with writing(table) as hidden:
        hidden.write_text(json.dumps(document, indent=1), encoding="utf-8")
