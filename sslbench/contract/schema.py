"""What a value may be: the words that types are declared with, and the one place where values are held against them.

A field says what it may be by its type, on its own line: `temperature: Positive = tuned(0.2, 0.05, 1.0, log=True)`.
Classes derived from `spec.Checked` hold every field against its type whenever one is made; `settings.configure` does
so with what a suite sets, `contract.record` with what a file of records says. Types are strict (no text for a number,
no True for 1), numbers finite; a whole number where a float is declared becomes one, so 1 and 1.0 are the same cell.

pydantic is loaded by this module only, and this module when the first value is checked, or records or a plan are
loaded: `--help` and `list` need neither. So `spec` and `settings` import these words for type checkers alone, and
`hints` knows them by itself.
"""

from __future__ import annotations

import dataclasses
import re
from functools import cache
from typing import Annotated, Any, TypeVar, get_type_hints

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic import InstanceOf as InstanceOf

from sslbench.contract.errors import InputError

T = TypeVar("T")

LONGEST = 1000  # of a cell of a CSV file
NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_PLAIN = re.compile(r"\w[\w .,:;()'&/+-]{0,199}")  # no markup, and nothing that a spreadsheet would run
_ADDRESS = re.compile(r"https://[\w.~:/?#@!$&*+,;=%-]{4,300}", re.ASCII)
_IDENTITY = re.compile(r"(?!\.)[\w.-]{0,100}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def check_name(value: str) -> str:
    """A name becomes part of paths and addresses, so it holds nothing that means something there.

    Raises:
        InputError: other than 1 to 100 letters, digits, `-` and `_`.
    """
    if NAME.fullmatch(value) is None:
        raise InputError(f"must be 1 to 100 letters, digits, - or _, not {shown(value)}")
    return value


def _check_line(value: str) -> str:
    if _CONTROL.search(value):
        raise InputError(f"must be one line without control characters, not {shown(value)}")
    return value


def _check_cell(value: str) -> str:
    if value.startswith(("=", "+", "-", "@")):
        raise InputError(f"must not begin as a formula does, which spreadsheets would run, not {shown(value)}")
    if len(value) > LONGEST:
        raise InputError(f"must have at most {LONGEST} characters, not {len(value):,}")
    return _check_line(value)


def _check_identity(value: str) -> str:
    if _IDENTITY.fullmatch(_check_cell(value)) is None:
        raise InputError(f"must be up to 100 letters, digits, dots, - or _, not {shown(value)}")
    return value


def _check_plain(value: str) -> str:
    if _PLAIN.fullmatch(value) is None:
        raise InputError(f"must be 1 to 200 letters, digits and . , : ; ( ) ' & / + - _, not {shown(value)}")
    return value


def _check_address(value: str) -> str:
    if _ADDRESS.fullmatch(value) is None:
        raise InputError(f"must be an address that begins with https://, not {shown(value)}")
    return value


def _check_distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    twice = next((value for place, value in enumerate(values) if value in values[:place]), None)
    if twice is not None:
        raise InputError(f"must not name {shown(twice)} twice")
    return values


def _check_some(values: tuple[T, ...]) -> tuple[T, ...]:
    if not values:
        raise InputError("must name at least one")
    return values


Name = Annotated[str, AfterValidator(check_name)]
Identity = Annotated[str, AfterValidator(_check_identity)]  # files are called so
Line = Annotated[str, AfterValidator(_check_line)]
Cell = Annotated[str, AfterValidator(_check_cell)]  # of a CSV file
Plain = Annotated[str, AfterValidator(_check_plain)]  # what a stranger says, shown to everybody
Address = Annotated[str, AfterValidator(_check_address)]

Amount = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, le=1e9)]  # beyond, single precision has nothing left beside it
NonNegative = Annotated[float, Field(ge=0, le=1e9)]
Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(gt=0, le=1)]  # a share of something, never nothing
ProperShare = Annotated[float, Field(ge=0, lt=1)]  # a share that leaves something
Inside = Annotated[float, Field(gt=0, lt=1)]  # a share that is something and leaves something
Epochs = Annotated[float, Field(gt=0, le=100_000)]  # a hundred times the longest training ever published
Flops = Annotated[float, Field(gt=0, le=1e27)]  # likewise

Whole = Annotated[int, Field(ge=0, le=2**63 - 1)]  # what the tables of MLflow, SQLite and pandas can hold
YesNo = Annotated[int, Field(ge=0, le=1)]  # of a CSV file: 1 is yes
Count = Annotated[int, Field(ge=1, le=2**63 - 1)]
Seed = Whole
Steps = Annotated[int, Field(ge=1, le=10**9)]  # years on any machine
Size = Annotated[int, Field(ge=1, le=2**20)]  # of a layer, a queue, a batch: more would not fit any memory
BatchSize = Annotated[int, Field(ge=2, le=2**20)]  # one input alone has no spread to be normalised by
SizeOrZero = Annotated[int, Field(ge=0, le=2**20)]
Several = Annotated[int, Field(ge=2, le=2**20)]  # to be told apart
Few = Annotated[int, Field(ge=1, le=100)]  # of what is computed one after the other in every step
FewOrZero = Annotated[int, Field(ge=0, le=100)]
Folds = Annotated[int, Field(ge=2, le=100)]  # one fold has nothing to train on

Distinct = Annotated[tuple[T, ...], AfterValidator(_check_distinct)]
Axis = Annotated[tuple[T, ...], AfterValidator(_check_some), AfterValidator(_check_distinct)]

_BRANCHES = ("int", "float", "[key]")  # what pydantic adds to places that people do not name

_STRICT = ConfigDict(strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)


@cache
def hints(owner: type) -> dict[str, Any]:
    """The declared type of every field of a dataclass, ranges included, by name."""
    found = get_type_hints(owner, localns=globals(), include_extras=True)
    return {item.name: found[item.name] for item in dataclasses.fields(owner)}


def checked(kind: Any, value: Any, what: str) -> Any:
    """The value as the declared type has it, e.g. 1.0 for 1 where a float is declared.

    Args:
        what: the culprit, as the error begins.

    Raises:
        InputError: in one line.
    """
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):  # its fields were checked when it was made
        if not isinstance(value, kind):
            raise InputError(f"{what} must be {kind.__name__}(...), not {shown(value)}")
        return value
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError as error:
        raise InputError(f"{what}{_told(error)}") from None


def check_fields(instance: Any, what: str) -> None:
    """Hold every field of a frozen dataclass against its declared type.

    Raises:
        InputError: in one line, beginning with `what` and the field.
    """
    for name, kind in hints(instance.__class__).items():
        # Frozen for everyone else: this is the last step of making it.
        object.__setattr__(instance, name, checked(kind, vars(instance)[name], f"{what}: {name}"))


def shown(value: Any) -> str:
    """A value as errors show it: on one line, not too long, and whatever it is."""
    try:
        text = ascii(value) if isinstance(value, str) and _CONTROL.search(value) else repr(value)
    except Exception:  # of a stranger's class, or a number too long to be written
        text = f"<{type(value).__name__}>"
    text = " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:77]}..."


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind, config=_STRICT)


def _told(error: ValidationError) -> str:
    """Where inside the value, what it must be, and what it is."""
    first = error.errors(include_url=False)[0]
    # Whole numbers count the items of a tuple: the value itself tells better which one it is.
    place = "".join(f".{part}" for part in first["loc"] if isinstance(part, str) and part not in _BRANCHES)
    if first["type"] == "value_error":
        return f"{place} {first['ctx']['error']}"
    wanted = first["msg"].removeprefix("Input should be ").removeprefix("Input should ")
    return f"{place} must be {wanted}, not {shown(first['input'])}"
