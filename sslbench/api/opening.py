"""The encoder that a line of text names: a function of a file or module, a file of weights, or one trained here."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

from sslbench.api.loading import load_dataset, load_encoder
from sslbench.contract.errors import InputError
from sslbench.contract.files import is_file
from sslbench.contract.outside import import_module, run_file

_PLACE = re.compile(r"(.+):([A-Za-z_]\w*)")


def open_encoder(
    text: str,
    dataset: str,
    *,
    architecture: str | None = None,
    latent_dim: int = 128,
    made_for: str | None = None,
    home: Path | None = None,
    data_root: Path | None = None,
) -> Any:
    """The encoder by its text, ready to be scored.

    Args:
        text: `file.py:function` or `module:function`, whose function is called without arguments, or, if it takes one,
            with the inputs of `dataset` that pretexts see, as that stores them and without labels; or else whatever
            `load_encoder` knows.
        dataset: it is evaluated on.
        architecture, latent_dim: of a file of weights.
        made_for: the dataset whose inputs a file of weights, or an encoder trained on one's own files, was made for;
            None for the evaluated one.

    Raises:
        InputError: there is none; the message says what was tried.
    """
    place = _PLACE.fullmatch(text)
    if place is None:
        takes = dataset if text.endswith(".safetensors") else None
        return load_encoder(
            text,
            architecture=architecture,
            latent_dim=latent_dim,
            dataset=made_for or takes,
            home=home,
            data_root=data_root,
        )
    module, name = place.groups()
    function = _function(module, name)
    try:
        return function(*([load_dataset(dataset, data_root).unlabelled_inputs] if _takes_inputs(function) else []))
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"encoder {text}: {name}() fails: {type(error).__name__}: {error}") from error


def _function(module: str, name: str) -> Any:
    if module.endswith(".py"):
        if not is_file(Path(module)):
            raise InputError(f"encoder {module}:{name}: there is no file {module}")
        found = vars(run_file(Path(module).resolve(), f"sslbench_encoder_{Path(module).stem}", "file")).get(name)
    else:
        found = vars(import_module(module, f"encoder {module}:{name}:")).get(name)
    if not callable(found):
        raise InputError(f"encoder {module}:{name}: {module} has no function {name!r}")
    return found


def _takes_inputs(function: Any) -> bool:
    asked = inspect.signature(function).parameters.values()
    return any(
        one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD) for one in asked
    )
