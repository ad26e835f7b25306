"""What a time was measured on, and how much memory this process has taken."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any


def describe_machine(threads: int) -> dict[str, Any]:
    """ "cpu", "cores", "threads", "vnni" (int8 dot products; None where the system does not tell), "onnxruntime", "python", "system"."""
    import onnxruntime

    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 1,
        "threads": threads,
        "vnni": has_vnni(_cpu_text()),
        "onnxruntime": onnxruntime.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def has_vnni(cpuinfo: str) -> bool | None:
    """Whether the flags of Linux's /proc/cpuinfo name AVX512-VNNI or AVX-VNNI; None without flags."""
    flags = next((line.split(":", 1)[1].split() for line in cpuinfo.splitlines() if line.startswith("flags")), None)
    return None if flags is None else not {"avx512_vnni", "avx_vnni"}.isdisjoint(flags)


def peak_mb() -> float:
    """The most memory that this process has held so far, in MB of 1e6 bytes; everything counts, Python and libraries too."""
    if sys.platform == "win32":
        return _windows_peak_bytes() / 1e6
    try:
        return status_peak_bytes(Path("/proc/self/status").read_text()) / 1e6
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # bytes on a Mac


def status_peak_bytes(status: str) -> int:
    """VmHWM of Linux's /proc/self/status. Not ru_maxrss: a new process inherits its parent's there."""
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


def _cpu_name() -> str:
    if sys.platform == "darwin":
        done = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False)
        return done.stdout.strip() or platform.processor()
    named = (line.split(":", 1)[1].strip() for line in _cpu_text().splitlines() if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _cpu_text() -> str:
    try:
        return Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""


def _windows_peak_bytes() -> int:
    import ctypes

    class Counters(ctypes.Structure):
        _fields_ = [(name, ctypes.c_uint32) for name in ("cb", "faults")] + [
            (name, ctypes.c_size_t) for name in ("peak", "now", "paged_peak", "paged", "nonpaged_peak", "nonpaged", "pagefile", "pagefile_peak")
        ]

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined, unused-ignore]
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    kernel.K32GetProcessMemoryInfo(ctypes.c_void_p(kernel.GetCurrentProcess()), ctypes.byref(counters), counters.cb)
    return int(counters.peak)
