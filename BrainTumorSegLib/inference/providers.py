"""Where a network runs: the CPU, or what else the installed onnxruntime offers, and only where the user asks for it."""

from __future__ import annotations

from BrainTumorSegLib.errors import InputError, ModelError

CPU = "cpu"
PROVIDERS = {
    CPU: "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
"""Our name -> onnxruntime's."""
_PACKAGES = {"cuda": "onnxruntime-gpu", "directml": "onnxruntime-directml", "coreml": "onnxruntime (on a Mac)", "openvino": "onnxruntime-openvino"}


def provider_list(provider: str) -> list[str]:
    """What to give onnxruntime for our name; operations that the provider lacks run on the CPU.

    Raises:
        InputError: no such provider, or the installed onnxruntime has not got it.
    """
    import onnxruntime

    if provider not in PROVIDERS:
        raise InputError(f"provider is {provider!r}, but it is one of {', '.join(PROVIDERS)}; choose one of them")
    there = onnxruntime.get_available_providers()
    if PROVIDERS[provider] not in there:
        here = ", ".join(name for name, full in PROVIDERS.items() if full in there)
        raise InputError(
            f"the provider {provider} is not in the installed onnxruntime {onnxruntime.__version__}, which has {here}; "
            f"install {_PACKAGES.get(provider, 'onnxruntime')} in its place, or choose one of these"
        )
    return [PROVIDERS[provider]] if provider == CPU else [PROVIDERS[provider], PROVIDERS[CPU]]


def check_runs(provider: str, running: list[str]) -> None:
    """Refuse a session that onnxruntime has opened on something else, as it does where a driver is missing.

    Args:
        running: `session.get_providers()`, the first one first.

    Raises:
        ModelError: it is not the one that was asked for.
    """
    if not running or running[0] != PROVIDERS[provider]:
        names = {full: name for name, full in PROVIDERS.items()}
        opened = names.get(running[0], running[0]) if running else "nothing"
        raise ModelError(
            f"onnxruntime opened the model on {opened} although {provider} was asked for, so its driver or libraries are missing; "
            f"install them, or choose the provider {opened}"
        )
