"""How a sweep is told: to a terminal, and to a pipe that would else be silent."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import StringIO
from types import SimpleNamespace

import pytest
from rich.console import Console

from sslbench.commands import display, patience
from sslbench.commands.display import Bars, Display
from sslbench.commands.patience import signs_of_life
from sslbench.contract.spec import Suite
from sslbench.datasets._base import Dataset
from sslbench.report.tables.sheet import text_sheet
from sslbench.report.tables.terminal import print_sheet
from sslbench.sweep.caveats import too_little
from sslbench.sweep.cells import Source
from sslbench.sweep.estimate import TimeLeft
from sslbench.sweep.news import Finished, Progress
from sslbench.sweep.plan import make_plan
from sslbench.sweep.request import Prepared


@pytest.fixture
def pipe() -> Console:
    return Console(width=80, file=StringIO(), color_system=None)


def printed(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock of the display by so many seconds."""
    now = [1000.0]
    monkeypatch.setattr(display, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return lambda seconds: now.__setitem__(0, now[0] + seconds)


def test_a_pipe_is_told_how_far_it_is_after_30_silent_seconds(pipe: Console, clock: Callable[[float], None]) -> None:
    bars = Bars("cells", {"cells": (3, 20)}, pipe)
    with bars:
        for _ in range(58):
            clock(0.5)
            bars.move("cells", 4, "2 min left")
        assert printed(pipe) == ""
        clock(1)
        bars.move("cells", 5, "2 min left")
        assert printed(pipe) == "cells: 5 of 20, 2 min left\n"
        clock(29)
        bars.say("something else")
        clock(29)
        bars.move("cells", 6)
        assert printed(pipe).endswith("something else\n")
        clock(1)
        bars.move("cells", 7)
        assert printed(pipe).endswith("\ncells: 7 of 20\n")


def test_best_is_what_was_measured_inside_the_labels_and_finished_encoders_are_told(
    digits: Dataset, clock: Callable[[float], None]
) -> None:
    suite = Suite("s", ("digits",), ("conv",), ("rotation",), (8,), (0,), epochs=1.0, label_fractions=(0.05, 1.0))
    plan = make_plan(suite, {"digits": Source.of("digits", digits)})
    prepared = Prepared(suite, plan, {"digits": "digits"}, {"digits": 1297}, {})
    terminal = Console(width=80, file=StringIO(), color_system=None, force_terminal=True)
    shown = Display(prepared, TimeLeft(60.0, 0), 1, terminal)
    clock(10)
    told = (
        Finished("rotation d=8 s=0", "rotation", verdict="COLLAPSED, rank 1"),
        Finished("5% knn of rotation d=8 s=0", "rotation", 0.5, 0.05, "knn, map"),
        Finished("5% knn of vicreg d=8 s=0", "vicreg", 0.625, 0.05, "knn, map"),
        Finished("100% finetune of rotation d=8 s=0", "rotation", None, 1.0, "finetune"),
    )
    shown.show(Progress(told, (), ()))
    lines = printed(terminal).splitlines()
    assert [line.rstrip() for line in lines] == ["[1/7] pretrained rotation d=8 s=0: COLLAPSED, rank 1 (51 s left)"]
    below = StringIO()
    Console(width=80, file=below, color_system=None).print(shown.bars.live.renderable)
    rows = [" ".join(line.split()) for line in below.getvalue().splitlines()]
    assert rows[-2:] == ["best inside the labels 5%", "knn, map 62.5 vicreg"]


def test_an_encoder_that_is_made_again_is_not_counted_twice(
    digits: Dataset, clock: Callable[[float], None], pipe: Console
) -> None:
    suite = Suite("s", ("digits",), ("conv",), ("rotation",), (8,), (0,), epochs=1.0, label_fractions=(0.05, 1.0))
    plan = make_plan(suite, {"digits": Source.of("digits", digits)})
    published = {cell.cell_id: "a run without an encoder" for cell in plan.pretrain}
    prepared = Prepared(suite, plan, {"digits": "digits"}, {"digits": 1297}, published)
    shown = Display(prepared, TimeLeft(0.0, 0), 1, pipe)
    shown.show(Progress((), (), (), done=0))
    clock(10)
    shown.show(Progress((Finished("rotation d=8 s=0", "rotation"),), (), ()))
    assert printed(pipe) == "[1/7] pretrained rotation d=8 s=0 (60 s left)\n"
    shown.show(Progress((), (), (), done=4))
    assert (shown.done, shown.at_start) == (4, 0)


def test_who_waits_is_told_what_for(pipe: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "FIRST", 0.05)
    monkeypatch.setattr(patience, "EVERY", 0.1)
    with signs_of_life(pipe, "preparing quick"):
        time.sleep(0.5)
    lines = printed(pipe).splitlines()
    assert len(lines) >= 2
    assert set(lines) == {"preparing quick …"}
    time.sleep(0.2)
    assert len(printed(pipe).splitlines()) == len(lines)


def test_who_need_not_wait_is_told_nothing(pipe: Console) -> None:
    with signs_of_life(pipe, "preparing quick"):
        pass
    assert printed(pipe) == ""


def test_a_title_wider_than_its_table_stays_on_one_line(pipe: Console) -> None:
    title = "a title that is much wider than the narrow table of two numbers below it"
    print_sheet(text_sheet(title, ("", "5%"), [("rotation", "76.3")]), pipe)
    assert title in printed(pipe).splitlines()


def test_too_few_inputs_are_warned_of(digits: Dataset) -> None:
    def told(**length: float) -> list[str]:
        suite = Suite("s", ("digits",), ("conv",), ("random_init", "rotation"), (8,), (0,), **length)
        plan = make_plan(suite, {"digits": Source.of("digits", digits)})
        names = {"digits": "digits"}
        return too_little(Prepared(suite, plan, names, {"digits": 1297}, {}, tested={"digits": tested}))

    tested = 500
    assert told(steps=200) == []
    assert told(flops=1e9) == []
    assert told(epochs=4) == [
        "few steps of pretraining on 'digits' (rotation 20): encoders stay near where they began; give `steps`"
    ]
    tested = 96
    assert told(steps=200) == ["'digits' has 96 test inputs: an accuracy of 80% is known to ±8 points at best"]
