"""An entry that every rule lets pass; tests change what they are about."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from risk.checks import RULES
from risk.limits import Limits
from risk.portfolio import Holdings
from risk.trading_state import TradingState
from risk.view import GroupExposure, RiskView
from shared.orders import OrderIntent, Side
from tests.fakes.limits import LIFTED

NOW = datetime(2013, 10, 8, 15, 0, tzinfo=UTC)


def an_entry(**changes: Any) -> OrderIntent:
    """Buy 100 SPY."""
    usual: dict[str, Any] = {
        "strategy": "sma",
        "symbol": "SPY",
        "side": Side.BUY,
        "quantity": 100,
        "reduces": False,
        "reason": "test",
    }
    return OrderIntent(**(usual | changes))


def an_exit(**changes: Any) -> OrderIntent:
    """Sell 100 SPY to shrink a long position."""
    return an_entry(**({"side": Side.SELL, "reduces": True} | changes))


def limits(**changes: Any) -> Limits:
    usual: dict[str, Any] = {
        "max_order_quantity": 500,
        "max_order_notional": 60_000.0,
        "max_position_quantity": 1_000,
        "max_position_notional": 120_000.0,
        "max_gross_exposure": 1.0,
        "price_collar_pct": 5.0,
        "price_jump_pct_max": 20.0,
        "price_age_max_s": 120.0,
        "protect_within_s": 5.0,
        **LIFTED,
    }
    return Limits(**(usual | changes))


def quiet_holdings() -> Holdings:
    """Nothing is held; SPY has gone up and down by 1 % a hundred times, one return a day."""
    returns = np.array([[0.01], [-0.01]] * 50)
    return Holdings(values=np.zeros(1), returns=returns, per_day=1.0, column=0)


def a_view(**changes: Any) -> RiskView:
    """A quiet hour: flat, reconciled, SPY at 100, a million of equity; a position is held by one plan alone."""
    usual: dict[str, Any] = {
        "now": NOW,
        "row_at": NOW,
        "price": 100.0,
        "price_at": NOW - timedelta(seconds=5),
        "reference_price": 100.0,
        "price_is_suspect": False,
        "equity": 1_000_000.0,
        "position": 0,
        "working_buy": 0,
        "working_sell": 0,
        "exits_working": 0,
        "gross_exposure": 0.0,
        "opens_at": NOW - timedelta(minutes=90),
        "closes_at": NOW + timedelta(minutes=300),
        "entry_after_open_s": 60,
        "entry_before_close_s": 900,
        "trading_state": TradingState.ACTIVE,
        "is_reconciled": True,
        "has_unknown": False,
        "is_locked": False,
        "account_at": NOW - timedelta(seconds=5),
        "buying_power": 4_000_000.0,
        "working_notional": 0.0,
        "net_long": 0.0,
        "net_short": 0.0,
        "beta": 1.0,
        "beta_long": 0.0,
        "beta_short": 0.0,
        "groups": (GroupExposure(name="index", gross=0.0),),
        "unpriced": (),
        "holdings": quiet_holdings(),
        "bid": 99.99,
        "ask": 100.01,
        "is_halted": False,
        "data_quality": "live",
        "quiet_reason": None,
        "sent_last_s": 0,
        "sent_last_min": 0,
        "sent_today": 0,
        "is_duplicate": False,
        "entries_in_window": 0,
        "is_self_trade": False,
    }
    position = changes.get("position", 0)
    held = {"held_long": float(max(position, 0)), "held_short": float(max(-position, 0))}
    return RiskView(**(usual | held | changes))


def allowed(rule: str, intent: OrderIntent, *, within: dict[str, Any] | None = None, **view: object) -> int | None:
    """What the rule would let pass; None if it has nothing against the intent."""
    breach = RULES[rule](intent, a_view(**view), limits(**(within or {})))
    assert breach is None or breach.rule == rule
    return None if breach is None else breach.allowed
