"""Daily panels of a few sessions, action tables on disk and a driver that carries."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from msgspec import Struct

from brokers.simulated.costs.financing import BorrowFees, InterestRates
from research.backtest.bar_drive import drive_bars
from research.backtest.carrying import Carrying
from research.backtest.corporate_actions import schedule
from research.backtest.session_bars import session_bars
from research.backtest.session_driver import SessionDriver
from research.backtest.timeline import lay_out
from shared.commands import Flatten
from shared.corporate_actions import CorporateAction
from shared.io.bar_store import BarPanel
from shared.orders import Order, OrderType, Side
from tests.backtest.builders import ScriptedEngine, a_broker

DAY_S = 86_400
DAY_NS = DAY_S * 1_000_000_000
MONDAY = date(2014, 6, 2)
HEADER = "symbol,ex_date,dividend_amount,split_coefficient\n"


class WeekdayHours(Struct, frozen=True):
    session: date
    opens_at: datetime
    closes_at: datetime


def weekday_hours(at: datetime) -> WeekdayHours:
    """Every weekday, 13:30 to 20:00 UTC."""
    opens_at = at.replace(hour=13, minute=30, second=0, microsecond=0)
    if at >= opens_at + timedelta(minutes=390):
        opens_at += timedelta(days=1)
    while opens_at.weekday() > 4:
        opens_at += timedelta(days=1)
    return WeekdayHours(opens_at.date(), opens_at, opens_at + timedelta(minutes=390))


def weekdays(count: int, first: date = MONDAY) -> list[date]:
    days = (first + timedelta(days=number) for number in range(3 * count))
    return [day for day in days if day.weekday() < 5][:count]


def a_daily_panel(closes, *, symbols=("SPY",), opens=None, spread=0.5, volume=1e6, first=MONDAY) -> BarPanel:
    """One bar per weekday from `first` on; closes (T,) or (T, n), opens as the closes, high and low around both."""
    close = np.array(closes, dtype=np.float64).reshape(len(closes), -1)
    opened = close if opens is None else np.array(opens, dtype=np.float64).reshape(close.shape)
    instants = [datetime(day.year, day.month, day.day, 13, 30, tzinfo=UTC) for day in weekdays(len(close), first)]
    opened_at = np.array([int(at.timestamp()) * 1_000_000_000 for at in instants], dtype=np.int64)
    return BarPanel(
        symbols=symbols,
        opened_at=opened_at,
        closed_at=opened_at + 23_400 * 1_000_000_000,
        interval_s=DAY_S,
        open=opened.copy(),
        high=np.fmax(opened, close) + spread,
        low=np.fmin(opened, close) - spread,
        close=close,
        volume=np.full(close.shape, float(volume)),
    )


def an_action(ex_date, *, symbol="SPY", dividend=0.0, coefficient=1.0):
    return CorporateAction(symbol=symbol, ex_date=ex_date, dividend=dividend, coefficient=coefficient, where="table")


def a_table(folder, *rows, name="actions.csv"):
    path = folder / name
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return path


def market(side, quantity, number=1, symbol="SPY"):
    """A market order by itself; the broker takes it as it comes."""
    ref = f"OB1:test:20140602:{symbol}-{number}:X1"
    order = Order(ref=ref, symbol=symbol, side=Side(side), quantity=quantity, order_type=OrderType.MARKET, tif="DAY")
    return Flatten(order=order)


def carried(panel, script, *actions, rates=None, borrow_bps=0.0, charge=None):
    """A scripted engine over the panel with these actions; answers (engine, broker, result)."""
    timeline = lay_out(panel, weekday_hours)
    broker = a_broker(*panel.symbols, **({} if charge is None else {"charge": charge}))
    carrying = Carrying(
        rates=rates or InterestRates(debit_pct=0.0, credit_pct=0.0),
        borrow=BorrowFees(default_bps=borrow_bps),
        schedule=schedule(actions, panel.symbols, session_bars(panel, timeline)),
    )
    engine = ScriptedEngine(script)
    driver = SessionDriver(
        engine=engine, broker=broker, panel=panel, timeline=timeline, starting_cash=100_000.0, carrying=carrying
    )
    return engine, broker, drive_bars(driver, timeline)
