"""Which pretexts rank above which, over label fractions and datasets, and which cannot be told apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from sslbench.report.scores.rows import Floats, Row, Section
from sslbench.report.statistics.spread import CONFIDENCE, ROUNDING, estimate

Block = tuple[str, float]  # dataset, label fraction


@dataclass(frozen=True)
class Ranks:
    """Mean ranks of the rows of one table, rank 1 being the most accurate.

    Attributes:
        names: best mean rank first; a transferred encoder names its source.
        mean_ranks: of `names`, averaged over `blocks`; ties share their mean rank.
        blocks: the (dataset, label fraction) pairs that every row was run at.
        p_value: of the Friedman test that all rows rank alike, in the F form of Iman & Davenport 1980.
        critical_difference: mean ranks closer than this are not told apart (Nemenyi, 5%).
        groups: runs of `names` that are not told apart, two or more each, none inside another.
        left_out: rows that lack a block.
        reason: why p-value and critical difference are NaN; empty if they are not.
    """

    encoder: str
    latent_dim: int
    protocol: str
    names: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    blocks: tuple[Block, ...]
    p_value: float
    critical_difference: float
    groups: tuple[tuple[str, ...], ...]
    left_out: tuple[str, ...]
    reason: str


def ranks(compared: Iterable[Section]) -> tuple[Ranks, ...]:
    """Mean ranks per encoder, latent size and protocol, `supervised` taking part in each (Demšar 2006, JMLR 7).

    Rows are ranked by mean accuracy over seeds within each block, a (dataset, label fraction) pair; rows that were not
    run at every block of `supervised` are left out and named. The Friedman test and Nemenyi's critical difference
    take blocks as independent. Datasets are; the fractions of one dataset share encoders and nested labels, so that
    with a single dataset the tests are optimistic and rank what was run, not datasets in general.
    """
    tables: dict[tuple[str, int, str], dict[str, dict[Block, float]]] = {}
    for section in compared:
        if section.supervised is None:
            continue
        for row in section.rows:
            table = tables.setdefault((section.encoder, section.latent_dim, row.protocol), {})
            table.setdefault(_name(section, row), {}).update(_means(section, row))
    for section in compared:
        for (encoder, latent_dim, _), table in tables.items():
            if section.supervised is not None and (encoder, latent_dim) == (section.encoder, section.latent_dim):
                table.setdefault("supervised", {}).update(_means(section, section.supervised))
    return tuple(_ranks(*key, table) for key, table in tables.items())


@cache
def nemenyi_quantile(rows: int) -> float:
    """Critical value q of the Nemenyi test at 5%: the studentised range over infinite degrees, by sqrt(2)."""
    return float(stats.studentized_range.ppf(CONFIDENCE, rows, np.inf)) / math.sqrt(2)


def friedman_p_value(block_ranks: Floats) -> float:
    """P-value of the Friedman test, F form (Iman & Davenport 1980), of ranks `(blocks, rows)`, ties averaged."""
    blocks, rows = block_ranks.shape
    middle = (rows + 1) / 2
    spread = np.square(block_ranks - middle).sum() / (blocks * (rows - 1))  # k (k + 1) / 12 without ties
    if spread < ROUNDING:
        return 1.0
    chi_squared = float(blocks * np.square(block_ranks.mean(axis=0) - middle).sum() / spread)
    rest = blocks * (rows - 1) - chi_squared
    if rest < ROUNDING * blocks:
        return math.factorial(rows) ** (1.0 - blocks)  # all blocks agree: F is infinite, the chance of that is not 0
    return float(stats.f.sf((blocks - 1) * chi_squared / rest, rows - 1, (rows - 1) * (blocks - 1)))


def _name(section: Section, row: Row) -> str:
    own = row.pretrain_dataset in ("", section.dataset)
    return row.pretext if own else f"{row.pretext} from {row.pretrain_dataset}"


def _means(section: Section, row: Row) -> dict[Block, float]:
    scores = {fraction: row.scores(fraction) for fraction in row.fractions}
    return {(section.dataset, fraction): estimate(found.values()).mean for fraction, found in scores.items() if found}


def _ranks(encoder: str, latent_dim: int, protocol: str, table: Mapping[str, Mapping[Block, float]]) -> Ranks:
    blocks = tuple(sorted(table["supervised"]))
    names = sorted(name for name, means in table.items() if all(block in means for block in blocks))
    scores = np.array([[round(table[name][block], 12) for name in names] for block in blocks])
    block_ranks = stats.rankdata(-scores, axis=1)
    means = block_ranks.mean(axis=0)
    order = sorted(range(len(names)), key=lambda index: (means[index], names[index]))
    ordered, ordered_means = tuple(names[index] for index in order), tuple(float(means[index]) for index in order)
    reason = "" if len(blocks) >= 2 and len(names) >= 3 else "rank tests need three rows and two label budgets"
    reach = math.nan
    if not reason:
        reach = nemenyi_quantile(len(names)) * math.sqrt(len(names) * (len(names) + 1) / (6 * len(blocks)))
    return Ranks(
        *(encoder, latent_dim, protocol, ordered, ordered_means, blocks),
        p_value=math.nan if reason else friedman_p_value(block_ranks),
        critical_difference=reach,
        groups=() if reason else _groups(ordered, ordered_means, reach),
        left_out=tuple(sorted(set(table) - set(names))),
        reason=reason,
    )


def _groups(names: tuple[str, ...], means: tuple[float, ...], reach: float) -> tuple[tuple[str, ...], ...]:
    found: list[tuple[str, ...]] = []
    end = 0
    for first in range(len(names)):
        last = max(index for index in range(first, len(names)) if means[index] - means[first] < reach)
        if last > first and last + 1 > end:
            found.append(names[first : last + 1])
            end = last + 1
    return tuple(found)
