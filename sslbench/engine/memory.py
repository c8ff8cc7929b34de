"""How a process treats memory: what it has freed, and what it need not load."""

from __future__ import annotations

import ctypes
import logging
import sys
from functools import cache
from types import ModuleType
from typing import Any, cast

#: Numbers of the two settings in glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3

#: Freed blocks up to this many bytes stay with the process: more than any activation of the CPU suites.
KEPT_BLOCK = 1 << 26

#: And up to this many bytes of free memory altogether at the end of the heap.
KEPT_REST = 1 << 28


@cache
def keep_freed_memory() -> bool:
    """Let this process keep memory it has freed, for the next step to use; False where the C library cannot.

    A training step frees and takes the same large blocks again and again. glibc gives such blocks back to the
    system and gets them page by page, each page filled with zeros first: thousands of page faults per step.
    """
    mallopt = _function("mallopt")
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK)) and bool(mallopt(M_TRIM_THRESHOLD, KEPT_REST))


def release_freed_memory() -> bool:
    """Give the memory kept so far back, as after a training; False where the C library cannot."""
    malloc_trim = _function("malloc_trim")
    return malloc_trim is not None and bool(malloc_trim(0))


def without_kernel_compiler() -> None:
    """Keep torch's table of operation counts from loading triton into this process: 75 MB for nothing on a processor.

    It compiles kernels for GPUs. torch looks whether it is installed by loading it, and goes on without it.
    """
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    modules.setdefault("triton", None)  # Python's documented mark of a module that must not be imported
    logging.getLogger("torch.utils.flop_counter").setLevel(logging.ERROR)  # it would warn that triton is missing


def _function(name: str) -> Any:
    """A function of the C library; None where it has no such: musl and macOS lack the settings, and the habit."""
    try:
        return ctypes.CDLL(None)[name]
    except AttributeError:
        return None
