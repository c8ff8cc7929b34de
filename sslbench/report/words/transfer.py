"""The answer to whether pretraining on other data carries over: yes, no or not shown, with both figures."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sslbench.contract.titles import title_of
from sslbench.report.scores.rows import Subject
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.words.lessons import here
from sslbench.report.words.numbers import counted
from sslbench.report.words.reading import CLAIM_SEEDS
from sslbench.report.words.sentence import Finding
from sslbench.report.words.wording import compared, with_labels


def transferred(analysis: Analysis, dataset: str, encoder: str, where: str) -> Iterator[Finding]:
    """A sentence per other dataset that encoders were pretrained on; `where` opens it."""
    for line in here(analysis.transfers, dataset, encoder).to_dict("records"):
        lead, low, high = (float(line[f"scratch{end}"]) for end in ("", "_low", "_high"))
        if math.isnan(lead):
            continue
        origin, fraction = line["pretrain_dataset"], line["label_fraction"]
        answer = "Yes" if low > 0 else "No" if high < 0 else "Not shown"
        budget = with_labels(fraction, line["num_labels"]).replace("With", "with")
        told = compared(lead, low, high, "training from scratch")
        own = compared(
            line["own"], line["own_low"], line["own_high"], f"what they chose of those pretrained on {dataset}"
        )
        beside = "" if math.isnan(line["own"]) else f"; it is {own} itself"
        on = f", on {counted(line['n'], 'seed')}" if 1 < line["n"] < CLAIM_SEEDS else ""
        sentence = (
            f"{where}Does pretraining on {origin} help? {answer}: {budget}, what each seed's own "
            f"labels chose of encoders pretrained on {origin}, read by {title_of(line['protocol'])}, is {told}"
            f"{beside}{on}."
        )
        subject = Subject(dataset, encoder, line["latent_dim"], line["protocol"], origin, "", fraction)
        brief = f"from {origin}: {answer.lower()}, {told} {budget}"
        yield Finding("transfer", sentence, lead, low, high, subject, brief)
