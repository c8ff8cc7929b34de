"""How to read the tables: what cells hold, what their marks mean, and how anything is told from anything.

Every text on a test and its correction stands here, whoever prints it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sslbench.report.attachments.gaps import Gaps
from sslbench.report.scores.layout import Layout
from sslbench.report.statistics.selection import Primary
from sslbench.report.statistics.spread import t_quantile
from sslbench.report.statistics.summary import Cell, Cells
from sslbench.report.words.numbers import NOT_RUN, counted, span
from sslbench.report.words.wording import fewer_line

CEILING = "ceiling (supervised, 100%)"

#: Under a table, before what the test inputs alone would give its accuracies; and after it, where some lack answers.
TEST_INPUTS = "part of the test inputs in the intervals above"
TEST_INPUTS_MISSING = "; where no answers are stored, intervals hold for these inputs only"

INCOMPLETE, STALE, COLLAPSED = "†", "§", "‡"

#: What a mark means, in the words that show when it is pointed at.
MARKS = {
    INCOMPLETE: "fewer seeds than other cells of its column",
    STALE: "stale: computed by another version, of sslbench or of a plug-in, or with other settings",
    COLLAPSED: "collapsed representation in at least one seed",
}

STALE_TEXT = (
    f"{STALE} stale: at least one seed was computed by another version of sslbench, or with other settings, than the "
    "newest record, or by a version of a plug-in that is not today's; run the suite again."
)
COLLAPSED_TEXT = f"{COLLAPSED} a collapsed representation in at least one seed: see the measures below."

#: Behind a count of wins, ties and losses, and a difference of areas.
WINS = "Dunnett's test, 5% over each whole table"
AREAS_TEST = "Dunnett's test over the rows of the table"

#: Above scores of others.
OTHERS = (
    "Encoders that were not trained here, sent in with the name of their author, and scored by the rules of this page "
    "on the same labels. They take no part in bold, tests and findings. ± is the 95% interval over labelled subsets of "
    "the one encoder, without other trainings and other test inputs; what pretraining cost is what its author says. "
    "`sslbench reproduce results/community/NAME.csv` runs those again whose encoder can be had; the others are not "
    "verifiable."
)

#: With fewer seeds than this a sentence that claims something says how many there are.
CLAIM_SEEDS = 5

#: Above and under the p-values of a comparison of two results.
CORRECTED = "p (Holm)"
COMPARED = (
    "Differences are second minus first, in points, with 95% half-widths: paired by seed where both share at least "
    "two, else Welch. Outside: the difference exceeds its own interval, as one in twenty does by chance. Changed: "
    "significant at 5% after Holm's correction over all cells."
)

COMPARED_BY_INPUT = (
    "Input by input: McNemar's exact test on the test inputs that one side alone answers rightly, for every pair of "
    "evaluations, Holm's correction over all of them. It knows the noise of the test inputs, not that of the training: "
    "another course of the same training may differ by it too."
)

_BOLD = (
    "Bold: the rows that may be the best of their column. With 95% confidence they hold the best row of every column "
    "of the table (multiple comparisons with the best, Hsu 1984). A column whose best row has a single seed, or no "
    "rival, has no bold, and the majority class never is."
)
_FAMILY = (
    "Wins and losses against `supervised` are those of Dunnett's test. Both rest on one model of a column, accuracy = "
    "row + seed + error, whose error is pooled over the rows, so a row much noisier than the others is told apart "
    "too often. The family is a whole table, all its rows and columns: where nothing differs, one table in "
    "twenty has any win or loss in it; several tables are several families. Not told apart does not mean equal. The "
    "interval of a difference is its own, from the same pooled error, unless it is said to hold with others together."
)

MEASURES = (
    "Measured without labels on the representation of 2,048 unlabelled inputs (LiDAR and alignment: 1,000 inputs "
    "in four views), means over seeds."
)
COSTS = (
    "Means over seeds, in seconds. Pretraining is paid once per encoder; an evaluation is one protocol at one "
    "label fraction, averaged over the fractions that were run."
)


def on_screen(cells: Iterable[Cell]) -> str:
    """What stands under the tables on a terminal."""
    seeds = seeds_of(cells)
    if seeds[-1] == 1:
        return "Test accuracy in percent from one seed: no intervals, and nothing can be told apart."
    return (
        f"Test accuracy in percent, mean ± 95% half-width over {span(seeds)} seeds. [bold green]Green[/]: not shown to "
        "be worse than the best of its column (Hsu's comparisons with the best, 5% over the table)."
    )


def legend(layout: Layout, cells: Iterable[Cells]) -> list[str]:
    """Paragraphs that say what the cells hold, computed from what they do hold."""
    flat = [cell for of_block in cells for cell in of_block.values()]
    paragraphs = [" ".join(_reading(flat, bool(layout.answers)))]
    if any(not cell.complete for cell in flat):
        paragraphs.append(f"{INCOMPLETE} {MARKS[INCOMPLETE]}: see below.")
    if any(block.crossed for block in layout.blocks):
        paragraphs.append(
            "Seeds are crossed with labelled subsets: each seed stands here with one subset of its own, because scores "
            "that share a training or labels are no independent repetitions; `records.csv` holds them all."
        )
    fewer = fewer_line(layout.blocks)
    return [*paragraphs, fewer] if fewer else paragraphs


def headline_text(primary: Primary | None) -> list[str]:
    """How headlines are read, and what they speak of."""
    if primary is None:
        return []
    named = (
        "named before anything was run"
        if primary.beforehand
        else "the first of these tables; none was named beforehand"
    )
    return [
        f"Headlines are read by `{primary.protocol}`, {named}. They speak of the pretext and latent size with the best "
        "score inside the labels of each seed (held-out accuracy within the label budget), chosen anew in every seed "
        "and at every label fraction; rows with equal scores share the seed. No test label and no other seed has a say."
    ]


def marks_text(layout: Layout) -> list[str]:
    """What the marks of stale and of collapsed rows mean, where there are any."""
    return [STALE_TEXT] * bool(layout.stale) + [COLLAPSED_TEXT] * bool(layout.collapsed)


def gaps_text(gaps: Gaps) -> list[str]:
    """What of the suite has no record, and why, where something has none."""
    found = []
    if gaps.missing:
        of = f"{gaps.missing:,} of the {gaps.planned:,} evaluations of the suite have no record yet"
        found.append(f"Unfinished: {of}. What follows is of the others and may change.")
    if gaps.failures:
        reasons = sorted({failure.reason for failure in gaps.failures})
        found.append(f"Failed: {counted(len(gaps.failures), 'cell')}, for: {'; '.join(reasons)}.")
    return found


def seeds_of(cells: Iterable[Cell]) -> list[int]:
    """The numbers of seeds that cells have, increasing; zero without cells."""
    return sorted({cell.accuracy.n for cell in cells}) or [0]


def _reading(cells: Sequence[Cell], answered: bool) -> list[str]:
    seeds = seeds_of(cells)
    most, number = seeds[-1], f"{span(seeds)} seed{'s' * (seeds[-1] != 1)}"
    mean = f"{'from' if most == 1 else 'mean over'} {number}"
    sentences = [f"Test accuracy in percent, {mean}; {NOT_RUN} is not run."]
    if most > 1:
        also = " and over test inputs, whose part stands below each table" if answered else ""
        sentences.append(f"± is the half-width of the 95% confidence interval over seeds (Student t){also}.")
    if any(cell.difference is not None for cell in cells):
        sentences.append(
            "In parentheses: the difference in points to `supervised`, the same encoder trained from scratch on the "
            "same labels and seeds."
        )
    if most == 1:
        return [*sentences, "One seed has no interval and cannot tell rows apart, so nothing is bold."]
    sentences += [_BOLD, _FAMILY]
    if seeds[0] < CLAIM_SEEDS:
        sentences.append(f"Whatever is claimed here rests on {number}.")
    if most == 2:
        sentences.append(
            f"Two seeds leave one degree of freedom: an interval reaches {t_quantile(1):.1f} standard errors to each "
            "side, and rows that differ by points may tie. Bold then means only: not shown to be worse."
        )
    return sentences
