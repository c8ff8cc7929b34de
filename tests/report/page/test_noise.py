"""What the test inputs add stands on the page as the statistics have it, and nowhere where no answers are stored."""

from __future__ import annotations

from sslbench.contract.record import Record
from sslbench.report.attachments import Answers
from sslbench.report.page.noise import noise_part
from sslbench.report.records import from_records
from sslbench.report.scores import Layout, lay_out
from sslbench.report.statistics.image_noise import block_noise, differences_with_images
from sslbench.report.tables import tables_of
from tests.made_up import answered, probes, supervised

RECORDS = [
    *(record for fraction in (0.01, 1.0) for record in supervised(0.70, 0.72, 0.74, fraction=fraction)),
    *(record for fraction in (0.01, 1.0) for record in probes("simclr", 0.80, 0.82, 0.81, fraction=fraction)),
    *(record for fraction in (0.01, 1.0) for record in probes("byol", 0.72, 0.73, 0.77, fraction=fraction)),
]


def laid_out(records: list[Record], answers: Answers) -> Layout:
    return lay_out(from_records(records), answers=answers)


def test_both_intervals_of_every_difference_stand_side_by_side() -> None:
    layout = laid_out(RECORDS, answered(RECORDS))
    part = noise_part(layout)
    assert part is not None
    (sheet,) = part.sheets
    assert sheet.headings == ("pretext", "latent size", "1%", "100%")
    line = differences_with_images(layout).set_index(["pretext", "label_fraction"]).loc[("simclr", 0.01)]
    shown = {row[0].text: row[2].text for row in sheet.rows}["simclr"]
    assert shown == f"+9.0 ± {100 * line['seeds_half_width']:.1f} ({100 * line['half_width']:.1f})"
    assert line["half_width"] > line["seeds_half_width"]


def test_the_part_counts_what_the_inputs_make_uncertain_and_names_missing_answers() -> None:
    pretexts = [record for record in RECORDS if record.pretext != "supervised"]
    answers = {**answered(RECORDS, images=50, seed=1), **answered(pretexts, images=50, seed=2)}  # none hard for both
    part = noise_part(laid_out(RECORDS, dict(list(answers.items())[:15])))
    assert part is not None
    assert "Of 3 differences, 2 exclude zero over seeds, 0 once the test inputs count." in part.text
    assert "Answers are stored of 15 of 18 evaluations." in part.text


def test_one_seed_shows_the_noise_of_the_inputs_alone() -> None:
    first = [record for record in RECORDS if record.seed == 0]
    layout = laid_out(first, answered(first))
    part = noise_part(layout)
    assert part is not None
    found = differences_with_images(layout).set_index(["pretext", "label_fraction"]).loc[("simclr", 0.01)]
    assert part.sheets[0].rows[-1][2].text == f"+10.0 ({100 * found['images_half_width']:.1f})"
    assert "brackets hold the noise of the test inputs alone" in part.text[1]


def test_without_answers_there_is_no_part_and_no_note() -> None:
    layout = laid_out(RECORDS, {})
    assert noise_part(layout) is None
    assert tables_of(layout).accuracy[0].notes == ("ceiling (supervised, 100%): 72.0 ± 5.0",)


def test_a_table_says_how_large_the_noise_of_its_inputs_is() -> None:
    layout = laid_out(RECORDS, answered(RECORDS))
    noise = block_noise(layout.blocks[0], layout.answers)
    said = f"± {100 * min(noise):.1f} to {100 * max(noise):.1f} points"
    assert tables_of(layout).accuracy[0].notes[1] == f"noise of the test inputs, in no interval above: {said}"
