"""Alpha Vantage: prices as printed, with dividends and splits; daily in one answer, minutes month by month.

Its answers to wrong questions and to too many of them have status 200: "Error Message", "Note" and "Information" in
place of data. Intraday bars were labelled by their end until 2021 or so and by their start since: which it is is read
off each answer, because one of both borders of the trading day shows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from research.ingest.sources.bar_rows import Row, bars_of, cut, day_ns, local_ns, number_of, regular_only
from research.ingest.sources.clock import PaceClock
from research.ingest.sources.http_client import HttpClient, Question, refuse_page, shown
from research.ingest.sources.source import Chunk, SourceRefuses, SourceUnavailable, Throttled, Wanted
from research.ingest.sources.tickers import written
from shared.errors import DataError
from shared.io.bar_checks import DAILY_S
from shared.io.bar_part import Adjustment
from shared.io.stored_actions import Action

NAME = "alphavantage"
BASE_URL = "https://www.alphavantage.co"
INTERVALS = {60: "1min", 300: "5min", 900: "15min", 3600: "60min"}
COMPACT_ROWS, COMPACT_DAYS = 100, 120
"""A compact answer holds so many sessions; it is asked for when the first day is not longer ago than so many days."""
EDGES = {"regular": (time(9, 30), time(16, 0)), "extended": (time(4, 0), time(20, 0))}
_VALUES = ("1. open", "2. high", "3. low", "4. close")


class AlphaVantage:
    """`key` goes with each request and into no error."""

    name = NAME
    adjustment: Adjustment = "raw"
    parallel = 4

    def __init__(self, client: HttpClient, key: str, clock: PaceClock, max_age_s: float) -> None:
        self._client = client
        self._key = key
        self._clock = clock
        self._max_age_s = max_age_s

    def open(self) -> None:
        """There is no connection to make."""

    def now_s(self) -> float:
        return self._clock.now_s()

    def refusal(self, wanted: Wanted) -> str:
        if wanted.shows != "trades":
            return f"{NAME} has trades only, not {wanted.shows}"
        if wanted.interval_s not in {DAILY_S, *INTERVALS}:
            return f"{NAME} has no bars of {wanted.interval_s} s"
        return ""

    def chunks(self, wanted: Wanted) -> Iterator[Chunk]:
        if wanted.interval_s == DAILY_S:
            yield self._daily(wanted)
            return
        for first, last in months(wanted.first, wanted.last):
            yield self._month(wanted, first, last)

    def close(self) -> None:
        self._client.close()

    def _daily(self, wanted: Wanted) -> Chunk:
        today = datetime.fromtimestamp(self._clock.now_s(), UTC).date()
        series: dict[str, Any] = {}
        if (today - wanted.first).days <= COMPACT_DAYS:
            series = self._series(wanted, {"function": "TIME_SERIES_DAILY_ADJUSTED", "outputsize": "compact"})
        if not series or (len(series) >= COMPACT_ROWS and min(series) > wanted.first.isoformat()):
            series = self._series(wanted, {"function": "TIME_SERIES_DAILY_ADJUSTED", "outputsize": "full"})
        where = f"{NAME}: {wanted.symbol}"
        days = {_day(text, where): cells for text, cells in series.items()}
        rows = [_row(day_ns(day), cells, "6. volume", f"{where} {day}") for day, cells in days.items()]
        return Chunk(
            first=wanted.first,
            last=wanted.last,
            bars=cut(bars_of(rows, where), wanted.first, wanted.last),
            actions=_actions({day: days[day] for day in sorted(days) if wanted.first <= day <= wanted.last}, where),
        )

    def _month(self, wanted: Wanted, first: date, last: date) -> Chunk:
        asked = {
            "function": "TIME_SERIES_INTRADAY",
            "interval": INTERVALS[wanted.interval_s],
            "month": f"{first:%Y-%m}",
            "outputsize": "full",
            "adjusted": "false",
            "extended_hours": "true" if wanted.hours == "extended" else "false",
        }
        where = f"{NAME}: {wanted.symbol} {first:%Y-%m}"
        series = self._series(wanted, asked)
        times = {_wall(text, where): cells for text, cells in series.items()}
        shift_s = wanted.interval_s if by_end([wall.time() for wall in times], wanted.hours, where) else 0
        rows = [
            _row(local_ns(wall - timedelta(seconds=shift_s)), cells, "5. volume", f"{where} {wall}")
            for wall, cells in times.items()
        ]
        bars = cut(bars_of(rows, where), first, last)
        return Chunk(
            first=first,
            last=last,
            bars=regular_only(bars, wanted.interval_s, wanted.calendar) if wanted.hours == "regular" else bars,
        )

    def _series(self, wanted: Wanted, asked: dict[str, str]) -> dict[str, Any]:
        question = Question(
            path="/query",
            parameters={**asked, "symbol": written(wanted.symbol, "-"), "datatype": "json"},
            secret={"apikey": self._key},
            max_age_s=0.0 if wanted.is_doubted else self._max_age_s,
            edition=wanted.last.isoformat(),
        )
        body = self._client.text(question, lambda text: _judge(text, wanted.symbol))
        return _time_series(body, wanted.symbol)


def months(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The parts of the span that lie in one calendar month each."""
    while first <= last:
        next_month = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        yield first, min(last, next_month - timedelta(days=1))
        first = next_month


def by_end(labels: list[time], hours: str, where: str) -> bool:
    """Whether bars are labelled by their end: then the day's last border occurs, and its first one does not.

    Raises:
        DataError: both borders occur.
    """
    begins, ends = EDGES[hours]
    if ends in labels and begins in labels:
        raise DataError(f"{where}: bars of {begins} and of {ends}, allowed: labelled by their start or by their end")
    return ends in labels


def _judge(body: str, symbol: str) -> None:
    """Raise for an answer that is none."""
    refuse_page(NAME, body)
    try:
        facts = json.loads(body)
    except ValueError:
        raise SourceUnavailable(f"{NAME}: {symbol}: no JSON, or cut short: {shown(body)}") from None
    if not isinstance(facts, dict):
        raise SourceUnavailable(f"{NAME}: {symbol}: no object: {shown(body)}")
    if "Error Message" in facts:
        _refuse(str(facts["Error Message"]), symbol)
    for key in ("Note", "Information"):
        if key in facts and not any("Time Series" in name for name in facts):
            _throttled(str(facts[key]), symbol)


def _refuse(text: str, symbol: str) -> None:
    line = f"{NAME}: {symbol}: {shown(text)}"
    raise SourceRefuses(line) if "apikey" in text.lower().replace(" ", "") else DataError(line)


def _throttled(text: str, symbol: str) -> None:
    """A day's allowance and a premium endpoint do not come back by waiting; anything else does."""
    line = f"{NAME}: {symbol}: {shown(text)}"
    is_final = any(words in text.lower() for words in ("per day", "daily", "premium endpoint"))
    raise SourceRefuses(line) if is_final else Throttled(line, 60.0)


def _time_series(body: str, symbol: str) -> dict[str, Any]:
    facts = json.loads(body)
    found = [value for name, value in facts.items() if "Time Series" in name]
    if len(found) != 1 or not isinstance(found[0], dict):
        raise DataError(f"{NAME}: {symbol}: keys {', '.join(facts) or '(none)'}, allowed: one time series")
    return found[0]


def _row(at_ns: int, cells: dict[str, Any], volume: str, where: str) -> Row:
    missing = [name for name in (*_VALUES, volume) if name not in cells]
    if missing:
        raise DataError(f"{where}: missing {', '.join(missing)}; found: {', '.join(cells)}")
    opened, high, low, close, shares = (number_of(cells[name], where, name) for name in (*_VALUES, volume))
    return at_ns, opened, high, low, close, shares


def _actions(days: dict[date, dict[str, Any]], where: str) -> tuple[Action, ...]:
    found = [
        Action(
            ex_date=day,
            dividend=number_of(cells.get("7. dividend amount", 0), f"{where} {day}", "dividend"),
            split=number_of(cells.get("8. split coefficient", 1), f"{where} {day}", "split"),
            source=NAME,
        )
        for day, cells in days.items()
    ]
    return tuple(action for action in found if action.dividend != 0.0 or action.split != 1.0)


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DataError(f"{where}: date {text!r}, allowed: yyyy-mm-dd") from None


def _wall(text: str, where: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - New York wall time, made an instant by local_ns
    except ValueError:
        raise DataError(f"{where}: time {text!r}, allowed: yyyy-mm-dd hh:mm:ss") from None
