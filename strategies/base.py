"""What every strategy is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Self, SupportsIndex

from msgspec import Struct
from msgspec.structs import replace

from shared.errors import ConfigError
from shared.indicators.indicator import FloatArray
from shared.market import BarRow, Universe
from shared.signals import Signal
from strategies.mark import code_mark
from strategies.state import Snapshot, Value, mark_of, pack, unpack

_FIXED = ("universe", "symbols", "_params", "_mark")


class Decisions(Struct, frozen=True, eq=False):
    """What a strategy says on every row of a panel, told at once.

    `convictions` is float64 (T, n_instruments), NaN where a row does not mention the instrument; `at` gives, for the
    number of a row, the very list that `on_row` would have given there: same order, same reasons.
    """

    convictions: FloatArray
    at: Callable[[int], list[Signal]]


class Strategy(ABC):
    """From one bar row to convictions, with no clock, no IO, no knowledge of quantities, account or broker.

    A strategy's parameters are keyword arguments of its `__init__` after the universe. What it sets on
    itself is its state: `snapshot` carries numbers, str, bool, None, dates, lists, tuples, dicts, numpy
    arrays and indicators, and says so clearly when it meets anything else.
    """

    _params: dict[str, Value]
    _mark: str

    def __new__(cls, universe: Universe, **params: Value) -> Self:  # noqa: ARG004 - each __init__ takes it
        """Keep the parameters, so that a snapshot made under other ones is never restored."""
        strategy = super().__new__(cls)
        strategy._params = deepcopy(dict(sorted(params.items())))
        return strategy

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.symbols = universe.symbols

    @abstractmethod
    def on_row(self, row: BarRow, closed_at: datetime, /) -> list[Signal]:
        """The convictions that this closed row leads to.

        Say the current conviction of every instrument there is a view on: the same conviction again changes
        nothing, an instrument that is not mentioned keeps its last one. The arrays of `row` are shaped
        (n_instruments,) in the order of `symbols`, NaN where an instrument printed nothing; they are read
        only.
        """

    def decisions(self, rows: BarRow, /) -> Decisions | None:  # noqa: ARG002 - for those that offer it
        """The same convictions for whole panels (T, n_instruments) at once, from the same kernels; None: not offered.

        Asked once, before the first row; the strategy stands afterwards where `on_row` for every row would have left
        it. A replay then looks only at the rows on which something can happen. What is said of a row may depend on
        that row and those before it, as in `on_row`.
        """
        return None

    def signal(self, index: SupportsIndex, conviction: float, reason: str) -> Signal:
        """A conviction from -1 (short) over 0 (flat) to 1 (long) in the instrument at `index` of the row."""
        symbol = self.symbols[index]
        if not -1.0 <= conviction <= 1.0:
            name = type(self).__name__
            raise ConfigError(f"strategy {name}: conviction {conviction} for {symbol}, allowed: -1 to 1")
        return Signal(symbol=symbol, conviction=float(conviction), reason=reason)

    def snapshot(self) -> bytes:
        """The whole state; the same state gives the same bytes. ConfigError on a value it cannot carry."""
        return pack(replace(self._mine(), state=self._state()))

    def restore(self, data: bytes) -> None:
        """Take over the state in `data`; DataError if another strategy, universe, parameters or code made it."""
        found = unpack(data, self._mine())
        for name in self._state():
            delattr(self, name)
        vars(self).update(found.state)

    def _state(self) -> dict[str, Value]:
        return {name: value for name, value in sorted(vars(self).items()) if name not in _FIXED}

    def _mine(self) -> Snapshot:
        """Whose state it is, without it. The mark is that of a strategy made anew, whatever this one has seen."""
        mine = Snapshot(strategy=type(self).__name__, symbols=self.symbols, params=self._params, state={})
        if "_mark" not in vars(self):
            fresh = type(self)(self.universe, **deepcopy(self._params))
            self._mark = mark_of(replace(mine, state=fresh._state()), code_mark(type(self)))  # noqa: SLF001 - its own kind
        return replace(mine, mark=self._mark)
