"""nautilus_trader: its BacktestEngine over one trade at every open and one bar at every close. W2 and W3.

A market order that is sent at a close is filled there at once, at that close: to fill at the next open as all others
do, the strategy sends it by an alert one nanosecond after the trade of the next open. W3 sends a bracket then, whose
children live on the entry bar, high before low; plain backtrader's are asleep through it: it ends with other money.
Quantities, ticks and sizing are the same; objects are made before the clock starts.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from typing import Any

import numpy as np

from bench.replay_peers.contest import Given, take_part

VENUE = "XNYS"
LOTS = 1_000_000_000.0
_MADE: dict[int, Any] = {}


def module(name: str) -> Any:  # noqa: ANN401 - an untyped package of another environment
    return import_module(f"nautilus_trader.{name}")


def instruments_of(given: Given) -> list[Any]:
    """One share each, on a tick of a cent."""
    identifiers, objects = module("model.identifiers"), module("model.objects")
    usd = module("model.currencies").USD
    return [
        module("model.instruments").Equity(
            instrument_id=identifiers.InstrumentId(identifiers.Symbol(symbol), identifiers.Venue(VENUE)),
            raw_symbol=identifiers.Symbol(symbol),
            currency=usd,
            price_precision=4,
            price_increment=objects.Price.from_str("0.0001"),
            lot_size=objects.Quantity.from_int(1),
            ts_event=0,
            ts_init=0,
            maker_fee=Decimal(0),
            taker_fee=Decimal(0),
        )
        for symbol in given.symbols
    ]


def made(given: Given) -> tuple[list[Any], list[Any], list[Any]]:
    """Instruments, bar types, and every trade and bar in the order of time; made once per process."""
    if id(given) not in _MADE:
        instruments = instruments_of(given)
        types = [module("model.data").BarType.from_str(f"{each.id}-1-DAY-LAST-EXTERNAL") for each in instruments]
        _MADE[id(given)] = instruments, types, _data(given, instruments, types)
    found: tuple[list[Any], list[Any], list[Any]] = _MADE[id(given)]
    return found


def _data(given: Given, instruments: list[Any], types: list[Any]) -> list[Any]:
    data, objects, enums = module("model.data"), module("model.objects"), module("model.enums")
    trade_id = module("model.identifiers").TradeId("0")
    size = objects.Quantity(LOTS, 0)
    found = []
    for row, (opened, closed) in enumerate(zip(given.opened_at.tolist(), given.closed_at.tolist(), strict=True)):
        bars = [given.arrays[name][row].tolist() for name in ("open", "high", "low", "close")]
        prices = [[objects.Price(value, 4) for value in column] for column in bars]
        for at, instrument in enumerate(instruments):
            side = enums.AggressorSide.NO_AGGRESSOR
            found.append(data.TradeTick(instrument.id, prices[0][at], size, side, trade_id, opened, opened))
        for at, kind in enumerate(types):
            found.append(data.Bar(kind, *(column[at] for column in prices), size, closed, closed))
    return found


class Decisions:
    """What is held, and what a day's closes lead to: pairs of a symbol's place and signed shares."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.close = np.zeros((len(given.close), len(given.symbols)))
        self.shares = np.zeros(len(given.symbols))
        self.cash, self.row, self.fills = given.cash, -1, 0
        self.views: dict[int, bool] = {}

    def filled(self, at: int, signed: float, price: float) -> None:
        self.shares[at] += signed
        self.cash -= signed * price
        self.fills += 1

    def equity(self) -> float:
        return self.cash + float(self.shares @ self.close[self.row])

    def wanted(self) -> list[tuple[int, int]]:
        return list(self._ranked() if "lookback" in self.given.params else self._crossed())

    def _size(self, at: int) -> int:
        return int(self.given.share * self.equity() / self.close[self.row, at])

    def _ranked(self) -> Iterator[tuple[int, int]]:
        params = self.given.params
        lookback, top = params["lookback"], params["top"]
        if (self.row + 1) % params["rebalance_every"] or self.row < lookback:
            return
        change = self.close[self.row] / self.close[self.row - lookback] - 1.0
        best = sorted(range(len(change)), key=lambda at: -change[at])[:top]
        for at in np.flatnonzero(self.shares).tolist():
            if at not in best:
                yield at, -int(self.shares[at])
        for at in best:
            if not self.shares[at]:
                yield at, self._size(at)

    def _crossed(self) -> Iterator[tuple[int, int]]:
        fast, slow = self.given.params["fast"], self.given.params["slow"]
        if self.row + 1 < slow:
            return
        seen = self.close[: self.row + 1]
        apart = seen[-fast:].mean(axis=0) - seen[-slow:].mean(axis=0)
        for at in np.flatnonzero(apart).tolist():
            is_above = bool(apart[at] > 0)
            if self.views.get(at) == is_above:
                continue
            self.views[at] = is_above
            if is_above:
                yield at, self._size(at)
            elif self.shares[at]:
                yield at, -int(self.shares[at])


def strategy_of(given: Given, instruments: list[Any], types: list[Any], decisions: Decisions) -> Any:  # noqa: ANN401 - an untyped base
    """A strategy that sees whole days: it decides when the last symbol's bar has come, and sends at the next open."""
    enums, quantity = module("model.enums"), module("model.objects").Quantity
    place, of_kind = {each.id: at for at, each in enumerate(instruments)}, {kind: at for at, kind in enumerate(types)}

    class Days(module("trading.strategy").Strategy):  # type: ignore[misc]  # loaded by name
        def on_start(self) -> None:
            self.came = 0
            for kind in types:
                self.subscribe_bars(kind)

        def on_bar(self, bar: Any) -> None:  # noqa: ANN401 - the library is untyped
            decisions.row += self.came % len(types) == 0
            decisions.close[decisions.row, of_kind[bar.bar_type]] = bar.close.as_double()
            self.came += 1
            if self.came % len(types) or decisions.row + 1 == len(given.opened_at):
                return
            if wanted := decisions.wanted():
                for at in [at for at, signed in wanted if signed < 0 and given.has_brackets]:
                    self.cancel_all_orders(instruments[at].id)
                opens = int(given.opened_at[decisions.row + 1]) + 1
                self.clock.set_time_alert_ns(f"open {decisions.row}", opens, lambda _event: self.send(wanted))

        def on_order_filled(self, event: Any) -> None:  # noqa: ANN401 - the library is untyped
            sign = 1 if event.order_side == enums.OrderSide.BUY else -1
            decisions.filled(place[event.instrument_id], sign * event.last_qty.as_double(), event.last_px.as_double())

        def send(self, wanted: list[tuple[int, int]]) -> None:
            for at, signed in wanted:
                side = enums.OrderSide.BUY if signed > 0 else enums.OrderSide.SELL
                if signed > 0 and given.has_brackets:
                    terms = bracket_terms(given, decisions.close[decisions.row, at])
                    order = self.order_factory.bracket(instruments[at].id, side, quantity(signed, 0), **terms)
                    self.submit_order_list(order)
                else:
                    size = quantity(abs(signed), 0)
                    self.submit_order(self.order_factory.market(instruments[at].id, side, size))

    return Days()


def bracket_terms(given: Given, decided: float) -> dict[str, Any]:
    """Stop and target as our side has them, off the close that was decided on."""
    price = module("model.objects").Price
    return {
        "sl_trigger_price": price(on_tick(decided * (1 - given.stop_pct / 100)), 4),
        "tp_price": price(on_tick(decided * (1 + given.target_pct / 100)), 4),
        "tp_post_only": False,
    }


def on_tick(value: float) -> float:
    """To the cent, half a cent away from zero."""
    return round(math.floor(value / 0.01 + 0.5 + 1e-9) * 0.01, 8)


def run(given: Given) -> tuple[int, float]:
    """One engine, from its venue to its last bar; NETTING would be quadratic in closed positions."""
    instruments, types, data = made(given)
    enums, config = module("model.enums"), module("config")
    engine = module("backtest.engine").BacktestEngine(
        module("backtest.engine").BacktestEngineConfig(
            logging=config.LoggingConfig(bypass_logging=True), run_analysis=False
        )
    )
    engine.add_venue(
        venue=instruments[0].id.venue,
        oms_type=enums.OmsType.HEDGING,
        account_type=enums.AccountType.MARGIN,
        starting_balances=[module("model.objects").Money(given.cash, module("model.currencies").USD)],
        default_leverage=Decimal(10),
    )
    for instrument in instruments:
        engine.add_instrument(instrument)
    engine.add_data(data)
    decisions = Decisions(given)
    engine.add_strategy(strategy_of(given, instruments, types, decisions))
    engine.run()
    engine.dispose()
    return decisions.fills, decisions.equity()


if __name__ == "__main__":
    # The package's own folder must not come first: its files have the names of what they import.
    sys.path[:] = [place for place in sys.path if not place.endswith("replay_peers")]

    def prepare() -> None:
        """What it imports anyway, before the clock of the run starts."""
        for name in ("backtest.engine", "model.data", "config"):
            module(name)

    take_part(run, prepare)
