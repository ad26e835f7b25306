"""Which sequence is which: from the name, else from DICOM attributes, else from the gray values; each answer with its reason."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from BrainTumorSegLib.labels import ROLES
from BrainTumorSegLib.preprocess.appearance import role_probabilities
from BrainTumorSegLib.volume import Volume

DICOM_KEYWORDS = (
    "Modality", "SeriesDescription", "ProtocolName", "ScanningSequence", "ContrastBolusAgent", "RepetitionTime", "EchoTime", "InversionTime",
)  # fmt: skip
"""The attributes that are looked at, by their DICOM keyword; times are in ms."""

TITLES = {"t1": "T1", "t1ce": "T1 with contrast", "t2": "T2", "flair": "FLAIR"}
_LEAST_HOUNSFIELD = -500
"""No MRI goes below this; air in CT is -1000."""
# patterns as text: `re` compiles each at its first search and keeps it, so that importing this costs nothing
_START = r"(?:^|[^a-z0-9])(?:ax(?:ial)?|sag(?:ittal)?|cor(?:onal)?|tra|3d|2d|[es])?"
_FLAIR = r"flair|dark[ _-]?fluid|tirm" + f"|{_START}t2f(?![a-z0-9])"
_T2 = _START + r"t2(?!\*|[0-9]|[ _-]?star|[ _-]?map)"
_T1 = _START + r"t1(?![0-9]|[ _-]?map|rho)|mp[ _-]?rage|(?<![a-z])bravo(?![a-z])|spgr"
_CONTRAST = (
    r"t1w?[ _-]?(?:ce|c|gd|gad|km)(?![a-z])"
    r"|(?<![a-z])(?:ce|gd|gad|gado|gadolinium|km|post|postgd|contrast|postcontrast|enhanced)(?![a-z])"
    r"|\+ ?(?:c|gd|km)(?![a-z])"
)
_NO_CONTRAST = r"(?<![a-z])(?:no|non|without|w/?o|pre)[ _-]?(?:ce|gd|gad|gado|km|contrast)?(?![a-z])|(?<![a-z])(?:native|precontrast|noncontrast)(?![a-z])"
_NO_IMAGE = (
    r"(?<![a-z])(?:seg|segmentation|mask|label|labels|roi|adc|dwi|swi|pwi|dti|perfusion|uncertainty|probability|difference)(?![a-z])|t2[ _-]?(?:star|\*)"
)
_KNOWN = {"mrbraintumor1": "t1ce", "mrbraintumor2": "t1ce"}
"""Slicer's own sample data, whose names tell nothing."""


@dataclass(frozen=True)
class RoleGuess:
    """What a volume is taken for.

    Attributes:
        role: a key of `labels.ROLES`, or None where it is none of them or nothing tells.
        source: "name", "dicom", "appearance" (gray values), or "" where nothing tells.
        detail: what was seen there: the name, the DICOM values, or the probability in percent.
        certainty: 0 to 1, to choose between volumes of one role.
    """

    role: str | None
    source: str
    detail: str
    certainty: float

    @property
    def reason(self) -> str:
        """One phrase for a user."""
        title = TITLES.get(self.role or "", "no sequence of these")
        return {
            "name": f"the name {self.detail!r} says {title}",
            "dicom": f"DICOM ({self.detail}) says {title}",
            "appearance": f"its gray values look most like {title} ({self.detail}); neither name nor DICOM tells",
        }.get(self.source, "neither name, DICOM nor gray values tell")


def guess_role(volume: Volume | None, name: str, dicom: Mapping[str, str] | None = None) -> RoleGuess:
    """What one volume is taken for.

    Args:
        volume: its voxels, or None to leave them out.
        name: of the file, series or node.
        dicom: values by keyword, see `DICOM_KEYWORDS`; missing ones are left out or "".
    """
    attributes = {keyword: value for keyword, value in (dicom or {}).items() if value}
    named = _from_words(name, "name", attributes)
    if named is not None:
        return named
    for guess in (_from_dicom(attributes), _from_gray_values(volume) if volume is not None else None):
        if guess is not None:
            return guess
    return RoleGuess(None, "", "", 0.0)


def assign_roles(guesses: Mapping[str, RoleGuess]) -> dict[str, str]:
    """Role -> key of the volume that takes it: the most certain first, each volume and each role once."""
    ranked = sorted((key for key in guesses if guesses[key].role), key=lambda key: -guesses[key].certainty)
    chosen: dict[str, str] = {}
    for key in ranked:
        chosen.setdefault(str(guesses[key].role), key)
    return {role: chosen[role] for role in ROLES if role in chosen}


def guess_roles(volumes: Mapping[str, Volume], dicom: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, tuple[str, RoleGuess]]:
    """Which of several volumes takes which role.

    Args:
        volumes: by any key, for instance the file name; a volume's `name` is what is read.
        dicom: values by the same keys, then by DICOM keyword.

    Returns:
        role -> (key, guess), for the roles that are taken.
    """
    guesses = {key: guess_role(volume, volume.name, (dicom or {}).get(key)) for key, volume in volumes.items()}
    return {role: (key, guesses[key]) for role, key in assign_roles(guesses).items()}


def _from_words(text: str, source: str, dicom: Mapping[str, str]) -> RoleGuess | None:
    lower = text.lower()
    if lower.strip() in _KNOWN:
        return RoleGuess(_KNOWN[lower.strip()], source, text, 1.0)
    if re.search(_NO_IMAGE, lower):
        return RoleGuess(None, source, text, 1.0)
    if re.search(_FLAIR, lower):
        return RoleGuess("flair", source, text, 1.0)
    if re.search(_T2, lower):
        return RoleGuess("t2", source, text, 1.0)
    if re.search(_T1, lower):
        return _t1(lower, RoleGuess("t1", source, text, 1.0), dicom)
    return None


def _t1(lower: str, guess: RoleGuess, dicom: Mapping[str, str]) -> RoleGuess:
    """T1 with contrast where the words or the DICOM attributes say so."""
    if re.search(_NO_CONTRAST, lower):
        return guess
    if re.search(_CONTRAST, lower):
        return RoleGuess("t1ce", guess.source, guess.detail, guess.certainty)
    agent = dicom.get("ContrastBolusAgent")
    return RoleGuess("t1ce", "dicom", f"{guess.detail}, contrast agent {agent}", 0.9) if agent else guess


def _from_dicom(dicom: Mapping[str, str]) -> RoleGuess | None:
    if dicom.get("Modality", "MR") != "MR":
        return RoleGuess(None, "dicom", f"Modality {dicom['Modality']}", 1.0)
    for keyword in ("SeriesDescription", "ProtocolName"):
        worded = _from_words(dicom.get(keyword, ""), "dicom", dicom)
        if worded is not None:
            return worded
    return _from_times(dicom)


def _from_times(dicom: Mapping[str, str]) -> RoleGuess | None:
    """Contrast by repetition, echo and inversion time, as textbooks of MRI have it; proton density and diffusion are none of ours."""
    repetition, echo, inversion = (_number(dicom.get(f"{kind}Time", "")) for kind in ("Repetition", "Echo", "Inversion"))
    if repetition is None or echo is None or "EP" in dicom.get("ScanningSequence", ""):
        return None
    detail = f"TR {repetition:g} ms, TE {echo:g} ms" + (f", TI {inversion:g} ms" if inversion else "")
    if inversion and inversion > 1500 and echo > 60:
        return RoleGuess("flair", "dicom", detail, 0.8)
    if not inversion and repetition > 1500 and echo > 60:
        return RoleGuess("t2", "dicom", detail, 0.8)
    if echo < 30 and (repetition < 1200 or (inversion and inversion < 1500)):
        return _t1("", RoleGuess("t1", "dicom", detail, 0.8), dicom)
    return None


def _from_gray_values(volume: Volume) -> RoleGuess | None:
    if volume.array.min() < _LEAST_HOUNSFIELD:
        return None
    probabilities = role_probabilities(volume.array)
    if probabilities is None:
        return None
    role = max(probabilities, key=lambda key: probabilities[key])
    return RoleGuess(role, "appearance", f"{probabilities[role]:.0%}", 0.5 * probabilities[role])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
