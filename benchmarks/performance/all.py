"""All bars, one process each: `make bench-performance`. Two hours, if nothing else runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPTS = (
    "pipeline",
    "notebook",
    "overhead",
    "layout",
    "evaluation",
    "tracking",
    "growth",
    "gpu",
    "series",
    "language",
    "timestamps",
    "time_to_accuracy",
)


def main() -> int:
    """Run every script; the exit code is the number of those that failed."""
    failed = 0
    for name in SCRIPTS:
        print(f"-- {name}", flush=True)
        failed += subprocess.call([sys.executable, str(Path(__file__).with_name(f"{name}.py"))]) != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
