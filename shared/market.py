"""Instruments, the universe and rows of bars."""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from shared.errors import InvariantViolated


class Instrument(Struct, frozen=True, kw_only=True):
    """One tradable thing. `tick` is the smallest price step in the instrument's currency."""

    symbol: str
    sec_type: str = "STK"
    exchange: str = "SMART"
    primary_exchange: str = ""
    currency: str = "USD"
    tick: float = 0.01

    def round_to_tick(self, price: float) -> float:
        """The nearest price on the tick grid, free of binary dust (half away from zero)."""
        steps = math.floor(abs(price) / self.tick + 0.5 + 1e-9)
        return round(math.copysign(steps * self.tick, price), 8)


class Universe(Struct, frozen=True):
    """The instruments of a run, in the order in which every row's arrays are laid out."""

    instruments: tuple[Instrument, ...]

    def __len__(self) -> int:
        return len(self.instruments)

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(instrument.symbol for instrument in self.instruments)

    def index(self, symbol: str) -> int:
        """Position of `symbol` in every row; KeyError-free: an unknown symbol is an InvariantViolated."""
        for position, instrument in enumerate(self.instruments):
            if instrument.symbol == symbol:
                return position
        message = f"universe: symbol {symbol!r} is not traded here, known: {', '.join(self.symbols)}"
        raise InvariantViolated(message)


class BarRow(Struct, frozen=True, kw_only=True, eq=False):
    """One closed interval of the whole universe.

    Every array is float64 of shape (n_instruments,), prices in the instrument's currency, volume in shares;
    NaN where an instrument printed nothing.
    """

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray

    def __len__(self) -> int:
        return len(self.close)


def sealed(row: BarRow) -> BarRow:
    """A copy of the row that nobody can write to, not even after `setflags`, and that leads nowhere but to itself.

    A view of a panel's row reaches the whole panel through its `base`, and with it tomorrow.
    """
    return BarRow(
        open=np.frombuffer(row.open.tobytes()),
        high=np.frombuffer(row.high.tobytes()),
        low=np.frombuffer(row.low.tobytes()),
        close=np.frombuffer(row.close.tobytes()),
        volume=np.frombuffer(row.volume.tobytes()),
    )


class QuoteRow(Struct, frozen=True, kw_only=True, eq=False):
    """Best bid and ask of the whole universe at one moment: float64 of shape (n_instruments,).

    NaN: nobody shows that side. Infinite (bid below, ask above everything): the instrument's quotes are not streamed.
    """

    bid: np.ndarray
    ask: np.ndarray


class Bar(Struct, frozen=True):
    """One instrument's bar; NaN prices mean that it printed nothing."""

    open: float
    high: float
    low: float
    close: float
    volume: float


def bar_of(row: BarRow, index: int) -> Bar:
    """The bar of the instrument at `index`."""
    return Bar(
        float(row.open[index]),
        float(row.high[index]),
        float(row.low[index]),
        float(row.close[index]),
        float(row.volume[index]),
    )
