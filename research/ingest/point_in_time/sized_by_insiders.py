"""The insider scores that scale sizes: those known at a close, for the session after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from research.ingest.point_in_time.as_of import DAY_NS, instants
from research.ingest.point_in_time.filed_insiders import insiders_of
from research.ingest.point_in_time.insider_scores import issuer_scores
from shared.config import Config
from shared.io.bar_checks import SECOND_NS
from shared.sessions import all_hours

if TYPE_CHECKING:
    import pandas as pd

Scores = dict[str, float]
_NEVER = 0
"""1970, before any transaction: too long ago for every age allowed."""


def scores_at(config: Config, closes: Sequence[datetime]) -> list[Scores]:
    """Of each of these closes the scores of the universe, by symbol, from the table of [insiders].

    A symbol of which no transaction was known yet has none; none has one where the newest row known is older than
    `insiders.age_days_max`. DataError or NotFound where the table cannot be read.
    """
    rows = insiders_of(config.base_dir / config.insiders.table)
    return known_scores(rows, config.universe.symbols, closes, config.insiders.age_days_max)


def known_scores(
    rows: pd.DataFrame, symbols: Sequence[str], closes: Sequence[datetime], age_days_max: float
) -> list[Scores]:
    """As `scores_at`, of the rows that `insiders_of` gives."""
    times = np.array([int(each.timestamp()) * SECOND_NS for each in closes], dtype=np.int64)
    scores = issuer_scores(rows, symbols, times)
    known = np.concatenate([[_NEVER], np.sort(instants(rows["known_by"]))])
    newest = known[np.searchsorted(known, times, side="right") - 1]
    is_fresh = times - newest <= age_days_max * DAY_NS
    first = {ticker: int(instants(of).min()) for ticker, of in rows.groupby("ticker")["known_by"]}
    return [
        {symbol: float(row[n]) for n, symbol in enumerate(symbols) if fresh and first.get(symbol, at + 1) <= at}
        for row, fresh, at in zip(scores, is_fresh, times, strict=True)
    ]


def scores_before(config: Config, first: date, last: date) -> dict[date, Scores]:
    """Of every session from `first` to `last` the scores known at the close before it."""
    hours = all_hours(config.session.calendar)
    pairs = [(one, after) for one, after in pairwise(hours) if first <= after.session <= last]
    found = scores_at(config, [one.closes_at for one, _ in pairs])
    return {after.session: scores for (_, after), scores in zip(pairs, found, strict=True)}
