"""What the engine's tests are made of: a started engine, its strategies, rows, fills and reports.

The usual engine trades SPY and IBM, one strategy `s` of which the test says the views, sized at 5 % of a million
(500 shares of SPY at 100), stop 1 %, target 2 %. A step of the clock is a second, a row a minute.
"""

from datetime import UTC, datetime, timedelta

import numpy as np

from daemon.engine.desk import Desk
from daemon.engine.engine import Engine
from daemon.engine.settings import EngineSettings, ExitPolicy, SizingPolicy
from risk.limits import Limits
from shared.account import Account, BrokerPosition
from shared.commands import SetTimer
from shared.events import (
    BarsClosed,
    BrokerReported,
    CommissionReported,
    ConnectionLost,
    ConnectionRestored,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
    RunStarted,
    SessionScheduled,
    TimerFired,
)
from shared.ids import leg_ref, parse_ref
from shared.market import BarRow, Instrument, Universe
from shared.orders import CompletedOrder, Fill, Leg, OpenOrder, Side
from strategies.base import Strategy
from tests.fakes.limits import LIFTED

OPEN = datetime(2013, 10, 8, 13, 30, tzinfo=UTC)
CLOSE = datetime(2013, 10, 8, 20, 0, tzinfo=UTC)
ACCOUNT = "DU1234567"
PLAN = "OB1:s:20131008:SPY-1"
ENTRY, STOP, TARGET = (leg_ref(PLAN, leg) for leg in (Leg.ENTRY, Leg.STOP_LOSS, Leg.TAKE_PROFIT))


def at(seconds):
    """An instant counted from the open."""
    return OPEN + timedelta(seconds=seconds)


class Says(Strategy):
    """Says at every row the views a test has put into `views`, symbol to conviction."""

    def __init__(self, universe):
        super().__init__(universe)
        self.views = {}

    def on_row(self, row, closed_at, /):
        return [self.signal(self.symbols.index(symbol), view, "told") for symbol, view in self.views.items()]


def a_universe(*symbols):
    return Universe(tuple(Instrument(symbol=symbol) for symbol in symbols or ("SPY", "IBM")))


def some_limits(**changes):
    limits = {
        "max_order_quantity": 1000,
        "max_order_notional": 100_000.0,
        "max_position_quantity": 2000,
        "max_position_notional": 200_000.0,
        "max_gross_exposure": 1.0,
        "price_collar_pct": 3.0,
        "price_jump_pct_max": 10.0,
        "price_age_max_s": 150.0,
        "protect_within_s": 5.0,
        **LIFTED,
    }
    return Limits(**{**limits, **changes})


def some_settings(limits=None, **changes):
    settings = {
        "interval_s": 60,
        "limits": limits or some_limits(),
        "entry": "market",
        "limit_offset_bps": 5.0,
        "entry_timeout_s": 120.0,
        "acknowledge_within_s": 10.0,
        "entry_after_open_s": 0.0,
        "entry_before_close_s": 900.0,
        "flatten_before_close_s": 300.0,
        "good_till_slack_s": 30.0,
        "entries_on_reconnect": "cancel",
        "targets_on_reconnect": "keep",
        "self_trade": "refuse",
    }
    return EngineSettings(**{**settings, **changes})


def a_desk(universe, name="s", *, symbols=(), allocation=1.0, sizing=None, exits=None):
    """A strategy that is told its views; `symbols` empty: the whole universe."""
    mine = a_universe(*symbols) if symbols else universe
    return Desk(
        name=name,
        strategy=Says(mine),
        universe=universe,
        allocation=allocation,
        sizing=sizing or SizingPolicy(method="fixed_fraction", fraction=0.05),
        exits=exits or ExitPolicy(method="percent", stop=1.0, target=2.0),
        jump_pct_max=10.0,
    )


def an_engine(*, universe=None, desks=None, settings=None):
    """A fresh engine without memory."""
    universe = universe or a_universe()
    return Engine(settings=settings or some_settings(), universe=universe, desks=desks or [a_desk(universe)])


def a_row(**bars):
    """One row of SPY and IBM; each a close, or (open, high, low, close); an instrument not named printed nothing."""
    return a_row_of(("SPY", "IBM"), **bars)


def a_row_of(symbols, **bars):
    wide = [_wide(bars.get(symbol)) for symbol in symbols]
    opened, high, low, close = np.array(wide, dtype=float).T
    volume = np.where(np.isnan(close), np.nan, 1000.0)
    return BarRow(open=opened, high=high, low=low, close=close, volume=volume)


def _wide(bar):
    if bar is None:
        return (np.nan,) * 4
    return bar if isinstance(bar, tuple) else (bar,) * 4


def bars(seconds, *, warm_up=False, **closes):
    """A row that closed so many seconds after the open and arrived at once."""
    return BarsClosed(
        received_at=at(seconds), closed_at=at(seconds), interval_s=60, row=a_row(**closes), warm_up=warm_up
    )


def an_account(equity=1e6, account_id=ACCOUNT):
    return Account(account_id=account_id, net_liquidation=equity, cash=equity, buying_power=4 * equity)


def a_report(seconds, *, asked=None, account=None, unanswered=(), **parts):
    """Everything the broker knows: nothing, unless `positions`, `open_orders`, `completed_orders`, `fills` say so.

    `positions` may be a dict symbol to quantity; `asked` is when the question left (by default: just now).
    """
    parts = {"positions": (), "open_orders": (), "completed_orders": (), "fills": (), **parts}
    clock_ahead_s = float(parts.pop("clock_ahead_s", 0.0))
    if isinstance(parts["positions"], dict):
        held = parts["positions"].items()
        parts["positions"] = tuple(BrokerPosition(symbol=s, quantity=q, average_cost=100.0) for s, q in held)
    return BrokerReported(
        received_at=at(seconds),
        asked_at=at(seconds if asked is None else asked),
        account=None if "account" in unanswered else account or an_account(),
        unanswered=tuple(unanswered),
        clock_ahead_s=clock_ahead_s,
        **{key: tuple(part) for key, part in parts.items()},
    )


def an_open_order(order, perm_id=1, **changes):
    """The line of the broker's open-order list for an order of ours."""
    line = {
        "ref": order.ref,
        "perm_id": perm_id,
        "symbol": order.symbol,
        "side": order.side,
        "quantity": order.quantity,
        "order_type": order.order_type.value,
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
        "status": "Submitted",
        "client_id": 7,
        "order_id": 1,
    }
    return OpenOrder(**{**line, **changes})


def a_completed(ref, status="Cancelled", filled=0, symbol="SPY"):
    return CompletedOrder(ref=ref, perm_id=1, symbol=symbol, status=status, filled=filled)


def a_fill(ref=ENTRY, quantity=500, price=100.0, *, seconds=61, exec_id="0001.01.01.01", side=None, symbol=None):
    """An execution; the side is the one that the leg of a long plan has, the symbol the plan's."""
    parts = parse_ref(ref)
    usual = Side.BUY if parts is None or parts.leg is Leg.ENTRY else Side.SELL
    return Fill(
        ref=ref,
        exec_id=exec_id,
        symbol=symbol or (parts.plan.rpartition("-")[0] if parts else "SPY"),
        side=side or usual,
        quantity=quantity,
        price=price,
        filled_at=at(seconds),
    )


def filled(fill, seconds=None):
    return OrderFilled(received_at=fill.filled_at if seconds is None else at(seconds), fill=fill)


def accepted(ref, seconds=61, perm_id=1, **changes):
    return OrderAccepted(received_at=at(seconds), ref=ref, perm_id=perm_id, broker_status="Submitted", **changes)


def cancelled(ref, seconds=62, reason="202"):
    return OrderCancelled(received_at=at(seconds), ref=ref, reason=reason)


def rejected(ref, seconds=62, code=201, text="no margin"):
    return OrderRejected(received_at=at(seconds), ref=ref, code=code, text=text)


def taken_by_its_group(ref, seconds):
    """The broker's 201 for an order whose OCA group has done its work."""
    text = "OCA group is already filled."
    return OrderRejected(received_at=at(seconds), ref=ref, code=201, text=text, is_group_filled=True)


def cost(exec_id, commission=1.0, seconds=63):
    return CommissionReported(received_at=at(seconds), exec_id=exec_id, commission=commission, currency="USD")


def fired(timer_id, seconds):
    return TimerFired(received_at=at(seconds), timer_id=timer_id)


def run_started(seconds=0, run_id="r1"):
    return RunStarted(received_at=at(seconds), run_id=run_id)


def scheduled(seconds=0):
    return SessionScheduled(received_at=at(seconds), session=OPEN.date(), opens_at=OPEN, closes_at=CLOSE)


def connected(seconds=0):
    return ConnectionRestored(received_at=at(seconds), account_id=ACCOUNT)


def disconnected(seconds, reason="1100"):
    return ConnectionLost(received_at=at(seconds), reason=reason)


def a_start():
    """What every engine sees before its first row: hours, connection, and a complete report with the account."""
    return [run_started(), scheduled(), connected(), a_report(0)]


def handle_all(engine, events):
    """The commands of every event, in a row."""
    return [command for event in events for command in engine.handle(event)]


def says(engine, strategy="s", **views):
    """From the next row on the strategy's views are these, for example `SPY=1.0`."""
    engine._desks[strategy].strategy.views = dict(views)


def a_started(engine=None):
    """An engine that is connected, reconciled, flat, and knows its account."""
    engine = engine or an_engine()
    handle_all(engine, a_start())
    return engine


def an_engine_that_asked(engine=None):
    """One that has sent the bracket PLAN, long 500 SPY at 100, stop 99, target 102, at second 60; no answer yet."""
    engine = a_started(engine)
    says(engine, SPY=1.0)
    engine.handle(bars(60, SPY=100.0, IBM=185.0))
    return engine


def an_engine_at_work(engine=None):
    """One whose bracket PLAN is accepted in all its legs."""
    engine = an_engine_that_asked(engine)
    handle_all(engine, [accepted(ref, 61, perm_id) for perm_id, ref in enumerate((ENTRY, STOP, TARGET), start=1)])
    return engine


def a_long_engine(engine=None):
    """One that is long 500 SPY at 100 under stop 99 and target 102."""
    engine = an_engine_at_work(engine)
    engine.handle(filled(a_fill()))
    return engine


def kinds(commands):
    """The names of the commands, in order."""
    return [type(command).__name__ for command in commands]


def of_kind(commands, kind):
    return [command for command in commands if isinstance(command, kind)]


def codes(commands):
    """The codes of what a person is told, in order."""
    return [command.code for command in commands if type(command).__name__ == "Notify"]


def statuses(engine):
    return {ref: order.status for ref, order in engine.book.orders.items()}


def lines_of(engine, *refs):
    """The broker's open-order lines of these orders of the book (all live ones by default)."""
    live = engine.book.orders
    return [an_open_order(live[ref].order, live[ref].perm_id or 1) for ref in refs or live]


def ask_timers(commands):
    return [command for command in of_kind(commands, SetTimer) if command.timer_id == "ask"]
