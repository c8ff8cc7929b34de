"""`report.html`: answers first, loads nothing, holds every number of the table, and says what is wrong with it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pandas as pd
import pytest

from sslbench.contract.record import Record
from sslbench.contract.spec import InputError
from sslbench.report.attachments.attachments import Attachments
from sslbench.report.attachments.exhibits import read_exhibits, write_exhibits
from sslbench.report.attachments.files import read_gaps, write_gaps
from sslbench.report.attachments.gaps import Failure, Gaps
from sslbench.report.page.files import ASSETS
from sslbench.report.page.render import unlinked
from sslbench.report.records import from_records
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.words.findings import findings
from tests.made_up import markdown, probes, supervised
from tests.report.page.parsed import Page, cell, exhibit, html, page

#: The libraries are those of their packages, to the byte: nobody has to read them again.
DIGESTS = {
    "d3-7.9.2.min.js": "912111098ea99503a6f4967361d2bbdc9dbf58cf9c678c8e27e5b02d1a07f0c1",
    "plot-0.6.17.min.js": "4358086467740777dd788d6b27a95cebdbaefdd50c730a3060117073bd7134cb",
}


def judged(made: list[Record]) -> pd.DataFrame:
    """Records with the scores inside the label budget that choosing needs."""
    tested = from_records(made)
    return pd.concat([tested, tested.assign(split="budget", run_id=tested["run_id"] + "-b")])


def test_a_page_with_everything_has_at_most_eight_chapters(quick_page: Page) -> None:
    found = quick_page
    chapters = [title for title in found.texts["h2"] if title != "Runs"]  # the dialog behind the numbers is none
    assert chapters == [
        "The answer",
        "Tables",
        "Latent size",
        "Accuracy against compute",
        "Pictures",
        "For reviewers",
    ]
    assert len(chapters) <= 8


def test_the_answer_and_both_plots_stand_before_everything_else(quick_page: Page) -> None:
    found = quick_page
    answer = next(place for place, (_, one) in enumerate(found.tags) if one.get("class") == "answer")
    first = {"class": "first", "data-shows": "1"}  # the table the answer speaks of
    plots = [place for place, (tag, _) in enumerate(found.tags) if tag == "figure" and place > answer]
    assert [found.tags[place][1]["class"] for place in plots[:2]] == ["curves", "saved"]
    assert answer < found.tags.index(("div", first)) < found.at("table")
    for later in ("table", "details", "nav"):
        assert plots[1] < found.at(later)
    assert plots[1] < found.at("div", id="notices")


def test_the_answer_is_one_sentence_and_what_is_shown_first_is_its_table(quick_page: Page, analysis: Analysis) -> None:
    found = quick_page
    first = next(one for one in findings(analysis) if one.topic == "label multiplier")
    assert found.texts["p"].count(first.sentence) == 1
    assert sum(one.get("class") == "answer" for one in found.attributes("p")) == 1
    options = zip(found.attributes("option"), found.texts["option"], strict=True)
    selected = {text for option, text in options if "selected" in option}
    assert first.subject is not None
    assert selected == {f"{first.subject.protocol}, latent size {first.subject.latent_dim}"}
    others = [one.sentence for one in findings(analysis) if one.sentence != first.sentence]
    assert [text for text in found.texts["li"] if text in others] == others  # folded behind it


def test_every_dataset_has_a_sentence_of_its_own() -> None:
    here = judged(probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72) + supervised(0.8, 0.82, fraction=0.1))
    origins = here["pretrain_dataset"].replace("digits", "letters")
    found = page(pd.concat([here, here.assign(dataset="letters", pretrain_dataset=origins)]))
    shown = [one["data-shows"] for one in found.attributes("p") if one.get("class") == "answer"]
    assert shown == ["0", "1"]
    assert [text.split(" (")[0] for text in found.texts["p"] if text.startswith("On ")] == ["On digits", "On letters"]


def test_own_and_transferred_rows_share_an_axis_and_both_answers_stand_above_them() -> None:
    here = judged(probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72)).reset_index(drop=True)
    there = here[here["pretext"] == "simclr"].assign(pretrain_dataset="letters", run_id="l-" + here["run_id"])
    back = here.assign(dataset="letters", run_id="b-" + here["run_id"])
    found = page(pd.concat([here, there.assign(value=0.6), back]))
    drawn = [sorted(line["row"] for line in chart["lines"]) for chart in found.charts("lines")]
    assert drawn == [["simclr", "simclr from letters", "supervised"], ["simclr", "supervised"]]
    assert [bar["row"] for bar in found.charts("saved")[0]["bars"]] == ["simclr", "simclr from letters"]
    own, other = (found.data["looks"][row] for row in drawn[0][:2])
    assert (own["color"], own["symbol"]) == (other["color"], other["symbol"])
    assert own["dash"] != other["dash"]
    shown = [one["data-shows"] for one in found.attributes("p") if one.get("class") == "answer"]
    assert shown == ["0 1", "0 1"]
    assert len(found.accuracy) == 3  # on digits one of each kind
    assert [text.split("?")[0] for text in found.texts["p"] if "Does" in text] == [
        "On digits (conv): Does pretraining on letters help",
        "On letters (conv): Does pretraining on digits help",
    ]


def test_without_training_from_scratch_the_page_says_that_it_has_no_answer() -> None:
    found = page(from_records(probes("simclr", 0.8, 0.9) + probes("rotation", 0.7, 0.8)))
    assert sum("cannot be said here" in text for text in found.texts["p"]) == 1
    assert found.charts("saved") == []
    assert len(found.charts("lines")) == 1


def test_without_scores_inside_the_budget_no_row_is_singled_out() -> None:
    found = page(from_records(probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72)))
    assert sum(text.startswith("No pretext can be singled out") for text in found.texts["p"]) == 1
    assert len(found.charts("saved")) == 1


def test_tables_stand_behind_a_chooser_and_without_a_script_all_are_shown(quick_page: Page) -> None:
    found = quick_page
    choosers = [one for one in found.attributes("select") if "data-chooses-table" in one]
    assert len(choosers) == 2  # beside the plots and above the tables
    shown = [one["data-shows"] for one in found.attributes("div") if "data-shows" in one]
    assert sorted(shown) == sorted([str(number) for number in range(5)] * 2)
    assert not any("hidden" in one for tag, one in found.tags if tag not in ("svg", "path"))
    assert len(found.accuracy) == 5
    assert all(text for text in found.texts["noscript"])


def test_what_reviewers_ask_for_is_folded(quick_page: Page) -> None:
    found = quick_page
    reviewed = found.tags[found.at("section", id="reviewers") :]
    folded = [one for tag, one in reviewed if tag == "details"]
    assert {"cost", "environment", "matters", "measures", "optimism", "outcomes", "spread", "budgets"} <= {
        one.get("id") for one in folded
    }
    assert not any("open" in one for one in folded)


def test_the_page_holds_the_tables_of_the_markdown_cell_by_cell(golden: pd.DataFrame) -> None:
    said = markdown(golden).split("## How to read this")[0]
    wanted = [
        [[text.strip().replace("**", "") for text in line.strip("|").split("|")] for line in block.splitlines()]
        for block in re.findall(r"(?:^\|.*\n)+", said, re.MULTILINE)
    ]
    shown = page(golden).accuracy
    assert len(shown) == len(wanted) >= 2
    for table, expected in zip(shown, wanted, strict=True):
        assert table[0][1:] == expected[0][1:]
        assert table[1:] == expected[2:]  # without the line of dashes


def test_what_is_bold_in_the_markdown_is_bold_in_the_page(golden: pd.DataFrame) -> None:
    bold = re.findall(r"<strong>(.*?)</strong>", html(golden))
    said = markdown(golden).split("## How to read this")[0]
    assert sorted(bold) == sorted(re.findall(r"\*\*(.*?)(?: †)?\*\*", said))
    assert bold


def test_every_number_leads_to_the_runs_it_is_the_mean_of(golden: pd.DataFrame) -> None:
    found = page(golden)
    scores = golden[(golden["metric"] == "accuracy") & (golden["split"] == "test")].set_index("run_id")["value"]
    assert {run for runs in found.runs for _, _, run in runs} == set(scores.index)
    for _, value, run in (one for runs in found.runs for one in runs):
        assert value == pytest.approx(scores[run], abs=1e-6)
    numbers = [text for table in found.accuracy for line in table[1:] for text in line[1:] if text != "–"]
    for text, runs in zip(numbers, found.runs, strict=True):
        assert float(text.split()[0]) == pytest.approx(100 * sum(run[1] for run in runs) / len(runs), abs=0.051)


def test_the_majority_class_has_no_difference_and_the_ceiling_is_said_once_per_table(quick_page: Page) -> None:
    found = quick_page
    assert all("(" not in cell(found, "majority_class", 1, table) for table in range(4))
    assert not any("ceiling" in line[0] for table in found.accuracy for line in table)
    assert sum(text.startswith("ceiling (supervised, 100%): 8") for text in found.texts["p"]) == len(found.accuracy)


def test_run_ids_are_links_only_where_somebody_has_the_runs(golden: pd.DataFrame) -> None:
    own, published = html(golden, Attachments(ui_url="http://127.0.0.1:5000/")), html(golden)
    (dialog,) = Page(own).attributes("dialog")
    assert dialog["data-ui"] == "http://127.0.0.1:5000"
    assert "data-ui" not in Page(published).attributes("dialog")[0]
    assert unlinked(own) == published


def test_nothing_is_loaded_from_anywhere(golden: pd.DataFrame) -> None:
    found = page(golden)
    for tag, attributes in found.tags:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            assert re.match(r"#|data:|$", attributes.get(name, "")), (tag, attributes)
    policies = [item["content"] for item in found.attributes("meta") if "http-equiv" in item]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none'; ")  # the browser holds the page to it
    style = (ASSETS / "style.css").read_text() + (ASSETS / "charts.js").read_text()
    named = style.replace("http://www.w3.org/", "")  # names of SVG and HTML, which lead nowhere
    assert not re.search(r"@import|url\(|https?:|fetch\(|XMLHttpRequest|import\(", named)


def test_equal_records_give_equal_bytes(golden: pd.DataFrame) -> None:
    assert html(golden) == html(golden.sample(frac=1, random_state=0))


def test_the_libraries_are_the_published_ones_and_their_licence_stands_in_the_page(golden: pd.DataFrame) -> None:
    vendored = {path.name: path.read_bytes() for path in (ASSETS / "vendor").glob("*.js")}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in vendored.items()} == DIGESTS
    text = html(golden)
    assert "Copyright 2010-2026 Mike Bostock" in text
    assert "Copyright 2020-2025 Observable, Inc." in text
    assert "Permission to use, copy, modify" in text


def test_a_small_page_stays_small(golden: pd.DataFrame) -> None:
    assert len(html(golden).encode()) < 600_000


HOSTILE = '</script><script>alert("x")</script><img src=http://evil onerror=alert(1)> & \u2028'


def test_hostile_names_stay_text() -> None:
    made = from_records(probes("simclr", 0.8, 0.82) + supervised(0.7, 0.71) + probes("rotation", 0.5, 0.6))
    hostile = made.assign(
        pretext=made["pretext"].replace("rotation", HOSTILE), run_id=HOSTILE, dataset=HOSTILE, device=HOSTILE
    )
    tame = page(made)
    failure = Failure(HOSTILE, "conv", HOSTILE, 32, 5, 5, 0.01, "linear_probe", HOSTILE, HOSTILE)
    found = page(hostile, Attachments({HOSTILE: HOSTILE}, gaps=Gaps(failures=(failure,))), HOSTILE)
    for tag in ("script", "img"):
        assert len(found.attributes(tag)) == len(tame.attributes(tag)), tag
    assert HOSTILE in found.texts["title"][0]
    assert any(line[0] == HOSTILE for line in found.accuracy[0])
    assert {run for runs in found.runs for _, _, run in runs} == {HOSTILE}
    assert not any(name.startswith("on") for _, attributes in found.tags for name in attributes)


def test_a_complete_page_says_so_and_an_incomplete_one_what_is_missing() -> None:
    whole = page(from_records(probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72)))
    assert any("no evaluation is missing, failed or stale" in text for text in whole.texts["p"])
    made = probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72) + supervised(0.8, 0.8, fraction=0.1)
    found = page(from_records(made + probes("rotation", 0.7)))
    assert cell(found, "simclr", 2) == "–"
    assert cell(found, "rotation").startswith("70.0 †")
    assert any(text.startswith("Fewer seeds than other cells of the column: rotation") for text in found.texts["p"])
    titles = [attributes.get("title") for attributes in found.attributes("td")]
    assert "missing: not run" in titles
    assert "fewer seeds than other cells of its column" in titles


def test_a_column_may_have_seeds_of_its_own() -> None:
    few = probes("simclr", 0.6, 0.61, 0.62, 0.63) + supervised(0.5, 0.52, 0.51, 0.5)
    many = probes("simclr", 0.8, 0.81, fraction=0.1) + supervised(0.7, 0.72, fraction=0.1)
    found = page(from_records(few + many + probes("raw_pixels", 0.6, 0.6, 0.6, 0.6, fraction=0.1)))
    assert "†" not in "".join(cell(found, name, place) for name in ("simclr", "supervised") for place in (1, 2))
    assert any(text.startswith("Test accuracy in percent, mean over 2 to 4 seeds") for text in found.texts["p"])
    assert any("2 to 4 repetitions each" in text for text in found.texts["p"])
    assert any("no evaluation is missing, failed or stale" in text for text in found.texts["p"])


def test_what_the_numbers_lack_is_linked_beside_the_title() -> None:
    whole = page(from_records(probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72)))
    lacking = page(from_records(probes("simclr", 0.8, 0.81) + probes("rotation", 0.7) + supervised(0.7, 0.72)))
    assert not any("reservation" in text for text in whole.texts["p"])
    assert lacking.texts["p"][0].endswith("1 reservation")


def test_a_failed_cell_reads_failed_with_its_reason_and_a_seed_that_failed_is_told() -> None:
    made = probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72) + supervised(0.8, 0.8, fraction=0.1)
    failures = (
        Failure("digits", "conv", "simclr", 32, 0, 0, 0.1, "linear_probe", "TrainingError: loss is nan", "run-a"),
        Failure("digits", "conv", "supervised", 32, 2, None, None, None, "OSError: disk full", "run-b"),
        Failure("digits", "conv", "simclr", 32, 0, 0, 0.01, "linear_probe", "done again since", "run-c"),
    )
    found = page(from_records(made), Attachments(gaps=Gaps(failures=failures)))
    assert cell(found, "simclr", 2) == "failed"
    titles = " ".join(attributes.get("title", "") for attributes in found.attributes("td"))
    assert "seed 0 failed: TrainingError: loss is nan" in titles
    assert "done again since" not in titles


def test_a_cell_of_another_version_or_of_other_settings_is_marked_stale() -> None:
    records = from_records(probes("simclr", 0.8, 0.81) + probes("rotation", 0.7, 0.72) + supervised(0.7, 0.72))
    old = records["pretext"] == "rotation"
    records.loc[old, "sslbench_version"] = "0.0.9"
    records.loc[old, "started_at"] = "2025-01-01T00:00:00Z"
    first = (records["pretext"] == "simclr") & (records["seed"] == 0)
    records.loc[first, "config_hash"] = "other"
    records.loc[first, "started_at"] = "2025-01-01T00:00:00Z"
    found = page(records)
    assert "§" in cell(found, "rotation")
    assert "§" in cell(found, "simclr")
    assert "§" not in cell(found, "supervised")
    said = markdown(records)
    assert next(line for line in said.splitlines() if line.startswith("| rotation")).count("§") == 1
    assert "§ stale: at least one seed" in said
    assert any("Stale §: 3 cells computed" in text for text in found.texts["p"])


def test_a_collapsed_encoder_is_marked_and_named() -> None:
    records = from_records(probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72))
    flag = records[records["pretext"] == "simclr"].assign(metric="collapsed", split="unlabelled", value=1.0)
    measured = [
        flag.assign(metric=f"representation.{name}", protocol="diagnostics", label_fraction=0.0)
        for name in ("rankme", "alpha_req", "lidar", "uniformity", "alignment", "per_dimension_std")
    ]
    found = page(pd.concat([records, flag.assign(protocol="diagnostics", label_fraction=0.0), *measured]))
    assert any(line[0] == "simclr ‡" for line in found.accuracy[0])
    assert any("Collapsed ‡ in at least one seed: simclr." in text for text in found.texts["p"])


def test_what_was_trained_for_a_few_steps_is_called_undertrained_whatever_its_flag_says() -> None:
    records = from_records(probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72)).assign(pretrain_steps=199)
    flag = records[records["pretext"] == "simclr"].assign(metric="collapsed", split="unlabelled", value=1.0)
    found = page(pd.concat([records, flag.assign(protocol="diagnostics", label_fraction=0.0)]))
    notices = [text for text in found.texts["p"] if "ollapsed" in text or text.startswith("Undertrained")]
    assert notices == ["Undertrained, by fewer than 200 steps of pretraining: simclr."]
    assert any(line[0] == "simclr" for line in found.accuracy[0])


def test_one_can_find_ones_way_by_headings_keyboard_and_screen_reader(golden: pd.DataFrame) -> None:
    found = page(golden, Attachments(exhibits=(exhibit("simclr"),)))
    assert len(found.attributes("h1")) == 1
    ids = {attributes["id"] for _, attributes in found.tags if "id" in attributes}
    links = {attributes["href"][1:] for attributes in found.attributes("a") if attributes["href"].startswith("#")}
    assert links <= ids
    assert {"answer", "tables", "reviewers", "pictures"} <= links
    assert len(ids) == sum("id" in attributes for _, attributes in found.tags)
    assert all(attributes["alt"] for attributes in found.attributes("img"))
    assert all(text.strip() for text in found.texts["button"])
    tabbable = [item for item in found.attributes("button") if "data-runs" in item and item["tabindex"] == "0"]
    assert len(tabbable) == len(found.accuracy)
    assert all(len(chart["alt"]) > 20 for chart in found.data["charts"])
    assert all(re.search(r"from [\d.]+ to [\d.]+ %", chart["alt"]) for chart in found.charts("lines"))
    selects = len(found.attributes("select"))
    assert sum(one.get("class") == "choice" for one in found.attributes("label")) == selects
    assert {"scope"} <= set(found.attributes("th")[0])


def test_pictures_are_embedded_small_and_survive_their_folder(golden: pd.DataFrame, tmp_path: Path) -> None:
    shown = (exhibit("simclr"), exhibit("barlow_twins"))
    found = page(golden, Attachments(exhibits=shown)).attributes("img")
    assert [item["src"][:22] for item in found] == ["data:image/png;base64,"] * 2
    assert {(item["width"], item["height"]) for item in found} == {("900", "450")}
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "old.png").write_bytes(b"")
    write_exhibits(shown, tmp_path)
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == [
        "digits-conv-barlow_twins-d128-s0-map.png",
        "digits-conv-simclr-d128-s0-map.png",
    ]
    assert set(read_exhibits(tmp_path)) == set(shown)


def test_gaps_survive_their_file_and_go_with_it(tmp_path: Path) -> None:
    failures = (Failure("digits", "conv", "simclr", 32, 0, None, None, None, "OSError: ö", "run"),)
    for gaps in (Gaps(4, 1, failures), Gaps(4, 2), Gaps(4, 0, failures)):
        write_gaps(gaps, tmp_path)
        assert read_gaps(tmp_path) == gaps
    write_gaps(Gaps(4, 0), tmp_path)
    assert not (tmp_path / "gaps.json").exists()
    assert read_gaps(tmp_path) == Gaps()
    (tmp_path / "gaps.json").write_text('{"planned": 1, "missing": 0, "failures": [{"dataset": 1}]}')
    with pytest.raises(InputError, match="cannot read gaps from"):
        read_gaps(tmp_path)


def test_an_unfinished_suite_is_said_to_be_one() -> None:
    records = from_records(probes("simclr", 0.8, 0.81) + supervised(0.7, 0.72))
    texts = page(records, Attachments(gaps=Gaps(1330, 1326))).texts["p"]
    assert any(text.startswith("Unfinished: 1,326 of the 1,330 evaluations of the suite have no") for text in texts)
    assert not any("no evaluation is missing" in text for text in texts)


def test_no_cell_of_any_table_shows_a_number_that_is_none(quick: pd.DataFrame, quick_page: Page) -> None:
    one_seed = quick[(quick["seed"] == 0) & (quick["label_fraction"].isin([0.0, 0.01]))]
    for found in (quick_page, page(one_seed)):
        texts = [text for table in found.tables for line in table for text in line]
        assert not any({"nan", "inf"} & set(text.lower().split()) for text in texts)
