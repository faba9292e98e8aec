"""History of TWS or IB Gateway: trades, bid, ask and midpoint; regular or extended hours.

A question spans what one bar size allows (IB's table of durations and bar sizes), ends at 20:00 New York of its last
session, and is asked again when the answer cannot be: a bar from beyond it, an unreadable date, no volume. "No data"
is believed when it is said twice. TWS adjusts trades for every split until today and tells none: the bars are
marked as split-adjusted, and after a split they contradict the stored ones, which the store refuses.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine, Iterator
from datetime import UTC, date, datetime, time, timedelta
from threading import Lock, Thread
from typing import Any, TypeVar

import structlog
from msgspec.structs import replace

from brokers.ib.codes import CodeTable
from brokers.ib.connection import Address
from brokers.ib.past_bars import NoHistory, PastBar, PastBars, PastQuestion, TooFast, What
from research.ingest.sources.bar_rows import Row, bars_of, cut, day_ns, day_of, regular_only
from research.ingest.sources.following_clock import FollowingClock
from research.ingest.sources.history_pace import HistoryPace
from research.ingest.sources.retrying import Retrying
from research.ingest.sources.source import Chunk, Shows, SourceUnavailable, Throttled, Wanted
from research.ingest.sources.tickers import written
from shared.errors import BrokerUnavailable
from shared.io.bar_checks import DAILY_S, SECOND_NS
from shared.io.bar_files import NEW_YORK
from shared.io.bar_part import Adjustment, Bars, no_bars
from shared.market import Instrument
from shared.sessions import all_hours

log = structlog.get_logger("research.ingest")

NAME = "ib"
SHOWN: dict[Shows, What] = {"trades": "TRADES", "bid": "BID", "ask": "ASK", "midpoint": "MIDPOINT"}
SESSIONS_AT_ONCE = {DAILY_S: 250, 3_600: 20, 900: 5, 300: 5, 60: 1}
DAY_ENDS = time(20)
AFTER_VIOLATION_S = 60.0
EPOCH_DIGITS_MIN = 9
T = TypeVar("T")


class InteractiveBrokers:
    """One line to TWS, driven by a thread of its own; whoever calls `chunks` waits in their own thread."""

    name = NAME
    adjustment: Adjustment = "split"
    parallel = 16

    def __init__(  # noqa: PLR0913 - one name per part
        self,
        *,
        address: Address,
        codes: CodeTable,
        instrument: Instrument,
        clock: FollowingClock,
        pace: HistoryPace,
        retrying: Retrying,
        connect_timeout_s: float,
        answer_within_s: float,
        volume_lot: float = 1.0,
    ) -> None:
        self._address = address
        self._codes = codes
        self._instrument = instrument
        self._clock = clock
        self._pace = pace
        self._retrying = retrying
        self._connect_timeout_s = connect_timeout_s
        self._answer_within_s = answer_within_s
        self._volume_lot = volume_lot
        self._line: PastBars | None = None
        self._opening = asyncio.Lock()
        self._contracts: dict[str, Any] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="ib history", daemon=True)
        self._starting = Lock()

    def refusal(self, wanted: Wanted) -> str:
        return "" if wanted.interval_s in SESSIONS_AT_ONCE else f"{NAME} is not asked for bars of {wanted.interval_s} s"

    def open(self) -> None:
        self._retrying.run(lambda: self._await(self._connected()))

    def now_s(self) -> float:
        return self._clock.now_s()

    def chunks(self, wanted: Wanted) -> Iterator[Chunk]:
        contract = self._retrying.run(lambda: self._await(self._contract(wanted.symbol)))
        first = wanted.first
        for sessions in windows(wanted):
            part = replace(wanted, first=first, last=sessions[-1])
            yield Chunk(first=part.first, last=part.last, bars=self._window(contract, part, len(sessions)))
            first = part.last + timedelta(days=1)
        if first <= wanted.last:  # no session after the last window
            yield Chunk(first=first, last=wanted.last, bars=no_bars())

    def close(self) -> None:
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        """Leave; whoever still waits for an answer in another thread hears that none comes."""
        if self._line is not None:
            await self._line.close()
        mine = asyncio.current_task()
        open_questions = [task for task in sorted(asyncio.all_tasks(), key=asyncio.Task.get_name) if task is not mine]
        for task in open_questions:
            task.cancel()
        await asyncio.gather(*open_questions, return_exceptions=True)

    # ------------------------------------------------------------------ asking

    def _window(self, contract: Any, wanted: Wanted, sessions: int) -> Bars:  # noqa: ANN401 - ib_insync's
        question = PastQuestion(
            bar_size_s=wanted.interval_s,
            duration=f"{sessions} D",
            before=datetime.combine(wanted.last, DAY_ENDS, tzinfo=NEW_YORK).astimezone(UTC),
            what=SHOWN[wanted.shows],
            regular_hours=wanted.hours == "regular",
        )
        denied = 0

        def ask() -> Bars:
            nonlocal denied
            try:
                told = self._ask(contract, question)
            except NoHistory as none:
                denied += 1
                if denied > 1:
                    return no_bars()
                raise SourceUnavailable(str(none)) from None
            return cut(self._bars(told, wanted), wanted.first, wanted.last)

        return self._retrying.run(ask)

    def _ask(self, contract: Any, question: PastQuestion) -> list[PastBar]:  # noqa: ANN401 - ib_insync's
        series = f"{contract.conId} {contract.exchange} {question.what}"
        text = f"{question.bar_size_s} {question.duration} {question.before:%Y%m%d-%H%M%S} {question.regular_hours}"
        with self._pace.turn(series, text, self._clock.speed):
            return self._await(self._answer(contract, question))

    async def _answer(self, contract: Any, question: PastQuestion) -> list[PastBar]:  # noqa: ANN401 - ib_insync's
        return await (await self._connected()).bars(contract, question)

    async def _contract(self, symbol: str) -> Any:  # noqa: ANN401 - ib_insync's
        if symbol not in self._contracts:
            line = await self._connected()
            self._contracts[symbol] = await line.contract(replace(self._instrument, symbol=written(symbol, " ")))
        return self._contracts[symbol]

    async def _connected(self) -> PastBars:
        """The line, made anew after a loss."""
        async with self._opening:
            if self._line is None or not self._line.stands:
                line = PastBars(
                    self._address, self._codes, answer_within_s=self._answer_within_s, on_clock=self._clock.observe
                )
                await line.open(self._connect_timeout_s)
                self._line = line
            return self._line

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it on the line's thread; a broker that does not answer is a source that does not."""
        with self._starting:
            if not self._thread.is_alive():
                self._thread.start()
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except TooFast as violation:
            log.warning("source.pacing_violation", reason=str(violation))
            raise Throttled(str(violation), AFTER_VIOLATION_S) from None
        except BrokerUnavailable as silent:
            raise SourceUnavailable(f"{NAME}: {silent}") from None

    # ------------------------------------------------------------------ reading

    def _bars(self, told: list[PastBar], wanted: Wanted) -> Bars:
        """Raises SourceUnavailable for an answer that cannot be: the next one may be good."""
        where = f"{NAME}: {wanted.symbol}"
        rows = [row for bar in told if (row := self._row(bar, wanted, where)) is not None]
        bars = bars_of(rows, where)
        if len(bars) and day_of(int(bars.opened_at[-1])) > wanted.last:
            raise SourceUnavailable(
                f"{where}: a bar of {day_of(int(bars.opened_at[-1]))}, allowed: until {wanted.last}"
            )
        return regular_only(bars, wanted.interval_s, wanted.calendar) if wanted.hours == "regular" else bars

    def _row(self, bar: PastBar, wanted: Wanted, where: str) -> Row | None:
        """None for a pause that TWS filled with the last price."""
        prices = (bar.open, bar.high, bar.low, bar.close)
        if wanted.shows != "trades":
            return (_starts_at(bar.date, wanted, where), *prices, 0.0)
        if not (math.isfinite(bar.volume) and bar.volume >= 0):
            raise SourceUnavailable(f"{where}: volume {bar.volume:g} of bar {bar.date}, allowed: 0 or more")
        if bar.volume == 0 and len(set(prices)) == 1:
            return None
        return (_starts_at(bar.date, wanted, where), *prices, bar.volume * self._volume_lot)


def windows(wanted: Wanted) -> Iterator[list[date]]:
    """The sessions of the span, as many at once as a question may span."""
    days = [hours.session for hours in all_hours(wanted.calendar) if wanted.first <= hours.session <= wanted.last]
    at_once = SESSIONS_AT_ONCE[wanted.interval_s]
    for begin in range(0, len(days), at_once):
        yield days[begin : begin + at_once]


def _starts_at(text: str, wanted: Wanted, where: str) -> int:
    try:
        if wanted.interval_s == DAILY_S:
            return day_ns(datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date())
        if text.isdigit() and len(text) >= EPOCH_DIGITS_MIN:
            return int(text) * SECOND_NS
    except ValueError:
        pass
    allowed = "yyyymmdd" if wanted.interval_s == DAILY_S else "epoch seconds"
    raise SourceUnavailable(f"{where}: bar date {text!r}, allowed: {allowed}")
