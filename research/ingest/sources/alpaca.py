"""Alpaca's market data over plain HTTP: prices as printed, page by page; dividends and splits beside them.

Bars are labelled by their start in UTC; a daily bar begins at midnight New York. Intraday answers hold the extended
hours too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from research.ingest.sources.bar_rows import Row, bars_of, cut, day_ns, number_of, regular_only
from research.ingest.sources.clock import PaceClock
from research.ingest.sources.http_client import HttpClient, Question, refuse_page, shown
from research.ingest.sources.one_action import by_day
from research.ingest.sources.source import Chunk, SourceUnavailable, Wanted
from research.ingest.sources.tickers import written
from shared.errors import DataError
from shared.io.bar_checks import DAILY_S, SECOND_NS
from shared.io.bar_files import NEW_YORK
from shared.io.bar_part import Adjustment, Bars
from shared.io.stored_actions import Action

NAME = "alpaca"
BASE_URL = "https://data.alpaca.markets"
TIMEFRAMES = {DAILY_S: "1Day", 3_600: "1Hour", 900: "15Min", 300: "5Min", 60: "1Min"}
PAGE_ROWS = 10_000
PAGES_MAX = 10_000
CHUNK_DAYS = {DAILY_S: 3_660, 60: 14}
SPLITS, DIVIDENDS = ("forward_splits", "reverse_splits"), "cash_dividends"


class Alpaca:
    """The keys are headers of `client`; `feed` is sip (all exchanges) or iex."""

    name = NAME
    adjustment: Adjustment = "raw"
    parallel = 4

    def __init__(self, client: HttpClient, feed: str, clock: PaceClock, max_age_s: float) -> None:
        self._client = client
        self._clock = clock
        self._feed = feed
        self._max_age_s = max_age_s

    def open(self) -> None:
        """There is no connection to make."""

    def now_s(self) -> float:
        return self._clock.now_s()

    def refusal(self, wanted: Wanted) -> str:
        if wanted.shows != "trades":
            return f"{NAME} has trades only, not {wanted.shows}"
        return "" if wanted.interval_s in TIMEFRAMES else f"{NAME} has no bars of {wanted.interval_s} s"

    def chunks(self, wanted: Wanted) -> Iterator[Chunk]:
        days = CHUNK_DAYS.get(wanted.interval_s, 90)
        first = wanted.first
        while first <= wanted.last:
            last = min(wanted.last, first + timedelta(days=days - 1))
            yield Chunk(
                first=first,
                last=last,
                bars=self._bars(wanted, first, last),
                actions=self._actions(wanted, first, last) if wanted.interval_s == DAILY_S else (),
            )
            first = last + timedelta(days=1)

    def close(self) -> None:
        self._client.close()

    def _bars(self, wanted: Wanted, first: date, last: date) -> Bars:
        ticker, where = written(wanted.symbol, "."), f"{NAME}: {wanted.symbol}"
        asked = {
            "symbols": ticker,
            "timeframe": TIMEFRAMES[wanted.interval_s],
            "start": _midnight(first),
            "end": _midnight(last + timedelta(days=1), less_s=1),
            "limit": str(PAGE_ROWS),
            "adjustment": "raw",
            "feed": self._feed,
            "sort": "asc",
        }
        rows: list[Row] = []
        for page in self._pages("/v2/stocks/bars", asked, wanted):
            bars = (page.get("bars") or {}).get(ticker) or []
            rows += [_row(cells, wanted.interval_s, where) for cells in bars]
        found = cut(bars_of(rows, where), first, last)
        return regular_only(found, wanted.interval_s, wanted.calendar) if wanted.hours == "regular" else found

    def _actions(self, wanted: Wanted, first: date, last: date) -> tuple[Action, ...]:
        ticker, where = written(wanted.symbol, "."), f"{NAME}: {wanted.symbol}"
        asked = {
            "symbols": ticker,
            "types": "cash_dividend,forward_split,reverse_split",
            "start": first.isoformat(),
            "end": last.isoformat(),
            "limit": "1000",
        }
        found: list[Action] = []
        for page in self._pages("/v1/corporate-actions", asked, wanted):
            kinds = page.get("corporate_actions") or {}
            found += [_dividend(cells, where) for cells in kinds.get(DIVIDENDS) or []]
            found += [_split(cells, where) for kind in SPLITS for cells in kinds.get(kind) or []]
        return by_day(found, NAME)

    def _pages(self, path: str, asked: dict[str, str], wanted: Wanted) -> Iterator[dict[str, Any]]:
        token, where = "", f"{NAME}: {wanted.symbol}"
        for _ in range(PAGES_MAX):
            parameters = {**asked, "page_token": token} if token else asked
            max_age_s = 0.0 if wanted.is_doubted else self._max_age_s
            question = Question(path=path, parameters=parameters, max_age_s=max_age_s)
            body = self._client.text(question, lambda text: _judge(text, where))
            page = json.loads(body)
            yield page
            told = page.get("next_page_token") or ""
            if not told:
                return
            if told == token:
                raise DataError(f"{where}: the same page twice ({token}), allowed: each once")
            token = told
        raise DataError(f"{where}: more than {PAGES_MAX} pages, allowed: fewer")


def _judge(body: str, where: str) -> None:
    refuse_page(NAME, body)
    try:
        facts = json.loads(body)
    except ValueError:
        raise SourceUnavailable(f"{where}: no JSON, or cut short: {shown(body)}") from None
    if not isinstance(facts, dict) or not {"bars", "corporate_actions"} & facts.keys():
        raise DataError(f"{where}: {shown(body)}, allowed: bars or corporate_actions")


def _midnight(day: date, less_s: int = 0) -> str:
    """The day's beginning in New York, as UTC, less some seconds."""
    at = datetime(day.year, day.month, day.day, tzinfo=NEW_YORK) - timedelta(seconds=less_s)
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _row(cells: dict[str, Any], interval_s: int, where: str) -> Row:
    try:
        at = datetime.fromisoformat(str(cells["t"]))
        values = [cells[name] for name in "ohlcv"]
    except (KeyError, ValueError, TypeError):
        raise DataError(f"{where}: bar {shown(str(cells))}, allowed: t, o, h, l, c, v") from None
    if at.tzinfo is None:
        raise DataError(f"{where}: time {cells['t']!r}, allowed: with its zone")
    at_ns = day_ns(at.astimezone(NEW_YORK).date()) if interval_s == DAILY_S else int(at.timestamp()) * SECOND_NS
    opened, high, low, close, volume = (
        number_of(value, where, name) for value, name in zip(values, "ohlcv", strict=True)
    )
    return at_ns, opened, high, low, close, volume


def _dividend(cells: dict[str, Any], where: str) -> Action:
    return Action(ex_date=_ex_date(cells, where), dividend=number_of(cells.get("rate"), where, "rate"))


def _split(cells: dict[str, Any], where: str) -> Action:
    new = number_of(cells.get("new_rate"), where, "new_rate")
    old = number_of(cells.get("old_rate"), where, "old_rate")
    if not (new > 0 and old > 0):
        raise DataError(f"{where}: split of {new:g} for {old:g}, allowed: above 0")
    return Action(ex_date=_ex_date(cells, where), split=new / old)


def _ex_date(cells: dict[str, Any], where: str) -> date:
    try:
        return date.fromisoformat(str(cells.get("ex_date")))
    except ValueError:
        raise DataError(f"{where}: ex_date {cells.get('ex_date')!r}, allowed: yyyy-mm-dd") from None
