"""Workers as tasks of a Ray cluster: the one of `RAY_ADDRESS`, else one that is started on this machine."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import ray
from ray.exceptions import RayError

from sslbench.contract.errors import InputError
from sslbench.sweep.asked import Request
from sslbench.sweep.engines._base import StoreNews, check_shared, known, work
from sslbench.sweep.request import Prepared


class Task:
    """A worker in the cluster."""

    def __init__(self, reference: ray.ObjectRef[None]) -> None:
        self.reference = reference

    def ended(self) -> str | None:
        """How it ended; a node that went away took its workers with it."""
        if not ray.wait([self.reference], timeout=0)[0]:
            return None
        try:
            ray.get(self.reference)
        except RayError as error:
            return str(error).strip().splitlines()[-1]
        return ""

    def stop(self) -> None:
        """End it now."""
        ray.cancel(self.reference, force=True)
        ray.wait([self.reference], timeout=60)


class OnRay(StoreNews):
    """Asks Ray for a place with so many CPUs, and so much of a GPU where there are some, for each worker.

    Options: `num_cpus` and `num_gpus` of a worker, as Ray calls them; parts of a GPU are as good as whole ones.
    """

    def __init__(self, request: Request, prepared: Prepared, options: Mapping[str, str]) -> None:
        super().__init__()
        given = known("ray", options, {"num_cpus": float, "num_gpus": float})
        try:
            ray.init(
                ignore_reinit_error=True, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise InputError(f"engine 'ray': {str(error).strip().splitlines()[0]}") from error
        if sum(node["Alive"] for node in ray.nodes()) > 1:
            check_shared("ray", request)
        has, cpus = ray.cluster_resources(), given.get("num_cpus", 1.0)
        if cpus == 0:
            raise InputError("engine 'ray': num_cpus must be greater than 0, e.g. 0.5")
        gpus = given.get("num_gpus", 1.0 if has.get("GPU") and request.device != "cpu" else 0.0)
        fitting = [has.get("CPU", 0.0) // cpus] + ([has.get("GPU", 0.0) // gpus] if gpus else [])
        if min(fitting) < 1:
            raise InputError(f"engine 'ray': no worker of {cpus:g} CPUs and {gpus:g} GPUs fits into {dict(has)}")
        self.workers = int(min(fitting)) if request.workers is None else request.workers
        self.title = f"{self.workers} workers on Ray with {cpus:g} CPUs" + (f" and {gpus:g} GPUs" if gpus else "")
        self.request = request
        self.task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0, max_calls=1)(work)

    def start(self, number: int) -> Task:
        """Ask for a place."""
        return Task(self.task.remote(self.request))

    def close(self) -> None:
        """Leave the cluster."""
        ray.shutdown()


ENGINE = OnRay
