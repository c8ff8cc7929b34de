"""The sentence on ways that train no network: where they are above training from scratch, where above everything."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, repeat

from sslbench.contract.titles import CLASSICS, title_of
from sslbench.report.scores.layout import Block
from sslbench.report.statistics.analysis import Analysis
from sslbench.report.statistics.spread import estimate
from sslbench.report.words.lessons import here
from sslbench.report.words.numbers import counted, listed, percent
from sslbench.report.words.reading import CLAIM_SEEDS, WINS
from sslbench.report.words.sentence import Finding

SAYS = {"win": "above {} with", "loss": "below {} with", "tie": "not told apart from {} with"}


def classics(analysis: Analysis, dataset: str, encoder: str, where: str) -> Iterator[Finding]:
    """A sentence for each such row of a place; `where` opens it."""
    found = here(analysis.differences, dataset, encoder)
    primary = analysis.primary.protocol if analysis.primary else ""
    place = dataset, encoder, primary
    blocks = [one for one in analysis.layout.blocks if (one.dataset, one.encoder, one.protocol) == place]
    for name in CLASSICS:
        lines = found[(found["pretext"] == name) & (found["outcome"] != "untested")]
        if lines.empty:
            continue
        at = {outcome: lines.loc[lines["outcome"] == outcome, "label_fraction"].tolist() for outcome in SAYS}
        whats = chain(["training from scratch"], repeat("it"))
        told = [outcome for outcome in SAYS if at[outcome]]
        parts = [
            f"{SAYS[outcome].format(what)} {_shares(at[outcome])}" for outcome, what in zip(told, whats, strict=False)
        ]
        best = sorted({share for block in blocks for share in _led(block, name)})
        tops = f"; no mean of the table is above its own with {_shares(best)}" if best else ""
        first = lines.iloc[0]
        on = f", on {counted(int(first['n']), 'seed')}" if 1 < first["n"] < CLAIM_SEEDS else ""
        sentence = (
            f"{where}{title_of(name)}, which trains no network, is {', '.join(parts)} of the labels ({WINS}){tops}{on}."
        )
        lead, reach = float(first["difference"]), float(first["reach"])
        yield Finding("classic", sentence, lead, lead - reach, lead + reach)


def _shares(fractions: list[float]) -> str:
    """`1%, 10% and 100%`."""
    return listed([percent(fraction) for fraction in fractions])


def _led(block: Block, name: str) -> list[float]:
    """The label fractions at which no row of a table has a higher mean than this one."""
    means = {key: estimate(scores.values()).mean for key, scores in block.scores.items() if scores}
    return [
        share
        for row, share in means
        if row == name and means[row, share] == max(mean for (_, at), mean in means.items() if at == share)
    ]
