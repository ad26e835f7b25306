"""What runs is what was asked for, or an error with its cure."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import pytest

from BrainTumorSegLib.errors import InputError, ModelError
from BrainTumorSegLib.inference.providers import PROVIDERS, check_runs, provider_list
from BrainTumorSegLib.inference.session import Session
from Testing.Python.tiny import tiny_model


def offers(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [PROVIDERS[name] for name in names])


def test_the_cpu_stands_alone_and_behind_every_other(monkeypatch: pytest.MonkeyPatch) -> None:
    offers(monkeypatch, "cuda", "cpu")
    assert provider_list("cpu") == ["CPUExecutionProvider"]
    assert provider_list("cuda") == ["CUDAExecutionProvider", "CPUExecutionProvider"]


def test_a_provider_that_is_not_installed_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    offers(monkeypatch, "cpu", "openvino")
    with pytest.raises(InputError, match=r"the provider cuda is not in .* which has cpu, openvino; install onnxruntime-gpu in its place"):
        provider_list("cuda")


def test_an_unknown_provider_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="provider is 'gpu', but it is one of cpu, cuda, directml, coreml, openvino"):
        provider_list("gpu")


def test_a_session_on_something_else_is_refused() -> None:
    check_runs("cuda", ["CUDAExecutionProvider", "CPUExecutionProvider"])
    with pytest.raises(ModelError, match="opened the model on cpu although cuda was asked for"):
        check_runs("cuda", ["CPUExecutionProvider"])
    with pytest.raises(ModelError, match="on AzureExecutionProvider although cpu"):
        check_runs("cpu", ["AzureExecutionProvider"])


def test_a_provider_whose_driver_is_missing_is_no_silent_cpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    open_on_cpu = onnxruntime.InferenceSession

    def without_driver(content: bytes, options: object, providers: list[str]) -> object:
        return open_on_cpu(content, options, providers=["CPUExecutionProvider"])  # as onnxruntime does, with a warning

    offers(monkeypatch, "cuda", "cpu")
    monkeypatch.setattr(onnxruntime, "InferenceSession", without_driver)
    with pytest.raises(ModelError, match="although cuda was asked for"):
        Session(model, threads=1, provider="cuda")


def test_an_open_model_says_where_it_runs(tmp_path: Path) -> None:
    assert Session(tiny_model(tmp_path), threads=1).provider == "cpu"
