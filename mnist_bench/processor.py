"""What this machine's processor is, and what it computes in."""

from __future__ import annotations

import functools
import platform
from pathlib import Path

__all__ = ["computes_in_bfloat16", "name"]

_CPUINFO = Path("/proc/cpuinfo")  # Linux alone has it


@functools.cache
def _facts() -> dict[str, str]:
    if not _CPUINFO.is_file():
        return {}
    first, _, _ = _CPUINFO.read_text().partition("\n\n")
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def name() -> str:
    """Its name, as it tells it."""
    return _facts().get("model name") or platform.processor() or platform.machine()


def computes_in_bfloat16() -> bool:
    """Whether it multiplies in bfloat16 itself (AVX512-BF16 or AMX), rather than by way of float32."""
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(_facts().get("flags", "").split())
