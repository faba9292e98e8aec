"""One function per rule, `(intent, view, limits) -> Breach | None`; docs/risk.md describes each.

Rules for entries pass over intents that reduce: getting out must not fail for want of a price, a
reconciliation or a limit. A rule whose input is missing refuses, or leaves it to the rule that is there to
refuse (`price_known` and `account_known`); the gate runs all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import TypeGuard

from risk.limits import Limits
from risk.trading_state import TradingState
from risk.view import RiskView
from shared.orders import Breach, OrderIntent, Side

Rule = Callable[[OrderIntent, RiskView, Limits], Breach | None]

_DUST = 1e-9  # of a share: what binary fractions may lose when a limit is met exactly


def trading_state(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """Entries need ACTIVE; exits pass in REDUCING, an operator's also in HALTED; nothing in OBSERVE."""
    state = view.trading_state
    passes = state is TradingState.ACTIVE
    if intent.reduces:
        passes |= state is TradingState.REDUCING or (view.operator_flatten and state is TradingState.HALTED)
    return None if passes else _refusal("trading_state", f"trading state is {state}")


def reduce_only(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """An exit goes against the position and never beyond it, counting the exits that already work."""
    if not intent.reduces:
        return None
    against = -intent.side.sign * view.position
    room = max(against - max(view.exits_working, 0), 0)
    text = f"an exit of {intent.quantity}, the position is {view.position} with {view.exits_working} going out"
    return _capped("reduce_only", intent, room, value=intent.quantity, limit=room, text=text)


def reconciled(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """Entries only after book and broker have been compared since the last connection."""
    if intent.reduces or view.is_reconciled:
        return None
    return _refusal("reconciled", "book and broker have not been compared since the last connection")


def unknown_orders(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """An order of unknown fate blocks entries in its instrument."""
    if intent.reduces or not view.has_unknown:
        return None
    return _refusal("unknown_orders", f"an order in {intent.symbol} is of unknown fate")


def instrument_lock(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """A break between book and broker locks the instrument for entries."""
    if intent.reduces or not view.is_locked:
        return None
    return _refusal("instrument_lock", f"{intent.symbol} is locked by a break between book and broker")


def account_known(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """Entries need an account: positive equity, and the exposure it already carries."""
    exposure = view.gross_exposure
    if intent.reduces or (_is_positive(view.equity) and exposure is not None and 0 <= exposure < math.inf):
        return None
    text = f"equity {view.equity} or gross exposure {exposure} is not known or not usable"
    return _refusal("account_known", text)


def session_window(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """Entries only from `entry_after_open_s` after the open to `entry_before_close_s` before the close."""
    if intent.reduces:
        return None
    if view.opens_at is None or view.closes_at is None:
        return _refusal("session_window", "the session's hours are not known")
    first = view.opens_at + timedelta(seconds=view.entry_after_open_s)
    last = view.closes_at - timedelta(seconds=view.entry_before_close_s)
    if first <= view.now <= last:
        return None
    text = f"{view.now:%H:%M:%S} is outside {first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S} UTC"
    return _refusal("session_window", text)


def price_known(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """Entries need a price that is a positive number."""
    if intent.reduces or _is_positive(view.price):
        return None
    return _refusal("price_known", f"price {view.price} is not known or not a positive number")


def price_stale(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Entries need a price no older than `price_age_max_s`, and none from as far in the future."""
    if intent.reduces:
        return None
    if view.price_at is None:
        return _refusal("price_stale", "the age of the price is not known")
    age_s, limit_s = (view.now - view.price_at).total_seconds(), limits.price_age_max_s
    if abs(age_s) <= limit_s:
        return None
    text = f"the price is {age_s:.6g} s old, at most {limit_s:.6g} s"
    return Breach(rule="price_stale", value=age_s, limit=limit_s, allowed=0, text=text)


def price_unreasonable(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """No entry on a print that jumped (`price_jump_pct_max`) and is not confirmed, nor on a crossed quote."""
    if intent.reduces or not view.price_is_suspect:
        return None
    return _refusal("price_unreasonable", f"price {view.price} is suspect, the last good one is {view.reference_price}")


def price_collar(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """An entry pays no further than `price_collar_pct` from the last good price, on either side."""
    if intent.reduces or not _is_positive(view.price):
        return None
    if not _is_positive(view.reference_price):
        return _refusal("price_collar", f"there is no good price to compare with, {view.reference_price}")
    away_pct = abs(view.price - view.reference_price) / view.reference_price * 100
    if away_pct <= limits.price_collar_pct + _DUST:
        return None
    text = (
        f"{view.price:.6g} is {away_pct:.4g} % from the last good price {view.reference_price:.6g}, "
        f"at most {limits.price_collar_pct:.4g} %"
    )
    return Breach(rule="price_collar", value=away_pct, limit=limits.price_collar_pct, allowed=0, text=text)


def order_quantity_max(intent: OrderIntent, _: RiskView, limits: Limits) -> Breach | None:
    """Every order has a quantity of at least 1; an entry has at most `max_order_quantity`."""
    if intent.quantity < 1:
        return _refusal("order_quantity_max", f"an order of {intent.quantity}, must be at least 1")
    if intent.reduces:
        return None
    limit = limits.max_order_quantity
    text = f"an order of {intent.quantity}, at most {limit}"
    return _capped("order_quantity_max", intent, limit, value=intent.quantity, limit=limit, text=text)


def order_notional_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """An entry is worth at most `max_order_notional`."""
    if intent.reduces or not _is_positive(view.price):
        return None
    value, limit = intent.quantity * view.price, limits.max_order_notional
    text = f"an order worth {value:.2f}, at most {limit:.2f}"
    return _capped("order_notional_max", intent, _shares(limit, view.price), value=value, limit=limit, text=text)


def position_quantity_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Position and everything that may still be filled in its direction: at most `max_position_quantity`."""
    if intent.reduces:
        return None
    held, limit = _worst_case(intent.side, view), limits.max_position_quantity
    value = held + intent.quantity
    text = f"a position of up to {value}, at most {limit}"
    return _capped("position_quantity_max", intent, limit - held, value=value, limit=limit, text=text)


def position_notional_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """The same worst case in money: at most `max_position_notional`."""
    if intent.reduces or not _is_positive(view.price):
        return None
    held, limit = _worst_case(intent.side, view), limits.max_position_notional
    value = (held + intent.quantity) * view.price
    text = f"a position worth up to {value:.2f}, at most {limit:.2f}"
    room = _shares(limit - held * view.price, view.price)
    return _capped("position_notional_max", intent, room, value=value, limit=limit, text=text)


def gross_exposure_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """The account's worst-case exposure with this entry: at most `max_gross_exposure` times equity."""
    if intent.reduces or not _is_positive(view.price) or not _is_positive(view.equity) or view.gross_exposure is None:
        return None
    limit = limits.max_gross_exposure * view.equity
    value = view.gross_exposure + intent.quantity * view.price
    text = f"gross exposure of up to {value:.2f}, at most {limit:.2f}"
    room = _shares(limit - view.gross_exposure, view.price)
    return _capped("gross_exposure_max", intent, room, value=value, limit=limit, text=text)


def _worst_case(side: Side, view: RiskView) -> int:
    """The most shares that may come to be held in the direction of `side`.

    A position on the other side makes no room: its stop may close it at any moment.
    """
    working = view.working_buy if side is Side.BUY else view.working_sell
    return max(side.sign * view.position, 0) + working


def _is_positive(number: float | None) -> TypeGuard[float]:
    return number is not None and 0 < number < math.inf  # NaN is neither


def _shares(money: float, price: float) -> int:
    """Whole shares that `money` pays for; an amount that is met exactly counts as met."""
    shares = money / price
    return max(math.floor(shares + _DUST), 0) if math.isfinite(shares) else 0


def _refusal(rule: str, text: str) -> Breach:
    """A breach of a rule that knows only yes and no: 1 where 0 is allowed."""
    return Breach(rule=rule, value=1.0, limit=0.0, allowed=0, text=text)


def _capped(rule: str, intent: OrderIntent, allowed: int, *, value: float, limit: float, text: str) -> Breach | None:
    """A breach of a rule that may let a part of the quantity pass; None if all of it fits."""
    if intent.quantity <= allowed:
        return None
    # The order matters: a NaN compares false with everything, so that it allows nothing rather than anything.
    room = max(0, allowed)
    return Breach(rule=rule, value=float(value), limit=float(limit), allowed=room, text=text)


RULES: dict[str, Rule] = {
    "trading_state": trading_state,
    "reduce_only": reduce_only,
    "reconciled": reconciled,
    "unknown_orders": unknown_orders,
    "instrument_lock": instrument_lock,
    "account_known": account_known,
    "session_window": session_window,
    "price_known": price_known,
    "price_stale": price_stale,
    "price_unreasonable": price_unreasonable,
    "price_collar": price_collar,
    "order_quantity_max": order_quantity_max,
    "order_notional_max": order_notional_max,
    "position_quantity_max": position_quantity_max,
    "position_notional_max": position_notional_max,
    "gross_exposure_max": gross_exposure_max,
}
