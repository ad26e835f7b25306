"""A whole benchmark: which networks and volumes, on what, as one JSON document."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from BrainTumorSegLib.bench.limits import measure_rates
from BrainTumorSegLib.bench.machine import describe_machine
from BrainTumorSegLib.bench.page import PLOT, as_markdown
from BrainTumorSegLib.bench.plot import draw_times
from BrainTumorSegLib.bench.shipped import Report, Setting, benchmark_models
from BrainTumorSegLib.bench.timing import BATCH, Plan
from BrainTumorSegLib.bench.variants import VARIANTS, benchmark_variants
from BrainTumorSegLib.bench.volumes import benchmark_volumes
from BrainTumorSegLib.errors import InputError
from BrainTumorSegLib.inference.models import list_models
from BrainTumorSegLib.inference.providers import CPU, provider_list


def benchmark(
    names: Sequence[str],
    report: Report,
    *,
    threads: int | None = None,
    provider: str = "cpu",
    plan: Plan | None = None,
    originals: Path | None = None,
    data: Path | None = None,
    volumes: bool = False,
    command: str = "braintumorseg benchmark",
) -> dict[str, Any]:
    """Time models, system A's variants and, where asked, whole volumes.

    Args:
        names: of models on this machine or of `VARIANTS`; none means all.
        threads: CPU threads, None for all cores.
        originals, data: see `shipped.benchmark_models`.
        command: how this was asked for, for the page.

    Returns:
        {"models", "volumes", "skipped", "machine", "provider", "plan", "command"}.

    Raises:
        InputError: an unknown name, provider or folder. ModelError: a file that is missing, altered or cannot be run.
    """
    provider_list(provider)
    models = list_models()
    known = [model.name for model in models] + list(VARIANTS)
    for name in names:
        if name not in known:
            raise InputError(f"there is no model {name!r}; choose among {', '.join(known)}")
    for folder in (originals, data):
        if folder is not None and not folder.is_dir():
            raise InputError(f"{folder} is no folder; correct the path")
    chosen = list(names) or known
    count = threads or os.cpu_count() or 1
    rates = measure_rates(count) if provider == CPU else None  # of the CPU: they say nothing of another device
    setting = Setting(count, provider, plan or Plan(), rates)
    ours = [model for model in models if model.name in chosen]
    variants = [name for name in VARIANTS if name in chosen]
    total = len(ours) + len(variants) + (2 if volumes else 0) or 1

    def share(start: int, count: int) -> Report:
        return lambda fraction, message: report((start + fraction * count) / total, message)

    rows = benchmark_models(ours, setting, originals, data, share(0, len(ours))) if ours else []
    others, skipped = benchmark_variants(variants, setting, share(len(ours), len(variants))) if variants else ([], [])
    whole, missing = benchmark_volumes(ours, setting, share(total - 2, 2)) if volumes else ([], [])
    return {
        "models": rows + others,
        "volumes": whole,
        "skipped": skipped + missing,
        "machine": describe_machine(setting.threads) | {"rates": asdict(rates) if rates else None},
        "provider": provider,
        "plan": {"rounds": setting.plan.rounds, "passes": setting.plan.passes, "batch": BATCH},
        "command": command,
    }


def page_files(document: dict[str, Any]) -> dict[str, str]:
    """File name -> text of what is written beside the JSON: the page and its plot."""
    machine = document["machine"]
    caption = f"{machine['cpu']}, {machine['threads']} threads, onnxruntime {machine['onnxruntime']}"
    return {"benchmarks.md": as_markdown(document), PLOT: draw_times(document["models"], caption)}
