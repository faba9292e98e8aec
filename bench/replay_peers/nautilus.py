"""nautilus_trader: its BacktestEngine over one trade at every open and one bar at every close. W2 and W3.

A market order that is sent at a close is filled there at once, at that close: to fill at the next open as all others
do, the strategy sends it by an alert one nanosecond after the trade of the next open. W3 sends a bracket then, whose
children live on the entry bar, high before low; plain backtrader's are asleep through it: it ends with other money.
Quantities, ticks and sizing are the same; objects are made before the clock starts.
"""

from __future__ import annotations

import math
import sys
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


def strategy_of(given: Given, instruments: list[Any], types: list[Any]) -> Any:  # noqa: ANN401 - an untyped base
    """A strategy that sees whole days: it decides when the last symbol's bar has come, and sends at the next open."""
    enums, quantity, price = module("model.enums"), module("model.objects").Quantity, module("model.objects").Price
    place, of_kind = {each.id: at for at, each in enumerate(instruments)}, {kind: at for at, kind in enumerate(types)}

    class Days(module("trading.strategy").Strategy):  # type: ignore[misc]
        def on_start(self) -> None:
            self.close = np.zeros((len(given.close), len(instruments)))
            self.shares = np.zeros(len(instruments))
            self.cash, self.row, self.came, self.count = given.cash, -1, 0, 0
            self.views: dict[int, bool] = {}
            for kind in types:
                self.subscribe_bars(kind)

        def on_bar(self, bar: Any) -> None:  # noqa: ANN401 - the library is untyped
            if self.came % len(types) == 0:
                self.row += 1
            self.close[self.row, of_kind[bar.bar_type]] = bar.close.as_double()
            self.came += 1
            if self.came % len(types) == 0 and self.row + 1 < len(given.opened_at):
                wanted = list(self.ranked() if "lookback" in given.params else self.crossed())
                if wanted:
                    at = int(given.opened_at[self.row + 1]) + 1
                    self.clock.set_time_alert_ns(f"open {self.row}", at, lambda _event: self.send(wanted))

        def on_order_filled(self, event: Any) -> None:  # noqa: ANN401 - the library is untyped
            signed = event.last_qty.as_double() * (1 if event.order_side == enums.OrderSide.BUY else -1)
            self.shares[place[event.instrument_id]] += signed
            self.cash -= signed * event.last_px.as_double()
            self.count += 1

        def equity(self) -> float:
            return self.cash + float(self.shares @ self.close[self.row])

        def size(self, at: int) -> int:
            return int(given.share * self.equity() / self.close[self.row, at])

        def ranked(self) -> Any:  # noqa: ANN401 - (symbol, signed shares)
            lookback, top = given.params["lookback"], given.params["top"]
            if (self.row + 1) % given.params["rebalance_every"] or self.row < lookback:
                return
            change = self.close[self.row] / self.close[self.row - lookback] - 1.0
            best = sorted(range(len(types)), key=lambda at: -change[at])[:top]
            for at in np.flatnonzero(self.shares).tolist():
                if at not in best:
                    yield at, -int(self.shares[at])
            for at in best:
                if not self.shares[at]:
                    yield at, self.size(at)

        def crossed(self) -> Any:  # noqa: ANN401 - (symbol, signed shares)
            fast, slow = given.params["fast"], given.params["slow"]
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
                    yield at, self.size(at)
                elif self.shares[at]:
                    self.cancel_all_orders(instruments[at].id)
                    yield at, -int(self.shares[at])

        def send(self, wanted: list[tuple[int, int]]) -> None:
            for at, signed in wanted:
                side = enums.OrderSide.BUY if signed > 0 else enums.OrderSide.SELL
                if signed > 0 and given.has_brackets:
                    self.submit_order_list(self.bracket(at, signed))
                else:
                    size = quantity(abs(signed), 0)
                    self.submit_order(self.order_factory.market(instruments[at].id, side, size))

        def bracket(self, at: int, signed: int) -> Any:  # noqa: ANN401 - the library is untyped
            decided = self.close[self.row, at]
            return self.order_factory.bracket(
                instrument_id=instruments[at].id,
                order_side=enums.OrderSide.BUY,
                quantity=quantity(signed, 0),
                sl_trigger_price=price(on_tick(decided * (1 - given.stop_pct / 100)), 4),
                tp_price=price(on_tick(decided * (1 + given.target_pct / 100)), 4),
                tp_post_only=False,
            )

    return Days()


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
    strategy = strategy_of(given, instruments, types)
    engine.add_strategy(strategy)
    engine.run()
    engine.dispose()
    return int(strategy.count), float(strategy.equity())


if __name__ == "__main__":
    # The package's own folder must not come first: its files have the names of what they import.
    sys.path[:] = [place for place in sys.path if not place.endswith("replay_peers")]

    def prepare() -> None:
        """What it imports anyway, before the clock of the run starts."""
        for name in ("backtest.engine", "model.data", "config"):
            module(name)

    take_part(run, prepare)
