"""A seeded market that needs no file.

A log price moves with one market factor and a noise of its own; volatility and volume are high at the open and
the close; spreads are whole ticks; thin names leave steps without a trade; a tenth of the volume crosses in the
auctions. How eventful it is says its `Character`: halts, gaps, splits, dividends, bars that are withheld.

Determinism: everything of one symbol on one day is a function of (seed, character, day, symbol). The session
that is played does not matter, nor do the other symbols or the order of questions: a day played and the same
day asked for later as history are the same, and sessions chain. Prices are anchored: at the open of
2026-11-20 each symbol stands at its listing's price.

A session is made in blocks of a quarter of an hour, so that memory does not grow with its length.
"""

import datetime as dt
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from brokers.simulated.market.adjustment import Adjustment
from brokers.simulated.market.bars import SymbolDay
from brokers.simulated.market.chance import Chance, Lane
from brokers.simulated.market.character import CALM, Character
from brokers.simulated.market.day_market import DayMarket, Events, StepBlock, steps_of
from brokers.simulated.market.halts import VOLATILITY_HALT
from brokers.simulated.market.intraday import STEPS, STEPS_A_BLOCK
from brokers.simulated.market.levels import ANCHOR, Levels, steps_of_session
from brokers.simulated.market.listings import LISTINGS, LISTINGS_MAX, listings_of
from brokers.simulated.market.source import (
    AuctionPrinted,
    BarWithheld,
    CorporateAction,
    Dividend,
    Halted,
    MarketEvent,
    MarketStep,
    Resumed,
    Split,
)
from brokers.simulated.market.stretches import Stretch, Stretches, on_tick
from brokers.simulated.market.trading_days import is_trading_day, trading_day_after, trading_days_before
from shared.errors import DataError

DEFAULT_SESSION = ANCHOR
DEFAULT_SYMBOLS = tuple(LISTINGS)
LATE_STEPS_MAX = 12  # a late bar comes one to twelve steps after its time
COLUMNS = ("open", "high", "low", "close", "volume", "bid", "ask", "bid_size", "ask_size")


class SyntheticMarket(DayMarket):
    """A MarketSource out of a seed. Nothing happens before the open."""

    def __init__(
        self,
        *,
        seed: int = 7,
        symbols: Sequence[str] = DEFAULT_SYMBOLS,
        session: dt.date = DEFAULT_SESSION,
        history_sessions: int = 60,
        character: Character = CALM,
    ) -> None:
        if not symbols or len(set(symbols)) != len(symbols):
            raise DataError("synthetic market: symbols must be given, each once")
        if len(symbols) > LISTINGS_MAX:
            raise DataError(f"synthetic market: {len(symbols)} symbols, allowed are 1 to {LISTINGS_MAX}")
        if not is_trading_day(session):
            raise DataError(f"synthetic market: {session} is not a trading day in New York")
        super().__init__(symbols, session)
        self._seed, self._history_sessions, self._character = seed, history_sessions, character
        listings = listings_of(symbols)
        self._chance = Chance(seed)
        self._levels = Levels(self._chance, listings, character)
        self._stretches = Stretches(self._chance, listings, self._levels)
        self._all = range(len(symbols))
        self.corporate_actions = tuple(action for column in self._all for action in self._actions(column))

    def steps(self, *, include_premarket: bool = False) -> Iterator[MarketStep]:  # noqa: ARG002 - nothing before the open
        for block in range(steps_of_session(self.session) // STEPS_A_BLOCK):
            stretch = self._stretches.of(self.session, range(block, block + 1), self._all)
            columns = (np.ascontiguousarray(getattr(stretch, name).T) for name in COLUMNS)
            yield from steps_of(StepBlock(stretch.starts_at, *columns), self._events(stretch, block))

    def next_session(self) -> "SyntheticMarket":
        return SyntheticMarket(
            seed=self._seed,
            symbols=self.symbols,
            session=trading_day_after(self.session),
            history_sessions=self._history_sessions,
            character=self._character,
        )

    def _earlier_days(self) -> Iterator[dt.date]:
        return itertools.islice(trading_days_before(self.session), self._history_sessions)

    def _make_day(self, symbol: str, day: dt.date) -> SymbolDay:
        blocks = range(steps_of_session(day) // STEPS_A_BLOCK)
        stretch = self._stretches.of(day, blocks, [self._column(symbol)])
        return SymbolDay(stretch.starts_at, *(getattr(stretch, name)[0] for name in COLUMNS))

    # ---- corporate actions

    def _make_adjustments(self, symbol: str) -> Sequence[Adjustment]:
        if not self._character.moves_prices:
            return ()
        column = self._column(symbol)
        *_, first = self.session, *self._earlier_days()
        return [self._adjustment(column, day) for day in self._levels.ex_dates(column, first, self.session)]

    def _adjustment(self, column: int, day: dt.date) -> Adjustment:
        amount, close_before = self._dividend(column, day)
        ratio = float(self._levels.day(day, [column]).ratio[0])
        return Adjustment(ex_date=day, ratio=ratio, kept=1 - amount / close_before)

    def _dividend(self, column: int, day: dt.date) -> tuple[float, float]:
        """Dollars per share, 0 if none is paid; and the close before."""
        before = self._levels.day(next(trading_days_before(day)), [column])
        close_before = float(on_tick(np.exp(before.log_close))[0])
        paid = float(self._levels.day(day, [column]).paid[0])
        return (max(0.01, round(paid * close_before, 2)) if paid else 0.0), close_before

    def _actions(self, column: int) -> Iterator[CorporateAction]:
        level = self._levels.day(self.session, [column])
        if level.ratio[0] != 1:
            yield Split(column, float(level.ratio[0]))
        if level.paid[0] > 0:
            yield Dividend(column, self._dividend(column, self.session)[0])

    # ---- events

    def _events(self, stretch: Stretch, block: int) -> Events:
        """By row of the stretch; within a row halts come first, then auctions, then bars."""
        found: dict[int, list[MarketEvent]] = {}

        def note(step: int, event: MarketEvent) -> None:
            if stretch.first <= step < stretch.first + len(stretch.starts_at):
                found.setdefault(step - stretch.first, []).append(event)

        for column in self._all:
            for pause in self._stretches.pauses(self.session, column):
                note(pause.first, Halted(column, VOLATILITY_HALT))
                note(pause.resumes, Resumed(column))
        last = steps_of_session(self.session) - 1
        for row, column in np.argwhere(stretch.auction.T > 0).tolist():
            at_close = stretch.first + row == last
            price = float((stretch.close if at_close else stretch.open)[column, row])
            size = float(stretch.auction[column, row])
            note(stretch.first + row, AuctionPrinted(column, "close" if at_close else "open", price, size))
        if self._character.withholds_bars:
            for row, event in self._withheld(block):
                note(stretch.first + row, event)
        return {row: tuple(events) for row, events in found.items()}

    def _withheld(self, block: int) -> Iterator[tuple[int, BarWithheld]]:
        day = self.session.toordinal()
        missing, late = (rate / STEPS for rate in (self._character.missing_bar_rate, self._character.late_bar_rate))
        for column, symbol in enumerate(self.symbols):
            chances = self._chance.of(symbol, Lane.BARS, day, block).random((2, STEPS_A_BLOCK))
            for row in np.flatnonzero(chances[0] < missing + late).tolist():
                steps_late = 1 + int(chances[1, row] * LATE_STEPS_MAX)
                is_missing = chances[0, row] < missing
                yield row, BarWithheld(column, None if is_missing else 5.0 * steps_late)
