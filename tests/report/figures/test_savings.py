"""`saved.png`: the labels saved by every pretext, nothing cut, bounded ends as lines and open ones as arrows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from sslbench.report.attachments.files import read_primary
from sslbench.report.attachments.predictions import read_answers
from sslbench.report.figures.savings import MOST_BUDGETS, draw_savings, savings_png
from sslbench.report.records import from_records, read_records
from sslbench.report.scores.layout import lay_out
from sslbench.report.statistics.analysis import Analysis
from tests.made_up import analysed, probes, supervised

RESULTS = Path(__file__).parents[3] / "results"
FRACTIONS = (0.01, 0.02, 0.05, 0.1)
SCRATCH = [
    made
    for at, level in zip(FRACTIONS, (0.60, 0.70, 0.77, 0.82), strict=True)
    for made in supervised(level - 0.005, level, level + 0.006, fraction=at)
]
AHEAD = [made for at in FRACTIONS for made in probes("simclr", 0.74, 0.745, 0.75, fraction=at)]
BELOW = [made for at in FRACTIONS for made in probes("vae", 0.40, 0.41, 0.42, fraction=at)]


def drawn(records: pd.DataFrame) -> Figure:
    figure = draw_savings(analysed(records), "tested")
    assert figure is not None
    FigureCanvasAgg(figure).draw()
    return figure


def test_a_panel_per_budget_has_a_row_per_pretext_and_its_numbers() -> None:
    figure = drawn(from_records(SCRATCH + AHEAD + BELOW))
    assert len(figure.axes) == MOST_BUDGETS
    found = analysed(from_records(SCRATCH + AHEAD + BELOW)).multipliers.set_index(["pretext", "label_fraction"])
    for axes, at in zip(figure.axes, FRACTIONS, strict=False):
        names = [label.get_text() for label in axes.get_yticklabels()]
        assert names == (["simclr", "vae"] if axes is figure.axes[0] else ["", ""])  # alike, so said once
        assert axes.get_title(loc="left").startswith(f"with {at:.0%}")
        large = [line for line in axes.lines if line.get_marker() == "o" and line.get_markersize() > 5]
        places = [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in large]
        assert places == [(pytest.approx(found.loc[("simclr", at), "multiplier"], rel=1e-3), 0.0)]
        assert any(text.get_text().startswith("< ") for text in axes.texts)


def test_an_open_end_is_an_arrow_at_the_edge_of_what_was_run() -> None:
    (axes, *_) = drawn(from_records(SCRATCH + AHEAD + BELOW)).axes
    arrows = [line for line in axes.lines if line.get_marker() == "<" and line.get_markersize() > 3]
    assert len(arrows) == 1
    assert arrows[0].get_xdata()[0] == pytest.approx(axes.get_xlim()[0], rel=1e-3)


def test_nothing_is_drawn_where_budgets_are_too_far_apart_to_know_a_number() -> None:
    apart = [made for made in SCRATCH + AHEAD if made.label_fraction in (0.01, 0.1)]
    assert draw_savings(analysed(from_records(apart)), "tested") is None


def test_nothing_is_drawn_without_training_from_scratch() -> None:
    assert draw_savings(analysed(from_records(AHEAD)), "tested") is None
    assert savings_png(analysed(from_records(AHEAD)), "tested") is None


@pytest.mark.parametrize("suite", ["quick", "digits", "transfer", "catalogue_transformer"])
def test_nothing_of_the_published_figures_is_cut(suite: str) -> None:
    folder = RESULTS / suite
    layout = lay_out(read_records(folder / "records.csv"), primary=read_primary(folder), answers=read_answers(folder))
    figure = draw_savings(Analysis(layout), suite)
    assert figure is not None
    FigureCanvasAgg(figure).draw()
    width, height = figure.bbox.width, figure.bbox.height
    for artist in (*figure.axes, *figure.texts):
        box = artist.get_tightbbox().extents
        assert box[0] >= 0
        assert box[1] >= 0
        assert box[2] <= width
        assert box[3] <= height


def test_tips_of_arrows_touch_no_number_and_no_name() -> None:
    folder = RESULTS / "catalogue_transformer"
    layout = lay_out(read_records(folder / "records.csv"), primary=read_primary(folder))
    figure = draw_savings(Analysis(layout), "tested")
    assert figure is not None
    FigureCanvasAgg(figure).draw()
    for axes in figure.axes:
        tips = [line.get_tightbbox() for line in axes.lines if line.get_marker() in ("<", ">")]
        assert all(text.get_tightbbox().x0 > max(tip.x1 for tip in tips) for text in axes.texts)
        names = [label.get_window_extent() for label in axes.get_yticklabels() if label.get_text()]
        assert all(name.x1 < min(tip.x0 for tip in tips) for name in names)
