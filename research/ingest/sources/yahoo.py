"""Yahoo through yfinance (an extra): daily bars, made raw again.

Yahoo's prices are adjusted for every split until today, dividends too; volume the other way round. The splits come with
the bars, so each bar is multiplied by those after it, which gives what was printed, to the fourth decimal (Yahoo's
prices are 32-bit). For that every question reaches until today, whatever was wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from research.ingest.sources.bar_rows import Row, bars_of, cut, day_ns
from research.ingest.sources.clock import PaceClock
from research.ingest.sources.one_action import by_day
from research.ingest.sources.retrying import Retrying
from research.ingest.sources.source import Chunk, SourceRefuses, SourceUnavailable, Throttled, Wanted
from research.ingest.sources.tickers import written
from research.ingest.sources.token_bucket import TokenBucket
from shared.errors import DataError
from shared.io.bar_checks import DAILY_S
from shared.io.bar_files import NEW_YORK
from shared.io.bar_part import Adjustment
from shared.io.stored_actions import Action

if TYPE_CHECKING:
    import pandas as pd

NAME = "yfinance"
DECIMALS = 4
PRICES = ("Open", "High", "Low", "Close")
COLUMNS = (*PRICES, "Volume", "Dividends", "Stock Splits")
Table = Callable[[str, date, date], "pd.DataFrame"]
"""Ticker, first day and the day after the last one; columns COLUMNS, index New York days."""


class Yahoo:
    """`table` is the one door to the library: `ask_yfinance`, or in a test what it would answer."""

    name = NAME
    adjustment: Adjustment = "raw"
    parallel = 2

    def __init__(self, table: Table, *, bucket: TokenBucket, retrying: Retrying, clock: PaceClock) -> None:
        self._table = table
        self._bucket = bucket
        self._retrying = retrying
        self._clock = clock

    def open(self) -> None:
        """There is no connection to make."""

    def now_s(self) -> float:
        return self._clock.now_s()

    def refusal(self, wanted: Wanted) -> str:
        if wanted.shows != "trades" or wanted.interval_s != DAILY_S or wanted.hours != "regular":
            return f"{NAME} is asked for daily trades of regular hours only"
        return ""

    def chunks(self, wanted: Wanted) -> Iterator[Chunk]:
        until = datetime.fromtimestamp(self._clock.now_s(), UTC).astimezone(NEW_YORK).date() + timedelta(days=1)
        ticker = written(wanted.symbol, "-")

        def ask() -> pd.DataFrame:
            self._bucket.turn()
            return self._table(ticker, wanted.first, until)

        table = self._retrying.run(ask, self._bucket.pause)
        yield as_printed(table, wanted)

    def close(self) -> None:
        """Nothing is open."""


def as_printed(table: pd.DataFrame, wanted: Wanted) -> Chunk:
    """The bars as they were printed. Raises DataError for a table of another shape."""
    where = f"{NAME}: {wanted.symbol}"
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        found = ", ".join(map(str, table.columns)) or "(none)"
        raise DataError(f"{where}: missing column: {', '.join(missing)}; found: {found}")
    days = [stamp.date() for stamp in table.index]
    if len(set(days)) < len(days) or days != sorted(days):
        raise DataError(f"{where}: days twice or out of order, allowed: each once, rising")
    splits = table["Stock Splits"].to_numpy(dtype=np.float64)
    ratios = np.where(splits > 0.0, splits, 1.0)
    later = np.cumprod(ratios[::-1])[::-1] / ratios if len(ratios) else ratios
    prices = [np.round(table[name].to_numpy(dtype=np.float64) * later, DECIMALS) for name in PRICES]
    volume = np.round(table["Volume"].to_numpy(dtype=np.float64) / later)
    dividends = table["Dividends"].to_numpy(dtype=np.float64) * later
    values = np.column_stack([*prices, volume])
    printed = np.flatnonzero(~np.isnan(values[:, :-1]).all(axis=1))
    rows: list[Row] = [(day_ns(days[place]), *values[place].tolist()) for place in printed]
    actions = [
        Action(ex_date=day, dividend=round(float(dividends[place]), 6), split=float(ratios[place]))
        for place, day in enumerate(days)
        if wanted.first <= day <= wanted.last
    ]
    bars = cut(bars_of(rows, where), wanted.first, wanted.last)
    return Chunk(first=wanted.first, last=wanted.last, bars=bars, actions=by_day(actions, NAME))


def ask_yfinance(ticker: str, first: date, until: date) -> pd.DataFrame:
    """What yfinance answers, its errors as ours."""
    try:
        yfinance, exceptions = import_module("yfinance"), import_module("yfinance.exceptions")
    except ImportError:
        raise SourceRefuses(f"{NAME}: the library is not installed, run: pip install 'openbell[yfinance]'") from None
    try:
        yfinance.config.debug.hide_exceptions = False
        table: pd.DataFrame = yfinance.Ticker(ticker).history(
            start=first.isoformat(), end=until.isoformat(), interval="1d", auto_adjust=False, actions=True
        )
    except exceptions.YFRateLimitError as error:
        raise Throttled(f"{NAME}: {ticker}: {error}") from None
    except (exceptions.YFPricesMissingError, exceptions.YFTickerMissingError) as error:
        raise DataError(f"{NAME}: {ticker}: {error}") from None
    except Exception as error:  # noqa: BLE001 - a library over a website: whatever goes wrong may pass
        reason = " ".join(str(error).split())
        raise SourceUnavailable(f"{NAME}: {ticker}: {type(error).__name__}: {reason}") from None
    return table
