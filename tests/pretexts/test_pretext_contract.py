"""What every registered pretext promises, checked on each of them: a new one is covered by its line in the registry."""

from __future__ import annotations

import re

import pytest

from sslbench.contract.spec import BASELINES
from sslbench.pretexts import PRETEXTS
from sslbench.testing import BaselineContract, PretextContract

TASKS = tuple(name for name in PRETEXTS if name not in BASELINES)


class TestRegistered(PretextContract):
    names = TASKS


class TestBaselines(BaselineContract):
    names = BASELINES


@pytest.mark.parametrize("name", TASKS)
def test_the_docstring_names_a_paper(name: str) -> None:
    assert re.search(r"arXiv:\d{4}\.\d{4,5}|doi:10\.", PRETEXTS.get(name).__doc__ or "")
    assert PRETEXTS.summary(name)


@pytest.mark.parametrize("name", TASKS)
def test_what_lies_among_those_of_a_modality_says_that_it_needs_it(name: str) -> None:
    room = PRETEXTS.get(name).__module__.split(".")[2]
    assert PRETEXTS.get(name).modality == {"images": "image", "series": "series", "text": "text"}.get(room)
