"""Two results side by side: what changed, what cannot be told, and where results may come from."""

from __future__ import annotations

import dataclasses
import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from scipy import stats
from typer.testing import CliRunner

from sslbench.commands.app import app
from sslbench.contract.record import Record
from sslbench.contract.spec import InputError
from sslbench.publishing.sides import open_sides
from sslbench.report.attachments import Answered, Answers
from sslbench.report.attachments.predictions import RIGHT_FILE, write_answers
from sslbench.report.comparison.compare import Comparison, Procedure, Side, compare, mcnemar, welch
from sslbench.report.comparison.text import comparison_markdown, print_comparison, verdict
from sslbench.report.records import from_records, write_records
from sslbench.report.statistics.spread import holm
from tests.made_up import answered, probes, supervised

BEFORE = probes("simclr", 0.80, 0.82, 0.81) + probes("rotation", 0.60, 0.64, 0.62) + supervised(0.70, 0.72, 0.74)


def sides(first: list[Record], second: list[Record]) -> Comparison:
    return compare(Side("before", from_records(first)), Side("after", from_records(second)))


def moved(records: list[Record], pretext: str, *steps: float) -> list[Record]:
    """The records with the values of one pretext moved, seed by seed."""
    return [
        dataclasses.replace(made, value=made.value + steps[made.seed]) if made.pretext == pretext else made
        for made in records
    ]


def test_equal_results_have_no_change() -> None:
    found = sides(BEFORE, BEFORE)
    assert [(change.difference.mean, change.p_holm, change.outside) for change in found.changes] == [
        (0.0, 1.0, False)
    ] * 3
    assert verdict(found) == "3 cells in both, 0 changed, 0 outside; pretraining took 1.00 times as long (median)."


def test_shared_seeds_are_compared_pair_by_pair_and_corrected_over_all_cells() -> None:
    steps = {"simclr": (0.100, 0.101, 0.099), "rotation": (0.01, 0.03, -0.02), "supervised": (0.002, 0.001, 0.004)}
    after = BEFORE
    for pretext, values in steps.items():
        after = moved(after, pretext, *values)
    found = {change.name.pretext: change for change in sides(BEFORE, after).changes}
    raw = {name: float(stats.ttest_1samp(values, 0).pvalue) for name, values in steps.items()}
    corrected = dict(zip(raw, holm(list(raw.values())), strict=True))
    for name, values in steps.items():
        change = found[name]
        assert change.procedure is Procedure.PAIRED
        assert change.difference.mean == pytest.approx(np.mean(values))
        assert change.difference.half_width == pytest.approx(4.302653 * np.std(values, ddof=1) / 3**0.5, rel=1e-6)
        assert change.p_value == pytest.approx(raw[name], rel=1e-6)
        assert change.p_holm == pytest.approx(corrected[name], rel=1e-6)
    assert found["simclr"].changed
    assert not found["rotation"].outside
    assert not found["supervised"].changed


def test_a_difference_may_lie_outside_its_interval_without_having_changed() -> None:
    steps = (0.05, 0.06, 0.08)  # p = 0.019 alone, 0.056 among three cells
    (outside,) = sides(BEFORE, moved(BEFORE, "rotation", *steps)).outside
    assert (outside.name.pretext, outside.changed) == ("rotation", False)


def test_other_seeds_are_compared_by_welch() -> None:
    after = [dataclasses.replace(made, seed=made.seed + 10, label_seed=made.seed + 10) for made in BEFORE]
    found = sides(BEFORE, moved_values(after, "simclr", 0.85, 0.86, 0.90))
    change = {change.name.pretext: change for change in found.changes}["simclr"]
    expected = stats.ttest_ind([0.85, 0.86, 0.90], [0.80, 0.82, 0.81], equal_var=False)
    assert change.procedure is Procedure.WELCH
    assert change.p_value == pytest.approx(expected.pvalue)
    assert change.difference.mean == pytest.approx(0.06)
    interval = expected.confidence_interval(0.95)
    assert change.difference.low == pytest.approx(interval.low)
    assert change.difference.high == pytest.approx(interval.high)


def moved_values(records: list[Record], pretext: str, *values: float) -> list[Record]:
    return [
        dataclasses.replace(made, value=values[made.seed % 10]) if made.pretext == pretext else made for made in records
    ]


def test_welch_without_spread_knows_equal_from_unequal() -> None:
    assert welch([0.5, 0.5], [0.5, 0.5]) == (0.0, 1.0)
    assert welch([0.5, 0.5], [0.6, 0.6]) == (0.0, 0.0)


def test_one_seed_can_show_a_difference_but_no_change() -> None:
    found = sides(probes("simclr", 0.8) + supervised(0.7), probes("simclr", 0.9) + supervised(0.7))
    assert [(change.procedure, change.changed) for change in found.changes] == [(Procedure.NONE, False)] * 2
    assert [change.name.pretext for change in found.outside] == ["simclr"]
    assert "2 with one seed, which nothing can be told from" in verdict(found)


def test_cells_on_one_side_alone_are_counted_not_compared() -> None:
    found = sides(BEFORE, BEFORE + probes("byol", 0.9, 0.9, 0.9))
    assert [name.pretext for name in found.only_second] == ["byol"]
    assert len(found.changes) == 3
    assert "1 cell only in after, e.g. byol linear_probe d=32 at 1%" in verdict(found)


def test_results_without_a_common_cell_are_refused() -> None:
    with pytest.raises(InputError, match="before and after have no cell in common"):
        sides(probes("simclr", 0.8), probes("byol", 0.8))


def test_the_order_of_records_changes_nothing() -> None:
    after = moved(BEFORE, "simclr", 0.05, 0.06, 0.07)
    assert sides(BEFORE[::-1], after[::-1]) == sides(BEFORE, after)


def test_the_screen_shows_what_lies_outside_and_all_only_when_asked() -> None:
    found = sides(BEFORE, moved(BEFORE, "simclr", 0.100, 0.101, 0.099))
    assert "rotation" not in printed(found, every=False)
    assert "+10.00±0.25" in printed(found, every=False)
    assert "rotation" in printed(found, every=True)


def test_eighty_columns_cut_no_number() -> None:
    found = sides(BEFORE, moved(BEFORE, "supervised", 0.100, 0.111, 0.079))
    assert "…" not in printed(found, every=True, width=80)
    assert "+9.67±4.04" in printed(found, every=True, width=80)


def printed(found: Comparison, every: bool, width: int = 140) -> str:
    screen = io.StringIO()
    print_comparison(found, every, Console(width=width, file=screen, color_system=None))
    return screen.getvalue()


def test_the_markdown_is_the_one_checked_by_hand() -> None:
    found = sides(BEFORE, moved(BEFORE, "simclr", 0.100, 0.101, 0.099))
    lines = comparison_markdown(found, every=False).splitlines()
    assert lines[0] == (
        "`before` (first) and `after` (second): 3 cells in both, 1 changed, 1 outside; "
        "pretraining took 1.00 times as long (median)."
    )
    row = next(line for line in lines if "| simclr" in line)
    assert [text.strip() for text in row.strip("|").split("|")] == [
        *("linear_probe, latent size 32", "simclr", "1%"),
        *("81.0 ± 2.5", "91.0 ± 2.6", "+10.00 ± 0.25", "<0.001", "paired, 3", "changed"),
    ]


#: As the engine writes them: a baseline is trained on no dataset, and sees none of its inputs before evaluation.
PUBLISHED = [
    dataclasses.replace(made, pretrain_dataset="", pretrain_samples=0) if made.pretext == "supervised" else made
    for made in BEFORE
]


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose first commit has other results than its folder; the first was written before label seeds."""
    path = write_records(PUBLISHED, tmp_path / "results" / "tiny" / "records.csv")
    old = from_records(PUBLISHED).drop(columns=["pretrain_dataset", "label_seed"])
    old.to_csv(path, index=False)
    monkeypatch.chdir(tmp_path)
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "1"]):
        subprocess.run(["git", *command], check=True)
    write_records(moved(PUBLISHED, "simclr", 0.100, 0.101, 0.099), path)
    return path


@pytest.mark.parametrize("first", ["HEAD", "HEAD:results/tiny", "HEAD:results/tiny/records.csv", "HEAD:./results/tiny"])
@pytest.mark.parametrize("second", ["tiny", "results/tiny", "results/tiny/records.csv"])
def test_results_come_from_folders_files_suites_and_commits(published: Path, first: str, second: str) -> None:
    found = compare(*open_sides(first, second, Path("results")))
    assert (len(found.changes), found.only_first, found.only_second) == (3, (), ())
    (change,) = found.changed
    assert change.name.pretext == "simclr"
    assert change.name.pretrain_dataset == "digits"


def test_a_commit_finds_an_absolute_path_too(published: Path) -> None:
    assert len(compare(*open_sides("HEAD", str(published.parent), Path("results"))).changed) == 1


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("tinny", "tiny", "no results 'tinny'; give a results folder, .*; suites in results: tiny"),
        ("HEAD:nowhere", "tiny", "git has no nowhere/records.csv at 'HEAD'"),
        ("HEAD", "HEAD", "'HEAD' and 'HEAD' name no results; give"),
        ("README.md", "tiny", "README.md: missing column suite"),
    ],
)
def test_results_that_are_nowhere_are_named(published: Path, first: str, second: str, message: str) -> None:
    Path("README.md").write_text("hello,world\n")
    with pytest.raises(InputError, match=message):
        open_sides(first, second, Path("results"))


def test_the_command_fails_on_change_only_when_asked(published: Path) -> None:
    shown = CliRunner().invoke(app, ["compare", "HEAD", "tiny"])
    assert (shown.exit_code, "1 changed" in shown.output) == (0, True)
    assert CliRunner().invoke(app, ["compare", "HEAD", "tiny", "--fail-on-change"]).exit_code == 1
    assert CliRunner().invoke(app, ["compare", "tiny", "tiny", "--fail-on-change"]).exit_code == 0
    pasted = CliRunner().invoke(app, ["compare", "HEAD", "tiny", "--markdown"])
    assert pasted.output.startswith("`HEAD:results/tiny/records.csv` (first) and `tiny` (second): 3 cells in both")


def test_the_command_names_what_is_wrong_in_one_line(published: Path) -> None:
    failed = CliRunner().invoke(app, ["compare", "tinny", "tiny"])
    assert failed.exit_code == 2
    assert len(failed.output.strip().splitlines()) == 1


def swapped(answers: Answers, cell_id: str, lost: int, won: int) -> Answers:
    """The answers, of which one cell loses so many right ones and gains so many others."""
    right = answers[cell_id].right
    losing, winning = np.flatnonzero(right)[:lost], np.flatnonzero(~right)[:won]
    right[losing], right[winning] = False, True
    changed = Answered(answers[cell_id].dataset, len(right), np.packbits(right).tobytes())
    return {**answers, cell_id: changed}


def by_input(after: Answers, records: list[Record] = BEFORE) -> Comparison:
    before = answered(BEFORE)
    return compare(Side("before", from_records(BEFORE), before), Side("after", from_records(records), after))


CELL_ID = "simclr-32-linear_probe-0.01-1"


def test_mcnemar_is_the_exact_binomial_test_of_the_answers_that_differ() -> None:
    assert mcnemar(3, 12) == pytest.approx(2 * stats.binom.cdf(3, 15, 0.5))
    assert mcnemar(12, 3) == mcnemar(3, 12)
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(0, 0) == 1.0


def test_equal_answers_differ_nowhere() -> None:
    found = by_input(answered(BEFORE))
    assert [(one.images, one.differing, one.p_holm) for _, one in found.answered] == [(3000, 0, 1.0)] * 3
    said = (
        "input by input 0 of 3 cells differ significantly (McNemar, Holm), 0 of 9,000 answers right on one side alone."
    )
    assert verdict(found).endswith(f"; {said}")


def test_one_evaluation_that_answers_otherwise_is_found_though_its_cell_did_not_change() -> None:
    found = by_input(swapped(answered(BEFORE), CELL_ID, 5, 40))
    ((change, answers),) = [(change, answers) for change, answers in found.answered if answers.significant]
    assert (change.name.pretext, answers.only_first, answers.only_second) == ("simclr", 5, 40)
    assert answers.p_holm == pytest.approx(9 * mcnemar(5, 40))  # three cells of three evaluations each
    assert not change.changed
    assert "input by input 1 of 3 cells differs significantly (McNemar, Holm), 45 of 9,000 answers" in verdict(found)


def test_a_few_other_answers_are_counted_and_not_significant() -> None:
    found = by_input(swapped(answered(BEFORE), CELL_ID, 6, 7))
    assert sum(one.differing for _, one in found.answered) == 13
    assert not any(one.significant for _, one in found.answered)


def test_cells_are_compared_by_input_only_where_both_sides_stored_their_answers() -> None:
    part = {cell_id: one for cell_id, one in answered(BEFORE).items() if not cell_id.startswith("rotation")}
    assert {change.name.pretext for change, _ in by_input(part).answered} == {"simclr", "supervised"}
    assert by_input({}).answered == ()
    assert "input by input" not in verdict(by_input({}))


def test_other_versions_of_a_dataset_are_not_compared_input_by_input() -> None:
    assert by_input(answered(BEFORE), [dataclasses.replace(made, dataset_version=2) for made in BEFORE]).answered == ()
    assert by_input(answered(BEFORE, images=500)).answered == ()


def test_what_differs_by_input_is_shown_on_a_narrow_screen_and_as_markdown() -> None:
    found = by_input(swapped(answered(BEFORE), CELL_ID, 5, 40))
    screen = printed(found, every=False, width=80)
    assert "…" not in screen
    assert "McNemar's exact test" in " ".join(screen.split())
    row = next(line for line in comparison_markdown(found, every=False).splitlines() if line.startswith("| simclr"))
    assert [text.strip() for text in row.strip("|").split("|")] == ["simclr", "1%", "3", "3,000", "5", "40", "<0.001"]


def test_answers_come_from_folders_and_commits_too(published: Path) -> None:
    records = moved_values(PUBLISHED, "simclr", 0.9, 0.921, 0.909)
    write_records(records, published)
    write_answers(answered(records), published.parent)
    assert compare(*open_sides("HEAD", "tiny", Path("results"))).answered == ()
    subprocess.run(["git", "add", "."], check=True)
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "2"], check=True)
    for first in ("HEAD", "HEAD:results/tiny", "HEAD:./results/tiny/records.csv", "tiny"):
        found = compare(*open_sides(first, "tiny", Path("results")))
        assert [one.images for _, one in found.answered] == [3000] * 3
    write_answers(answered(PUBLISHED), published.parent)
    with pytest.raises(InputError, match=f"{RIGHT_FILE} of tiny: cell simclr-32-linear_probe-0.01-0 has 800 of 1000"):
        open_sides("HEAD", "tiny", Path("results"))
