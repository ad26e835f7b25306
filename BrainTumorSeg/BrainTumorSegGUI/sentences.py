"""The backend's sentences in the user's language.

The backend speaks plain English, as its command line prints it, and knows nothing of Slicer. Here a sentence is known by its shape, its values
are taken out of it and put into the translation. A test compares this list with the backend's code: a new sentence needs a line here.
"""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Iterator

import slicer
from slicer.i18n import tr

from BrainTumorSegLib.api import InputError, ModelError


def _(text: str) -> str:
    """Marks a text for the translators, who find it by this name; it is translated where it is used (see "deferred translations" in Python's gettext)."""
    return text


PROGRESS = (
    _("preparing the images"),
    _("cleaning up the result"),
    _("done"),
    _("looking for tumor: {message}"),
    _("finding the brain: {message}"),
    _("{plane} slices, {done} of {total}"),
    _("axial"),
    _("coronal"),
    _("sagittal"),
)
WARNINGS = (
    _("{name} is {size} mm, which is no usual size of a head; check its spacing"),
    _("more than a brain is seen in {names}, but {model} was trained without skull; the brain is cut out first, so check its surface"),
    _("{name} shows the brain in another place than {other}; register one to the other first"),
    _("{name} shows the brain in another place than {other}: it was turned by {degrees} degrees and shifted by {mm} mm to fit, so check that it does"),
    _("no brain was found in {name}, so {model} saw the whole head; remove the skull and segment again"),
    _("{name} lies on another grid than {other}: it was resampled to that grid, which is right if the patient did not move in between"),
    _("{name} looks like CT (its air is near -1000), but the models were trained on MRI alone; give an MRI sequence"),
    _("{name} holds a few small whole numbers only, like a mask; give the image that the mask was drawn on"),
    _("{name} is bright around the head, like a negative; invert its gray values"),
    _("{name} looks like {sequences}, but was given as {sequence}; choose the right sequence"),
    _("{name} seems to be a T1 without contrast agent, in which healthy tissue may be marked; choose the T1 taken after contrast agent"),
)
ERRORS = (
    _("no volume was given, but at least one sequence is needed; give for instance a contrast-enhanced T1 as t1ce"),
    _("{roles} is no sequence, but inputs are {known}; name the volumes so"),
    _("{model} needs {missing}, which is not given; add it or choose another model"),
    _("{name} has another size than {other}, but a picture has no millimeters to be resampled by; give pictures of one size"),
    _("{name} shows another place than {other}, so that they share no voxels to compare; register one to the other"),
    _("the segmentation was cancelled"),
    _("the models and the phantom are missing (looked in {places}), but the program needs them; install it again or set {variable}"),
    _("an array of shape {shape} does not fit the grid {grid} of {name}; give one value for each voxel"),
    _("{name} has {count} dimensions, but a volume has 3 ([z, y, x]); give one time point and one channel"),
    _("{name} holds {kind} values, but voxels are real numbers; convert it to a scalar volume"),
    _("{name} has {count} voxels (shape {shape}), which is no image; give a volume with at least two voxels"),
    _("{name} has the spacing {spacing} mm, but all three must be greater than 0; correct its header"),
    _("{name} has the origin {origin}, but three finite positions in mm are needed; correct its header"),
    _("{name} has the direction {direction}, but nine finite numbers are needed; correct its header"),
    _("{name} has a direction matrix that is singular or not orthonormal (determinant {determinant}); resample it onto a regular grid first"),
    _("{name} has {count} voxels that are NaN or infinite; replace them (for instance by 0) and try again"),
    _("{name} is constant (every voxel is {value}), so there is nothing to segment; check that the right volume was chosen"),
    _("the models folder is named by BRAINTUMORSEG_RESOURCES, so none can be added; set BRAINTUMORSEG_IMPORTED_MODELS too"),
    _("{path} cannot be read ({reason}); choose another file"),
    _("{path} is no zip file that can be read ({reason}); copy it again"),
    _("{name} has {count} files {table}, but one must say what its models are; choose a zip of models"),
    _("the {table} in {name} is damaged ({reason}); get the zip again"),
    _("{name} holds the path {path}, which leaves its folder, so nothing of it was read; get the zip from its maker again"),
    _("{model} in {name} needs what this version does not know ({unknown}); update the program"),
    _("the model {model} needs {unknown}, which this version does not know; update the program"),
    _("the network in {path} gives {count} maps, but models.json lists {model} with {expected} ({outputs}); install it again"),
    _("{file} of {model} is missing in {name}; get the zip again"),
    _("{file} in {name} has sha256 {found}..., but {model} is {expected}..., so it was altered; get the zip again"),
    _("{path} in {name} has {size} MB, which is too much for a model; get the zip again"),
    _("{name} holds another model called {model}, which is a shipped one's name; have it renamed by its maker"),
    _("{path} cannot be read ({reason}); {cure}"),
    _("{path} is damaged ({reason}); {cure}"),
    _("{path} does not tell where the network is that finds the brain ({reason}); install the extension again"),
    _("{name} has format {format}, but this version reads {expected}; install the matching version"),
    _("there is no model {name}; choose one of {known}"),
    _("no model reads {shown} alone ({needs}); give what one of them needs"),
    _("the model file {path} cannot be read ({reason}); install the extension again"),
    _("the model file {path} has sha256 {found}..., but {model} is {expected}..., so it was altered or cut; install it again"),
    _("planes is {choice}, but it must be one of {known}; choose one of them"),
    _("the {plane} plane was asked for, but this model knows {known} only; choose planes=auto"),
    _("{name} lies on another grid than {other}, but doubt is counted voxel by voxel; run the model again"),
    _("threads is {threads}, but at least 1 is needed; leave it out to use all cores"),
    _("onnxruntime is not installed, but every model needs it; install it with: pip install onnxruntime"),
    _("the model file {path} is not a network that onnxruntime reads ({reason}); install it again"),
    _("the file {path} is an ONNX network, but not one of BrainTumorSeg's; use a file made by `braintumorseg export`"),
    _("provider is {choice}, but it is one of {known}; choose one of them"),
    _("the provider {choice} is not in the installed onnxruntime {version}, which has {known}; install {package} in its place, or choose one of these"),
    _(
        "onnxruntime opened the model on {found} although {choice} was asked for, so its driver or libraries are missing; install them, "
        "or choose the provider {other}"
    ),
    _("{folder} is no folder, but the cases are looked for in one; choose the folder that holds them"),
    _("{folder} cannot be read ({reason}); correct its permissions"),
    _("{folder} has no case, but a case is a subfolder with images or a single image ({known}); choose another folder"),
    _("{folder} has two cases with the name {case}, but each is kept under its name; rename one of them"),
    _("{folder} lies in the folder of the cases, but that is never written to; choose another folder for the corrected masks"),
    _("{name} is no case of {cases}, but only its cases can be opened; choose one from the list"),
    _("{place} cannot be made ({reason}), but the corrected mask belongs there; choose another folder"),
    _("{path} cannot be read ({reason}), but it tells what the values of the mask mean; restore it or remove its folder"),
    _("{path} names no scheme, but it tells what the values of the mask mean; its scheme is one of {known}"),
    _("{folder} is a file, but a folder is needed for the results; choose another name"),
    _("{path} cannot be written: {reason}"),
    _("{path} cannot be read ({reason}); correct its permissions, or save it as UTF-8 text"),
    _("{path} lacks the column {missing}, but a list of cases has {known}; correct its first line"),
    _("{where} has the case {case}, but a case is the name of a subfolder; correct it"),
    _("{where} has the state {state}, but a state is one of {known}; correct it"),
    _("{where} has the fold {fold}, but a fold is empty or 1 to {last}; correct it"),
    _("{where} has {seconds} seconds, but they are a whole number; correct it"),
    _("{path} lists the case {case} twice, but each has one row; remove one of them"),
    _(
        "{path} has the patient {patient} in the folds {first} and {second}, but scores of patients that were trained on are worth nothing; "
        "give all cases of a patient one fold"
    ),
    _("{name} has {count} voxels that are no whole numbers, but a mask holds label values; give the mask, not the image"),
    _("{name} has values from {found}, but labels lie between 0 and {most}; give the mask, not the image"),
    _("{path} names no known file format; use one of {known}, {suffix} or, for a picture, .png"),
    _("{path} cannot be written completely: the disk is full or a size limit is reached; free some space or choose another folder"),
    _("{path} does not exist; correct the path"),
    _("{path} is a folder, but a file is needed; give one volume or picture"),
    _("{path} cannot be opened ({reason}); correct its path or its permissions"),
    _("{name} is an empty file, so it holds no image; copy or download it again"),
    _("{name} is no image of a known kind; give a NIfTI, NRRD or MHA file, or a PNG or JPEG slice"),
    _("{name} has {channels} values in each voxel (color, complex or vectors), but one is needed; give a gray, scalar volume"),
    _("{name} has {count} dimensions {size} ({kind}), but a volume has three; export one 3-D volume"),
    _("{name} has a direction matrix that is singular or not orthonormal; resample it onto a regular grid first"),
    _("{name} has a spacing that is 0 or no number, but all three must be greater than 0 mm; correct its header"),
    _("{name} is larger than this computer's memory; crop or resample it first"),
    _("{name} says that its voxels are in another file, but it is not there; put it beside this one"),
    _("{name} is cut short or damaged, so voxels are missing; copy or download it again"),
    _("{name} cannot be read as an image ({reason}); check that it is complete and of the kind that its name says"),
    _("{name} is cut short or damaged ({reason}), so voxels are missing; copy or download it again"),
    _("{name} is cut short ({length} of {needed} bytes of voxels), so voxels are missing; copy or download it again"),
    _("{name} is not a NIfTI image (its header is missing or damaged); give a NIfTI, NRRD or MHA file"),
    _("{name} has the size {size}, so it holds no voxels; export the image again"),
    _("{name} has the spacing {shown} mm, but all three must be greater than 0; correct its header (pixdim)"),
    _("{name} has a direction matrix (sform) that is singular or not orthonormal; resample it onto a regular grid first"),
    _("{name} is not an NRRD image (its header is missing or damaged); give a NIfTI, NRRD or MHA file"),
    _("{name} is not a MetaImage (its header is missing or damaged); give a NIfTI, NRRD or MHA file"),
    _("{name} says that its voxels are in {where}, but there is no such file beside it; put it there"),
    _("{name} is cut short ({length} of {needed} bytes of voxels); copy or download it again"),
    _("{name} is damaged ({reason}), so its voxels cannot be unpacked; copy or download it again"),
)
PARTS = (
    _("the disk is full; free some space or choose another folder"),
    _("the disk quota is used up; free some space or choose another folder"),
    _("it would become larger than this system allows; choose another folder or raise the limit"),
    _("permission is denied; choose a folder that you may write to"),
    _("the file system is read-only; choose a folder that you may write to"),
    _("its folder does not exist; create it or correct the path"),
    _("a part of its path is not a folder; correct the path"),
    _("it is a folder; give a file name"),
    _("its name is too long; choose a shorter one"),
    _("the system says '{reason}'; choose another file name or folder"),
    _("install the extension again"),
    _("delete this folder and import the models again"),
    _("only one slice"),
    _("several time points or channels"),
    _("line {line} of {path}"),
    _("nothing"),
    _("this volume"),
    _("T1 or T1 with contrast"),
    _("T1 with contrast"),
    _("{detail}, contrast agent {agent}"),
)
"""What stands in a sentence in place of a value."""
_PLACE = re.compile(r"\{(\w+)\}")


def translated(text: str) -> str:
    """A sentence or phrase of the backend in the user's language; any other text as it is."""
    for template, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found:
            return tr(template).format(**{name: translated(value) for name, value in found.groupdict().items()})
    return text


@contextlib.contextmanager
def errorsShown(title: str, waitCursor: bool = False) -> Iterator[None]:
    """As `slicer.util.tryWithErrorDisplay`, with the backend's sentences in the user's language."""
    with slicer.util.tryWithErrorDisplay(title, waitCursor=waitCursor):
        try:
            yield
        except (InputError, ModelError) as error:
            text = translated(str(error))
            if text == str(error):
                raise
            raise type(error)(text) from error


@functools.lru_cache(maxsize=1)
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Each text with its shape, the most particular first: "... cannot be read (...); choose another file" before "... cannot be read (...); ..."."""
    texts = sorted((*PROGRESS, *WARNINGS, *ERRORS, *PARTS), key=lambda text: -len(_PLACE.sub("", text)))
    return [(text, re.compile(_shape(text), re.DOTALL)) for text in texts]


def _shape(template: str) -> str:
    parts = _PLACE.split(template)  # words and names by turns
    return "".join(f"(?P<{part}>.*?)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
