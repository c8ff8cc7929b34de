"""What a process does with memory it has freed."""

from __future__ import annotations

import ctypes
from functools import cache

#: Numbers of the two settings in glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3

#: Freed blocks up to this many bytes stay with the process: more than any activation of the CPU suites.
KEPT_BLOCK = 1 << 26

#: And up to this many bytes of free memory altogether at the end of the heap.
KEPT_REST = 1 << 28


@cache
def keep_freed_memory() -> bool:
    """Let this process keep memory it has freed, for the next step to use; False where the C library cannot.

    A training step frees and takes the same large blocks again and again. glibc gives such blocks back to the system
    and gets them page by page, each filled with zeros first, which costs a contrastive pretext a tenth of its time
    (`benchmarks/performance/pipeline.py`). musl and macOS lack the setting, and the habit.
    """
    try:
        mallopt = ctypes.CDLL(None)["mallopt"]
    except AttributeError:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK)) and bool(mallopt(M_TRIM_THRESHOLD, KEPT_REST))
