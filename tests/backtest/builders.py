"""What the replay's tests are made of: small panels, plain sessions and an engine that follows a script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from msgspec import Struct

from brokers.simulated.bar_broker import BarBroker
from brokers.simulated.bar_fills import BarMatcher
from brokers.simulated.costs.charging import free_of_charge
from research.backtest.session_driver import SessionDriver
from research.backtest.timeline import Timeline, lay_out
from shared.commands import Command, PlaceBracket
from shared.config import Config
from shared.events import BarsClosed, Event
from shared.ids import parse_ref
from shared.io.bar_store import BarPanel
from shared.market import BarRow, Instrument, Universe
from shared.orders import BracketOrder, Order, OrderType, Side
from tests.fakes.limits import LIFTED, PERSON

MINUTE_S = 60
MONDAY = date(2013, 10, 7)
OPENS = datetime(2013, 10, 7, 13, 30, tzinfo=UTC)
SECOND_NS = 1_000_000_000

Price = tuple[float, float, float, float]


class PlainHours(Struct, frozen=True):
    session: date
    opens_at: datetime
    closes_at: datetime


def sessions_of(minutes: int) -> Callable[[datetime], PlainHours]:
    """A calendar that knows every day from 13:30 UTC on, for so many minutes."""

    def hours_at(at: datetime) -> PlainHours:
        opens_at = at.replace(hour=13, minute=30, second=0, microsecond=0)
        closes_at = opens_at + timedelta(minutes=minutes)
        if at >= closes_at:
            opens_at, closes_at = opens_at + timedelta(days=1), closes_at + timedelta(days=1)
        return PlainHours(opens_at.date(), opens_at, closes_at)

    return hours_at


def a_universe(*symbols: str) -> Universe:
    return Universe(tuple(Instrument(symbol=symbol) for symbol in symbols))


def a_row(*bars: Price, volume: float = 1e6) -> BarRow:
    prices = np.array(bars, dtype=np.float64)
    return BarRow(
        open=prices[:, 0],
        high=prices[:, 1],
        low=prices[:, 2],
        close=prices[:, 3],
        volume=np.full(len(bars), volume),
    )


def a_panel(bars: Iterable[Price], *, symbol: str = "SPY", minutes_per_session: int = 390) -> BarPanel:
    """Minute bars of one symbol, session after session, from Monday's open on."""
    prices = np.array(list(bars), dtype=np.float64)
    opened = [
        OPENS + timedelta(days=at // minutes_per_session, minutes=at % minutes_per_session) for at in range(len(prices))
    ]
    opened_at = np.array([int(at.timestamp()) * SECOND_NS for at in opened], dtype=np.int64)
    columns = [np.ascontiguousarray(prices[:, at : at + 1]) for at in range(4)]
    return BarPanel(
        symbols=(symbol,),
        opened_at=opened_at,
        closed_at=opened_at + MINUTE_S * SECOND_NS,
        interval_s=MINUTE_S,
        open=columns[0],
        high=columns[1],
        low=columns[2],
        close=columns[3],
        volume=np.full((len(prices), 1), 1e6),
    )


def flat(price: float) -> Price:
    return price, price, price, price


def a_bracket(
    number: int = 1,
    *,
    quantity: int = 100,
    stop: float = 99.0,
    target: float | None = 102.0,
    limit: float | None = None,
) -> PlaceBracket:
    """A long bracket in SPY as the engine's planning lays it out."""
    plan = f"OB1:test:20131007:SPY-{number}"

    def leg(letter: str, side: Side, order_type: OrderType, **prices: Any) -> Order:
        is_entry = letter == "E"
        return Order(
            ref=f"{plan}:{letter}",
            symbol="SPY",
            side=side,
            quantity=quantity,
            order_type=order_type,
            tif="DAY" if is_entry else "GTC",
            oca_group="" if is_entry else plan,
            **prices,
        )

    entry_type = OrderType.MARKET if limit is None else OrderType.LIMIT
    return PlaceBracket(
        bracket=BracketOrder(
            entry=leg("E", Side.BUY, entry_type, limit_price=limit),
            stop_loss=leg("S", Side.SELL, OrderType.STOP, stop_price=stop),
            take_profit=None if target is None else leg("T", Side.SELL, OrderType.LIMIT, limit_price=target),
        )
    )


class ScriptedEngine:
    """Remembers every event; answers the n-th closed row (from 0) and single events by script."""

    def __init__(
        self,
        on_row: dict[int, list[Command]] | None = None,
        on_event: Callable[[Event], list[Command]] | None = None,
    ) -> None:
        self.events: list[Event] = []
        self._on_row = on_row or {}
        self._on_event = on_event
        self._rows = 0

    def handle(self, event: Event) -> list[Command]:
        self.events.append(event)
        commands = list(self._on_event(event)) if self._on_event else []
        if isinstance(event, BarsClosed) and not event.warm_up:
            commands += self._on_row.get(self._rows, [])
            self._rows += 1
        return commands

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


def a_broker(*symbols, cash=100_000.0, slippage_bps=0.0, charge=free_of_charge):
    return BarBroker(
        universe=a_universe(*(symbols or ("SPY",))),
        account_id="DU0000000",
        starting_cash=cash,
        matcher=BarMatcher(slippage_bps=slippage_bps),
        charge=charge,
        slippage_bps=slippage_bps,
    )


def a_driver(engine: ScriptedEngine, panel: BarPanel, **layout) -> tuple[SessionDriver, Timeline]:
    minutes, scores = layout.pop("minutes_per_session", 390), layout.pop("insider_scores", None)
    timeline = lay_out(panel, sessions_of(minutes), **layout)
    broker = a_broker(*panel.symbols)
    driver = SessionDriver(
        engine=engine,
        broker=broker,
        panel=panel,
        timeline=timeline,
        starting_cash=100_000.0,
        insider_scores=scores,
    )
    return driver, timeline


SMA = {"kind": "sma_cross", "params": {"fast": 5, "slow": 20}}
MOMENTUM = {"kind": "cross_momentum", "params": {"lookback": 20, "rebalance_every": 5, "top": 1}}


def a_config(*symbols: str, strategy: Mapping[str, object], interval_s: int = MINUTE_S, warm_up: int = 30) -> Config:
    """One strategy with percent brackets and wide limits, paper account of a million."""
    daily = interval_s >= 86_400
    return Config.model_validate(
        {
            "session": {
                "calendar": "XNYS",
                "entry_after_open_s": 60,
                "entry_before_close_s": 900,
                "flatten_before_close_s": 0 if daily else 300,
            },
            "universe": {"symbols": list(symbols)},
            "bars": {"interval_s": interval_s, "warm_up": warm_up},
            "strategy": [
                {
                    "name": "one",
                    "allocation": 1.0,
                    "sizing": {"method": "fixed_fraction", "fraction": 0.1},
                    "exits": {
                        "method": "percent",
                        "stop_pct": 4.0 if daily else 0.3,
                        "target_pct": 8.0 if daily else 0.6,
                    },
                    **strategy,
                }
            ],
            "execution": {
                "entry": "market",
                "limit_offset_bps": 5.0,
                "entry_timeout_s": 120.0,
                "acknowledge_within_s": 10.0,
            },
            "risk": {
                "max_order_quantity": 100_000,
                "max_order_notional": 1e6,
                "max_position_quantity": 100_000,
                "max_position_notional": 1e6,
                "max_gross_exposure": 1.0,
                "price_collar_pct": 5.0,
                "price_jump_pct_max": 20.0,
                "price_age_max_s": 864_000.0 if daily else 300.0,
                "protect_within_s": 5.0,
                **LIFTED,
                **PERSON,
            },
        }
    )


def legs_of(result):
    """The legs that were filled at least once."""
    refs = [parse_ref(entry.fill.ref) for entry in result.fills]
    return {ref.leg for ref in refs if ref is not None}
