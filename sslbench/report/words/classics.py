"""The sentence on ways that train no network: where they are above training from scratch, where above everything."""

from __future__ import annotations

from collections.abc import Iterator

from sslbench.contract.titles import CLASSICS, title_of
from sslbench.report.scores.layout import Block
from sslbench.report.statistics.spread import estimate
from sslbench.report.words.numbers import listed, percent
from sslbench.report.words.reading import WINS
from sslbench.report.words.sentence import Finding, Place, on_seeds

SAYS = {"win": "above {} with", "loss": "below {} with", "tie": "not told apart from {} with"}


def classics(place: Place) -> Iterator[Finding]:
    """A sentence for each such row of a place."""
    found = place.here(place.analysis.differences)
    table = place.dataset, place.encoder, place.primary
    blocks = [one for one in place.analysis.layout.blocks if one.axis[:3] == table]
    for name in CLASSICS:
        lines = found[(found["pretext"] == name) & (found["outcome"] != "untested")]
        if lines.empty:
            continue
        parts: list[str] = []
        for outcome, says in SAYS.items():
            fractions = lines.loc[lines["outcome"] == outcome, "label_fraction"].tolist()
            if fractions:
                parts.append(f"{says.format('it' if parts else 'training from scratch')} {_shares(fractions)}")
        best = sorted({share for block in blocks for share in _led(block, name)})
        tops = f"; no mean of the table is above its own with {_shares(best)}" if best else ""
        first = lines.iloc[0]
        ends = f"of the labels ({WINS}){tops}{on_seeds(first['n'])}."
        sentence = f"{title_of(name)}, which trains no network, is {', '.join(parts)} {ends}"
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
