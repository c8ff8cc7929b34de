"""For reviewers: what the test inputs add to intervals over seeds."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from sslbench.report.page.parts import PLACE, Line, Part, by_fraction, pretext_of
from sslbench.report.scores.layout import Layout
from sslbench.report.statistics.image_noise import differences_with_images
from sslbench.report.words.numbers import counted, points

TEXT = (
    "An interval over seeds holds for these test inputs: all seeds answer the same ones. To speak of others like them "
    "it must hold their noise too, which follows from the stored answers by a model of seeds crossed with inputs, "
    "paired where two rows answer the same."
)
CELLS = (
    "Difference to `supervised` in points, its 95% half-width over seeds as in the tables, and in brackets that over "
    "seeds and test inputs."
)


def noise_part(layout: Layout) -> Part | None:
    """Differences to `supervised` with and without the noise of the test inputs; None where no answers are stored."""
    found = differences_with_images(layout)
    if found.empty:
        return None
    columns = (*PLACE, ("pretext", pretext_of), ("latent size", lambda line: str(line["latent_dim"])))
    protocol = str(found["protocol"].iloc[0])
    sheet = by_fraction(found, columns, _difference, f"By {protocol}", CELLS)
    return Part("noise", "What the test inputs add", (TEXT, *_sentences(found), *_stored(layout)), sheets=(sheet,))


def _difference(line: Line) -> str:
    said = points(line["difference"], signed=True)
    over_seeds = "" if math.isnan(line["half_width"]) else f" ± {points(line['seeds_half_width'])}"
    whole = line["images_half_width"] if math.isnan(line["half_width"]) else line["half_width"]
    return f"{said}{over_seeds} ({points(whole)})"


def _sentences(found: pd.DataFrame) -> Iterable[str]:
    """What changes, and whether two ways to compute it agree."""
    several = found[found["half_width"].notna()]
    if several.empty:
        yield "With one seed there is no interval over seeds: brackets hold the noise of the test inputs alone."
        return
    clear = [int((several["difference"].abs() > several[name]).sum()) for name in ("seeds_half_width", "half_width")]
    yield (
        f"Of {counted(len(several), 'difference')}, {clear[0]} {'excludes' if clear[0] == 1 else 'exclude'} zero over "
        f"seeds, {clear[1]} once the test inputs count."
    )
    ratio = (several["bootstrap_error"] / several["error"]).replace(math.inf, math.nan).dropna()
    if len(ratio):
        yield (
            f"A bootstrap that draws seeds and test inputs anew finds {ratio.median():.2f} times the standard errors "
            f"of the model ({ratio.min():.2f} to {ratio.max():.2f})."
        )


def _stored(layout: Layout) -> Iterable[str]:
    """Nothing where every evaluation stored its answers."""
    stored, total = layout.every["cell_id"].isin(list(layout.answers)).sum(), len(layout.every)
    if stored < total:
        yield f"Answers are stored of {stored:,} of {counted(total, 'evaluation')}."
