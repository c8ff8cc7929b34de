"""The sentences: which row they speak of, what they say in every case, and that their figures are the frames'."""

from __future__ import annotations

import dataclasses
import math
import re

import pytest

from sslbench.contract.record import Record
from sslbench.report.records import from_records
from sslbench.report.scores import lay_out
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.selection import Primary
from sslbench.report.words.findings import findings
from sslbench.report.words.numbers import fraction_interval, points, times, times_interval
from sslbench.report.words.reading import headline_text
from sslbench.report.words.sentence import Finding
from sslbench.report.words.wording import row_title
from tests.made_up import analysed, probes

FRACTIONS = (0.25, 0.5, 1.0)
SPREAD = (-0.01, 0.0, 0.01)


def curve(pretext: str, *means: float, protocol: str = "linear_probe", spread: float = 1.0) -> list[Record]:
    """Three seeds around each mean, with test and budget scores."""
    shown = [
        record
        for fraction, mean in zip(FRACTIONS, means, strict=False)
        for record in probes(pretext, *(mean + spread * step for step in SPREAD), fraction=fraction, protocol=protocol)
    ]
    return shown + [dataclasses.replace(record, split="budget") for record in shown]


SCRATCH = curve("supervised", 0.70, 0.80, 0.90, protocol="finetune")


def said(topic: str, *records: list[Record], primary: str = "") -> Finding:
    """The first sentence on a topic."""
    frame = from_records([record for part in [SCRATCH, *records] for record in part])
    found = findings(Analysis(lay_out(frame, primary=primary)))
    return next(finding for finding in found if finding.topic == topic)


def test_labels_saved_are_said_with_their_multiple_and_interval():
    """Seeds move together, so that differences are certain: 0.75 is halfway from 250 labels to 500."""
    found = said("label multiplier", curve("simclr", 0.75))
    assert found.sentence == (
        "With 25% of the labels, SimCLR with a linear probe (latent size 32) is 5.0 points [5.0, 5.0] above training "
        "from scratch on the same labels, which needs 1.4 times as many [1.4, 1.4] to be as accurate, on 3 seeds."
    )
    assert (found.value, found.low, found.high) == pytest.approx((2**0.5,) * 3)
    assert found.subject is not None
    assert (found.subject.pretext, found.subject.label_fraction) == ("simclr", 0.25)


def test_more_than_the_data_holds_is_said_so():
    assert said("label multiplier", curve("simclr", 0.95)).sentence == (
        "With 25% of the labels, SimCLR with a linear probe (latent size 32) is 25.0 points [25.0, 25.0] above "
        "training from scratch on the same labels, which is less accurate even with 4 times as many, all there are "
        "[at least 4], on 3 seeds."
    )


def test_between_budgets_far_apart_the_multiple_is_said_as_a_bound():
    apart = [record for record in curve("simclr", 0.75) if record.label_fraction == 0.25]
    wide = [record for record in SCRATCH if record.label_fraction != 0.5]
    found = findings(analysed(from_records([*wide, *apart])))[0]
    assert found.sentence.endswith("needs between 1 and 4 times as many [1, 4] to be as accurate, on 3 seeds.")
    assert math.isnan(found.value)


def test_a_pretext_that_does_not_pay_is_said_not_to():
    assert said("label multiplier", curve("rotation", 0.6)).sentence == (
        "With 25% of the labels a frozen encoder does not pay here: rotation with a linear probe (latent size 32) is "
        "10.0 points [10.0, 10.0] below training from scratch on the same labels, on 3 seeds."
    )


def test_where_a_frozen_encoder_does_not_pay_it_is_said_what_fine_tuning_does():
    tuned = curve("rotation", 0.7, 0.8, 0.95, protocol="finetune"), curve("vae", 0.7, 0.8, 0.85, protocol="finetune")
    found = said("fine-tuned", curve("rotation", 0.6, 0.7, 0.8), *tuned)
    assert re.fullmatch(
        r"With all labels and fine-tuning, 1 of 2 pretrained encoders is above training from scratch: rotation d=32 by "
        r"5\.0 points \[[45]\.\d, [56]\.\d\] \(Dunnett's test.*\).*, on 3 seeds\.",
        found.sentence,
    ), found.sentence


def test_what_is_told_apart_is_never_said_not_to_be():
    """Pooled over the column the lead is certain; three pairs alone do not bound the labels it saves."""
    others = [curve(f"task{number}", 0.60) for number in range(6)]
    noisy = [
        dataclasses.replace(record, value=record.value + (0.025, -0.025, 0.02)[record.seed])
        for record in curve("simclr", 0.75)
    ]
    found = said("label multiplier", noisy, *others)
    assert re.search(r"is 5\.7 points \[[1-9].*\] above training from scratch on the same", found.sentence)
    assert found.low == 0


def test_a_tie_is_never_said_to_save_labels():
    found = said("label multiplier", curve("simclr", 0.705, spread=-1.0))
    assert "is not told apart from training from scratch on the same labels (0.5 points [-4.5, 5.5])" in found.sentence
    assert "which needs 1 times as many [at most" in found.sentence


def test_one_seed_is_said_to_have_no_interval():
    records = [record for record in [*SCRATCH, *curve("simclr", 0.75)] if record.seed == 0]
    found = findings(analysed(from_records(records)))[0]
    assert "is 5.0 points (one seed: no interval) above training from scratch on the same labels" in found.sentence
    assert math.isnan(found.low)


def test_the_sentence_speaks_of_the_row_chosen_inside_the_budget_not_of_the_best_on_test():
    best = [
        dataclasses.replace(record, value=0.2) if record.split == "budget" else record for record in curve("byol", 0.95)
    ]
    assert "SimCLR" in said("label multiplier", curve("simclr", 0.75), best).sentence


def test_the_crossover_is_said_in_labels():
    found = said("crossover", curve("simclr", 0.80, 0.82, 0.88))
    assert found.sentence == (
        "Training from scratch overtakes SimCLR with a linear probe (latent size 32) at 71% of the labels [71%, 71%], "
        "on 3 seeds."
    )
    assert said("crossover", curve("simclr", 0.8, 0.9, 0.95)).sentence.startswith(
        "Training from scratch does not overtake"
    )
    assert said("crossover", curve("simclr", 0.6, 0.7, 0.8)).sentence.endswith("at no label fraction, on 3 seeds.")


def test_wins_are_counted_in_words():
    found = said("wins", curve("simclr", 0.75, 0.80, 0.85))
    assert found.sentence == (
        "Of 3 comparisons with training from scratch on the same labels by a linear probe (1 way to pretrain, 1 latent "
        "size, every label fraction), pretraining wins 1 (none with more than 25% of the labels), loses 1 and is "
        "not told apart in 1 (Dunnett's test, 5% over each whole table), on 3 seeds."
    )


def test_the_rows_that_beat_training_from_scratch_with_the_fewest_labels_are_named():
    """Two rows of three seeds each: error of 1 point, two columns of the table, and intervals that hold together."""
    noisy = [
        dataclasses.replace(record, value=record.value + (-1) ** record.seed * 0.003)
        for record in curve("simclr", 0.80, 0.80, 0.90)
    ]
    found = said("leaders", noisy, curve("byol", 0.60, 0.80, 0.90))
    assert found.sentence.startswith(
        "With 25% of the labels and a linear probe, 1 of 2 pretrained encoders is above training from scratch: SimCLR "
        "d=32 by 10.1 points ["
    )
    assert 0 < found.low < found.value < found.high
    assert "; beside the first, training from scratch needs 2 times as many [1." in found.sentence
    assert said("leaders", curve("byol", 0.60)).sentence == (
        "With 25% of the labels and a linear probe, the one pretrained encoder is not above training from scratch "
        "(Dunnett's test, 5% over each whole table), on 3 seeds."
    )


def test_what_seeds_chose_differently_is_said():
    byol = [
        dataclasses.replace(record, value=0.9) if (record.split, record.seed) == ("budget", 1) else record
        for record in curve("byol", 0.60)
    ]
    found = said("label multiplier", curve("simclr", 0.75), byol)
    assert "what each seed's own labels chose (most often SimCLR d=32, in 2 of 3 seeds; read by a" in found.sentence
    assert found.subject is not None
    assert found.subject.pretext == "simclr"
    as_good = [dataclasses.replace(one, value=0.95) if (one.split, one.seed) == ("budget", 2) else one for one in byol]
    simclr = [
        dataclasses.replace(record, value=0.95) if (record.split, record.seed) == ("budget", 2) else record
        for record in curve("simclr", 0.75)
    ]
    assert (
        "(most often SimCLR d=32, in 2 of 3 seeds, ties included; "
        in said("label multiplier", simclr, as_good).sentence
    )


def test_headlines_are_read_by_the_primary_protocol_and_nothing_else():
    probe, neighbours = curve("simclr", 0.75), curve("simclr", 0.95, protocol="knn")
    tuned = curve("simclr", 0.99, protocol="finetune")
    assert "with a linear probe" in said("label multiplier", probe, neighbours, tuned).sentence
    assert "with nearest" in said("label multiplier", probe, neighbours, tuned, primary="knn").sentence
    assert "by a linear probe" in said("wins", probe, neighbours, tuned).sentence
    assert headline_text(Primary("knn", beforehand=True))[0].startswith("Headlines are read by `knn`, named before")
    assert "none was named beforehand" in headline_text(Primary("knn", beforehand=False))[0]


def test_where_nothing_can_be_scored_inside_the_budget_nothing_is_chosen_and_that_is_said():
    unscored = [
        record for record in curve("simclr", 0.75, 0.85) if (record.split, record.label_fraction) != ("budget", 0.25)
    ]
    assert said("label multiplier", unscored).sentence.startswith("With 50% of the labels")
    assert said("choices", unscored).sentence == (
        "With 25% of the labels no score can be computed inside the budget, so nothing is chosen there."
    )


@pytest.mark.parametrize(
    ("row", "topic", "trained"),
    [
        ("supervised_double", "convergence", "twice as long"),
        ("supervised_compute", "compute", "with the compute of pretraining on top"),
    ],
)
def test_what_more_training_from_scratch_adds_is_said_with_its_interval(row: str, topic: str, trained: str):
    """The gains of the three seeds are 0, 1 and 2 points: half-width t(2) / sqrt(3) points."""
    found = said(topic, curve(row, 0.71, 0.80, protocol="finetune", spread=2.0))
    assert found.sentence == (
        f"Training from scratch {trained} moves its accuracy by +1.0 [-1.5, 3.5] at 25% and 0.0 [-2.5, 2.5] at 50% of "
        "the labels, in points (latent size 32), on 3 seeds."
    )
    assert (found.value, found.low) == pytest.approx((0.01, 0.01 - 0.01 * 4.302653 / 3**0.5))


def test_a_figure_that_rests_on_fewer_seeds_than_its_sentence_says_so():
    """Five seeds with the fewest labels, three of them elsewhere, as in a suite that asks more where it claims."""
    more = [
        dataclasses.replace(record, split=split)
        for pretext, mean, protocol in (("supervised", 0.70, "finetune"), ("simclr", 0.75, "linear_probe"))
        for record in probes(pretext, *[mean] * 5, fraction=FRACTIONS[0], protocol=protocol)[3:]
        for split in ("test", "budget")
    ]
    found = said("label multiplier", curve("simclr", 0.75), more)
    assert found.sentence == (
        "With 25% of the labels, SimCLR with a linear probe (latent size 32) is 5.0 points [5.0, 5.0] above training "
        "from scratch on the same labels, which needs 1.4 times as many [1.4, 1.4] to be as accurate (on 3 of these "
        "seeds)."
    )


def test_places_are_named_when_there_are_several():
    elsewhere = [dataclasses.replace(record, dataset="letters") for record in [*SCRATCH, *curve("simclr", 0.75)]]
    found = findings(analysed(from_records([*SCRATCH, *curve("simclr", 0.75), *elsewhere])))
    assert {finding.sentence.split(":")[0] for finding in found} == {"On digits (conv)", "On letters (conv)"}
    there = [finding for finding in found if finding.subject and finding.subject.dataset == "letters"]
    assert any("SimCLR pretrained on digits with a linear probe" in finding.sentence for finding in there)


def test_without_supervised_there_is_no_sentence_about_saving():
    found = findings(analysed(from_records(curve("simclr", 0.75, 0.8))))
    assert not {finding.topic for finding in found} & {"label multiplier", "leaders", "crossover", "wins"}
    assert findings(analysed(from_records([]))) == ()


def test_the_quick_suite_has_at_least_three_sentences_whose_figures_are_in_its_frames(analysis: Analysis):
    found = findings(analysis)
    assert len(found) >= 3
    assert len({finding.sentence for finding in found}) == len(found)
    for finding in found:
        assert re.search(r"\d", finding.sentence)
        assert not re.search(r"nan|inf\b|-0\.0\b|None|  ", finding.sentence)
        assert finding.sentence.endswith(".")
        if finding.topic == "label multiplier":
            assert finding.subject is not None
            frame = analysis.headlines.budgets
            line = frame[frame["label_fraction"] == finding.subject.label_fraction].iloc[0]
            assert [finding.value, finding.low] == pytest.approx([line["multiplier"], line["low"]], nan_ok=True)


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (1.13, 1.94, "[1.1, 1.9]"),
        (0.0, 2.0, "[at most 2]"),
        (0.333, math.inf, "[at least 0.33]"),
        (0.0, math.inf, "(an interval the data does not bound)"),
        (math.nan, math.nan, "(one seed: no interval)"),
        (11.4, 2345.0, "[11, 2,345]"),
    ],
)
def test_intervals_of_multiples_say_what_is_open(low: float, high: float, text: str):
    assert times_interval(low, high) == text


def test_figures_are_short_and_zero_has_no_sign():
    assert [times(value) for value in (0.0421, 1.0, 9.96, 153.2)] == ["0.042", "1", "10", "153"]
    assert [points(value) for value in (-0.0001, 0.0136, -0.026)] == ["0.0", "1.4", "-2.6"]
    assert fraction_interval(0.017, 0.0408) == "[1.7%, 4.1%]"
    assert (
        row_title("denoising_autoencoder", "knn", 64)
        == "denoising autoencoder with nearest neighbours (latent size 64)"
    )


def test_a_way_without_network_is_compared_plainly_with_all_others():
    rocket = curve("minirocket", 0.80, 0.80, 0.70, protocol="minirocket")
    found = said("classic", curve("simclr", 0.75, 0.85, 0.85), rocket)
    assert found.sentence == (
        "MiniRocket, which trains no network, is above training from scratch with 25%, below it with 100%, not told "
        "apart from it with 50% of the labels (Dunnett's test, 5% over each whole table); no mean of the table is "
        "above its own with 25%, on 3 seeds."
    )
    assert found.value == pytest.approx(0.1)


def elsewhere(*records: Record) -> list[Record]:
    """The same, pretrained on letters."""
    return [
        dataclasses.replace(one, pretrain_dataset="letters", run_id=f"{one.run_id}-l", cell_id=f"{one.cell_id}-l")
        for one in records
    ]


@pytest.mark.parametrize(
    ("level", "answer"),
    [
        (0.75, "Yes: with 25% of the labels, {who}, is 5.0 points [5.0, 5.0] above training from scratch; it is 5.0"),
        (
            0.60,
            "No: with 25% of the labels, {who}, is 10.0 points [10.0, 10.0] below training from scratch; it is 20.0",
        ),
    ],
)
def test_whether_other_data_help_is_answered_against_scratch_and_against_own_data(level: float, answer: str):
    found = said("transfer", curve("simclr", 0.80), elsewhere(*curve("simclr", level)))
    who = "what each seed's own labels chose of encoders pretrained on letters, read by a linear probe"
    assert found.sentence.startswith(f"Does pretraining on letters help? {answer.format(who=who)}")
    assert found.sentence.endswith("below what they chose of those pretrained on digits itself, on 3 seeds.")
    assert (found.value, found.low) == pytest.approx((level - 0.70, level - 0.70))


def test_other_data_that_are_not_told_apart_from_scratch_are_not_shown_to_help():
    found = said("transfer", elsewhere(*curve("simclr", 0.705, spread=-1.0)))
    assert "help? Not shown: with 25%" in found.sentence
    assert found.sentence.endswith("training from scratch (0.5 points [-4.5, 5.5]), on 3 seeds.")  # none of its own


def test_where_everything_was_pretrained_on_its_own_data_nothing_is_said_of_others():
    frame = from_records([*SCRATCH, *curve("simclr", 0.75)])
    assert "transfer" not in {one.topic for one in findings(Analysis(lay_out(frame)))}
