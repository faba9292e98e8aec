"""An entry that every rule lets pass; tests change what they are about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from risk.limits import Limits
from risk.trading_state import TradingState
from risk.view import RiskView
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


def a_view(**changes: Any) -> RiskView:
    """A quiet hour: flat, reconciled, SPY at 100, a million of equity."""
    usual: dict[str, Any] = {
        "now": NOW,
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
    }
    return RiskView(**(usual | changes))
