"""Environment variables that we set where a person has not."""

from __future__ import annotations

import os

import pytest

from sslbench.contract.environment import QUIET, hush, unless_set


def test_variables_are_set_for_a_while_and_those_of_a_person_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSLBENCH_ONE", raising=False)
    monkeypatch.setenv("SSLBENCH_OTHER", "a person's")
    with unless_set({"SSLBENCH_ONE": "1", "SSLBENCH_OTHER": "2"}):
        assert (os.environ["SSLBENCH_ONE"], os.environ["SSLBENCH_OTHER"]) == ("1", "a person's")
    assert "SSLBENCH_ONE" not in os.environ
    assert os.environ["SSLBENCH_OTHER"] == "a person's"


def test_mlflow_is_quiet_unless_a_person_wants_to_hear_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bar, address = QUIET
    monkeypatch.setenv(bar, "true")
    monkeypatch.setenv(address, "")
    monkeypatch.delenv(address)
    hush()
    assert (os.environ[bar], os.environ[address]) == ("true", "true")
