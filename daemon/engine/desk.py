"""One strategy at work: its instruments, its indicators for sizing and exits, its share of the equity."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from daemon.engine.settings import ExitPolicy, SizingPolicy
from risk.exits import stop_and_target
from risk.sizing import atr_sized, fixed_fraction
from shared.indicators.atr import Atr
from shared.market import BarRow, Instrument, Universe
from shared.orders import Side
from shared.signals import Signal
from strategies.base import Strategy
from strategies.state import Snapshot, mark_of, pack, unpack


class DeskState(Struct, frozen=True, kw_only=True):
    """A desk's memory for the snapshot: the strategy's own bytes and those of its ATRs."""

    strategy: bytes
    ranges: bytes


class Desk:
    """Feeds one strategy its slice of every row and turns its convictions into quantities and exit prices."""

    def __init__(  # noqa: PLR0913 - what the configuration says of one strategy, by name
        self,
        *,
        name: str,
        strategy: Strategy,
        universe: Universe,
        allocation: float,
        sizing: SizingPolicy,
        exits: ExitPolicy,
        jump_pct_max: float,
    ) -> None:
        self.name = name
        self.strategy = strategy
        self.symbols = strategy.symbols
        self._instruments = {symbol: universe.instruments[universe.index(symbol)] for symbol in self.symbols}
        self._columns = np.array([universe.index(symbol) for symbol in self.symbols])
        self._is_whole = self.symbols == universe.symbols
        self._position = {symbol: position for position, symbol in enumerate(self.symbols)}
        self._allocation = allocation
        self._sizing = sizing
        self._exits = exits
        self._jump = jump_pct_max / 100
        self._ranges = {period: Atr(len(self.symbols), period) for period in self._periods()}
        self._scale: np.ndarray | None = None
        self._mine = self._marked()

    def _marked(self) -> Snapshot:
        """Whose the desk's own indicators are, without them."""
        mine = Snapshot(strategy=self.name, symbols=self.symbols, params={}, state={})
        return replace(mine, mark=mark_of(replace(mine, state={"ranges": self._ranges}), "ranges"))

    def _periods(self) -> list[int]:
        wanted = [policy.atr_period for policy in (self._sizing, self._exits) if policy.method == "atr"]
        return sorted(set(wanted))

    def on_row(self, row: BarRow, closed_at: datetime) -> Iterable[Signal]:
        """The strategy's signals on its own instruments' part of the row."""
        mine = row if self._is_whole else self.mine(row)
        if self._scale is not None:
            mine = in_old_units(mine, self._scale)
        for atr in self._ranges.values():
            atr.follow_jumps(mine.close, self._jump)
            atr.update(*self._believable_range(mine))
        return self.strategy.on_row(mine, closed_at)

    def rescale(self, symbol: str, ratio: float) -> None:
        """The instrument's prices are 1/`ratio` of what they were: the strategy goes on seeing the units it knows."""
        if symbol in self._position:
            scale = np.ones(len(self.symbols)) if self._scale is None else self._scale.copy()
            scale[self._position[symbol]] *= ratio
            self._scale = scale

    def pass_over(self, rows: BarRow) -> None:
        """Let the desk's own indicators follow rows (T, n) in which nothing jumped; the strategy is not asked."""
        if self._ranges:
            mine = rows if self._is_whole else self.mine(rows)
            for atr in self._ranges.values():
                atr.update_many(*self._believable_range(mine))

    def _believable_range(self, row: BarRow) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """High, low, close, the first two no further from the close than a price may jump.

        One print of a wrong price, or of before a split, would else decide how far the next stops stand.
        """
        reach = self._jump * row.close
        return np.minimum(row.high, row.close + reach), np.maximum(row.low, row.close - reach), row.close

    def mine(self, row: BarRow) -> BarRow:
        """The part of a row (n,), or of panels (T, n), that is this desk's."""
        take = (..., self._columns)
        return BarRow(
            open=row.open[take],
            high=row.high[take],
            low=row.low[take],
            close=row.close[take],
            volume=row.volume[take],
        )

    def _atr(self, symbol: str, period: int) -> float:
        at = self._position[symbol]
        value = float(self._ranges[period].value[at])
        return value if self._scale is None else value / float(self._scale[at])

    def target(
        self, symbol: str, conviction: float, equity: float | None, price: float | None, *, factor: float = 1.0
    ) -> int:
        """Signed shares for a conviction; 0 when equity, price or ATR are not known (fails closed).

        `factor` scales the fraction of the policy, which never grows beyond the whole of the strategy's capital.
        """
        if equity is None or price is None:
            return 0
        policy = self._sizing
        fraction = policy.fraction if factor == 1.0 else min(policy.fraction * factor, 1.0)
        if policy.method == "fixed_fraction":
            return fixed_fraction(
                equity=equity,
                allocation=self._allocation,
                fraction=fraction,
                conviction=conviction,
                price=price,
            )
        return atr_sized(
            equity=equity,
            allocation=self._allocation,
            risk_fraction=fraction,
            atr=self._atr(symbol, policy.atr_period),
            atr_multiple=policy.atr_multiple,
            conviction=conviction,
            price=price,
        )

    def exit_prices(self, symbol: str, side: Side, price: float) -> tuple[float, float | None] | None:
        """Stop loss and take profit for an entry at `price`, on tick; None when no valid stop can be told."""
        policy = self._exits
        atr = self._atr(symbol, policy.atr_period) if policy.method == "atr" else None
        return stop_and_target(side=side, price=price, policy=policy, atr=atr, instrument=self._instruments[symbol])

    def trail(self, symbol: str, price: float) -> tuple[float | None, float | None]:
        """How the stop of an entry at `price` trails: (percent, amount in currency), both None if it does not."""
        policy = self._exits
        if policy.trail <= 0:
            return None, None
        if policy.method == "percent":
            return policy.trail, None
        tick = self._instruments[symbol].tick
        amount = self._atr(symbol, policy.atr_period) * policy.trail
        return None, max(self._instruments[symbol].round_to_tick(amount), tick) if 0 < amount < price else None

    @property
    def max_holding_s(self) -> int:
        """How long a plan may stay open, in seconds of the market's clock; 0 = for ever."""
        return self._exits.max_holding_s

    def column(self, symbol: str) -> int:
        """Where the instrument stands in the whole universe's rows."""
        return int(self._columns[self._position[symbol]])

    def instrument(self, symbol: str) -> Instrument:
        return self._instruments[symbol]

    def snapshot(self) -> DeskState:
        """The strategy's bytes and those of the desk's own indicators, exact."""
        own = replace(self._mine, state={"ranges": self._ranges, "scale": self._scale})
        return DeskState(strategy=self.strategy.snapshot(), ranges=pack(own))

    def restore(self, state: DeskState) -> None:
        """Take over what `snapshot` gave; DataError where another code or configuration did."""
        own = unpack(state.ranges, self._mine).state
        self.strategy.restore(state.strategy)
        self._ranges, self._scale = own["ranges"], own["scale"]


def in_old_units(row: BarRow, scale: np.ndarray) -> BarRow:
    """The row as if the splits since the strategy's first row had not been; `scale` is their product, shape (n,)."""
    return BarRow(
        open=row.open * scale,
        high=row.high * scale,
        low=row.low * scale,
        close=row.close * scale,
        volume=row.volume / scale,
    )
