"""Where workers run: an engine only places them; which cell is whose is decided in the stores, whatever the engine."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from sslbench.contract.errors import InputError

if TYPE_CHECKING:
    from sslbench.sweep.asked import Request
    from sslbench.sweep.engines._base import Engine
    from sslbench.sweep.request import Prepared

#: Name to module; each has an `ENGINE`, a class.
ENGINES = {"local": "local", "ray": "on_ray", "slurm": "on_slurm"}


def engine_known(name: str) -> None:
    """Whether there is an engine of that name.

    Raises:
        InputError: there is none; the message names the choices.
    """
    if name not in ENGINES:
        raise InputError(f"unknown engine {name!r}; choose one of {', '.join(ENGINES)}")


def engine_of(name: str, request: Request, prepared: Prepared, options: Mapping[str, str]) -> Engine:
    """An engine, ready to start workers.

    Args:
        options: what a person wants of it, in its own words.

    Raises:
        InputError: there is none of that name, what it needs is not installed, or it cannot do what was asked.
    """
    engine_known(name)
    try:
        module = import_module(f"sslbench.sweep.engines.{ENGINES[name]}")
    except ImportError as error:
        raise InputError(f"engine {name!r} needs an extra: pip install 'sslbench[{name}]'") from error
    engine: Engine = module.ENGINE(request, prepared, options)
    return engine
