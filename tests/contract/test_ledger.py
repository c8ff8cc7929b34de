"""What is said of defaults is said of plug-ins that there are."""

from __future__ import annotations

from pathlib import Path

from sslbench.contract.ledger import CHOSEN_ON_LABELS
from sslbench.pretexts import PRETEXTS
from sslbench.protocols import PROTOCOLS

CHANGES = (Path(__file__).parents[2] / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_line_is_of_a_plug_in_and_says_which_settings_on_which_data() -> None:
    assert set(CHOSEN_ON_LABELS) <= {*PRETEXTS, *PROTOCOLS}
    for said in CHOSEN_ON_LABELS.values():
        assert ", by " in said or ", between " in said
        assert not said.endswith(".")


def test_every_pretext_whose_defaults_the_changelog_explains_by_probes_has_a_line() -> None:
    told = CHANGES.partition("### Why the defaults are what they are")[2].partition("\n### ")[0]
    explained = {line[3:].partition("`")[0] for line in told.splitlines() if line.startswith("- `")} & set(PRETEXTS)
    assert explained <= set(CHOSEN_ON_LABELS)
    assert len(explained) >= 7
