"""Workers as jobs of Slurm, by submitit; where there is no `srun`, as processes here by the same code."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping

import submitit

from sslbench.contract.errors import InputError
from sslbench.contract.files import remove_inside
from sslbench.contract.owner import folder_of_own
from sslbench.sweep.asked import Request
from sslbench.sweep.engines._base import StoreNews, check_shared, work
from sslbench.sweep.request import Prepared

#: Seconds that a job may take to end when it is cancelled.
PATIENCE = 60


class Job:
    """A job."""

    def __init__(self, job: submitit.Job[None]) -> None:
        self.job = job

    def ended(self) -> str | None:
        """How it ended, by its own exception or as Slurm says."""
        if not self.job.done():
            return None
        error = self.job.exception()
        return "" if error is None else f"job {self.job.job_id} {self.job.state}: {str(error).strip().splitlines()[-1]}"

    def stop(self) -> None:
        """Cancel it, and wait until it has ended, for a while."""
        self.job.cancel(check=False)  # it may just have ended
        until = time.monotonic() + PATIENCE
        while not self.job.done(force_check=True) and time.monotonic() < until:
            time.sleep(1)


class OnSlurm(StoreNews):
    """Submits an array of jobs, one for each worker.

    Options: whatever `submitit.AutoExecutor.update_parameters` takes, e.g. `slurm_partition`, `timeout_min`, `mem_gb`,
    `cpus_per_task`, `gpus_per_node`.
    """

    def __init__(self, request: Request, prepared: Prepared, options: Mapping[str, str]) -> None:
        super().__init__()
        if request.workers is None:
            raise InputError("engine 'slurm' needs --workers N: how many jobs it may submit")
        if shutil.which("srun"):
            check_shared("slurm", request)
        self.request, self.workers = request, request.workers
        self.folder = folder_of_own(request.stores.home / "slurm")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)  # what is submitted holds the addresses of the stores
        executor = submitit.AutoExecutor(self.folder)
        given = {name: int(text) if text.isdecimal() else text for name, text in options.items()}
        try:
            executor.update_parameters(**{"timeout_min": 24 * 60, "name": f"sslbench-{prepared.suite.name}", **given})
        except (ValueError, TypeError, NameError) as error:
            raise InputError(f"engine 'slurm': {' '.join(str(error).split())}") from error
        self.executor = executor
        self.array: list[submitit.Job[None]] | None = None
        self.title = f"{self.workers} jobs ({executor.cluster})"

    def start(self, number: int) -> Job:
        """Submit all jobs at once, as an array, and hand out one; later, in place of one that died, one more."""
        if self.array is None:
            with self.executor.batch():
                self.array = [self.executor.submit(work, self.request) for _ in range(self.workers)]
        return Job(self.array.pop() if self.array else self.executor.submit(work, self.request))

    def close(self) -> None:
        """Remove what was submitted."""
        remove_inside(self.folder.parent, self.folder)


ENGINE = OnSlurm
