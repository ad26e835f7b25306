"""An open model: onnxruntime's session, kept and reused, interruptible from another thread."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from BrainTumorSegLib.errors import BrainTumorSegError, InputError, ModelError
from BrainTumorSegLib.inference.models import ModelInfo, read_model_file
from BrainTumorSegLib.inference.providers import CPU, check_runs, provider_list
from BrainTumorSegLib.progress import CancelToken

if TYPE_CHECKING:
    import onnxruntime

MARK = "braintumorseg"
"""Metadata key by which our ONNX files are known."""


class Session:
    """A loaded network: float32 [N, C, H, W] in, probabilities float32 [N, K, H, W] out.

    Args:
        model: which one; its file is checked before onnxruntime sees it.
        threads: CPU threads, default all cores. Results are reproducible for the same number.
        provider: where it runs, a key of `providers.PROVIDERS`.

    Raises:
        ModelError: the file is altered, unreadable or not one of ours, its kind is not known here, or the provider does not start.
        InputError: threads < 1, or a provider that this onnxruntime has not got.
    """

    def __init__(self, model: ModelInfo, threads: int | None = None, provider: str = CPU) -> None:
        if threads is not None and threads < 1:
            raise InputError(f"threads is {threads}, but at least 1 is needed; leave it out to use all cores")
        if model.unknown:
            raise ModelError(f"the model {model.name} needs {', '.join(model.unknown)}, which this version does not know; update the program")
        self.model = model
        self.threads = threads or os.cpu_count() or 1
        self.provider = provider
        self._session = _open(read_model_file(model), model, self.threads, provider)

    def run(self, slices: np.ndarray, cancel: CancelToken | None = None) -> np.ndarray:
        """One batch. Raises `Cancelled` when `cancel` is used, at the latest some hundredths of a second after."""
        import onnxruntime

        if cancel is None:
            return self._call(slices, None)
        cancel.raise_if_cancelled()
        options = onnxruntime.RunOptions()

        def stop() -> None:
            options.terminate = True

        cancel.on_cancel(stop)
        try:
            return self._call(slices, options)
        except Exception:  # onnxruntime raises its own kind when terminated
            cancel.raise_if_cancelled()
            raise
        finally:
            cancel.forget(stop)

    def _call(self, slices: np.ndarray, options: Any) -> np.ndarray:
        maps = self._session.run(None, {"slices": np.ascontiguousarray(slices, dtype=np.float32)}, options)[0]
        if maps.shape[1] != self.model.maps:  # else the first of four classes, background, would be read as tumor
            raise ModelError(
                f"the network in {self.model.path} gives {maps.shape[1]} maps, but models.json lists {self.model.name} with {self.model.maps} "
                f"({self.model.outputs}); install it again"
            )
        return maps


def open_network(content: bytes, threads: int, provider: str = CPU) -> onnxruntime.InferenceSession:
    """onnxruntime's session of any ONNX file, as every part of this program runs one.

    Raises:
        InputError: a provider that this onnxruntime has not got. ModelError: it does not start.
        Otherwise onnxruntime's own exceptions, which share no base.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # idle threads that spin take the cores from numpy, which works between the batches: a volume took half as long again
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if provider == "directml":
        options.enable_mem_pattern = False  # it refuses a session that has it
    session = onnxruntime.InferenceSession(content, options, providers=provider_list(provider))
    check_runs(provider, session.get_providers())
    session.disable_fallback()  # else a device that fails in the middle would be replaced by the CPU without a word
    return session


def _open(content: bytes, model: ModelInfo, threads: int, provider: str) -> onnxruntime.InferenceSession:
    try:
        session = open_network(content, threads, provider)
    except ImportError:
        raise ModelError("onnxruntime is not installed, but every model needs it; install it with: pip install onnxruntime") from None
    except BrainTumorSegError:
        raise
    except Exception as error:  # its exceptions share no base of their own
        reason = str(error).splitlines()[0][:120]
        raise ModelError(f"the model file {model.path} is not a network that onnxruntime reads ({reason}); install it again") from None
    mark = session.get_modelmeta().custom_metadata_map.get(MARK)
    names = [value.name for value in session.get_inputs()]
    if mark is None or names != ["slices"]:
        raise ModelError(f"the file {model.path} is an ONNX network, but not one of BrainTumorSeg's; use a file made by `braintumorseg export`")
    return session
