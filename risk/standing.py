"""Rules about where things stand: states, reconciliation, account, session, exchange, data."""

from __future__ import annotations

import math
from datetime import timedelta

from risk.breaches import capped, is_positive, refusal
from risk.limits import Limits
from risk.trading_state import TradingState
from risk.view import RiskView
from shared.orders import Breach, OrderIntent


def trading_state(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """Entries need ACTIVE; exits pass in REDUCING, an operator's also in HALTED; nothing in OBSERVE."""
    state = view.trading_state
    passes = state is TradingState.ACTIVE
    if intent.reduces:
        passes |= state is TradingState.REDUCING or (view.operator_flatten and state is TradingState.HALTED)
    return None if passes else refusal("trading_state", f"trading state is {state}")


def reduce_only(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """An exit goes against the position and never beyond it, counting the exits that already work."""
    if not intent.reduces:
        return None
    against = -intent.side.sign * view.position
    room = max(against - max(view.exits_working, 0), 0)
    return capped(
        "reduce_only",
        intent,
        room,
        value=intent.quantity,
        limit=room,
        text=lambda: (
            f"an exit of {intent.quantity}, the position is {view.position} with {view.exits_working} going out"
        ),
    )


def reconciled(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """Entries only after book and broker have been compared since the last connection."""
    if intent.reduces or view.is_reconciled:
        return None
    return refusal("reconciled", "book and broker have not been compared since the last connection")


def unknown_orders(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """An order of unknown fate, or shares whose stop is gone, block entries in their instrument."""
    if intent.reduces or not view.has_unknown:
        return None
    return refusal("unknown_orders", f"an order in {intent.symbol} is of unknown fate, or shares of it have no stop")


def instrument_lock(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """A break between book and broker locks the instrument for entries."""
    if intent.reduces or not view.is_locked:
        return None
    return refusal("instrument_lock", f"{intent.symbol} is locked by a break between book and broker")


def account_known(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """Entries need an account: positive equity, and the exposure it already carries."""
    exposure = view.gross_exposure
    if intent.reduces or (is_positive(view.equity) and exposure is not None and 0 <= exposure < math.inf):
        return None
    text = f"equity {view.equity} or gross exposure {exposure} is not known or not usable"
    return refusal("account_known", text)


def loss_known(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Where a day's loss is limited it must be known: no entry while something held has no good price."""
    wanted = (limits.max_day_loss, limits.max_strategy_day_loss, limits.max_instrument_day_loss)
    if intent.reduces or not view.unpriced or all(limit is None for limit in wanted):
        return None
    return refusal("loss_known", f"the day's loss is not known: {', '.join(view.unpriced)} held without a good price")


def session_window(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """Entries only from `entry_after_open_s` after the open to `entry_before_close_s` before the close.

    Both our clock and the bars must say so: a clock that is wrong for a moment opens no session.
    """
    if intent.reduces:
        return None
    if view.opens_at is None or view.closes_at is None or view.row_at is None:
        return refusal("session_window", "the session's hours are not known")
    first = view.opens_at + timedelta(seconds=view.entry_after_open_s)
    last = view.closes_at - timedelta(seconds=view.entry_before_close_s)
    for at in (view.now, view.row_at):
        if not first <= at <= last:
            text = f"{at:%H:%M:%S} is outside {first:%Y-%m-%d %H:%M:%S} to {last:%H:%M:%S} UTC"
            return refusal("session_window", text)
    return None


def account_stale(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Entries need account values no older than `account_age_max_s`: a broker that fell silent knows more than we."""
    if intent.reduces:
        return None
    if view.account_at is None:
        return refusal("account_stale", "the age of the account values is not known")
    age_s, limit_s = (view.now - view.account_at).total_seconds(), limits.account_age_max_s
    if age_s <= limit_s:
        return None
    text = f"the account values are {age_s:.6g} s old, at most {limit_s:.6g} s"
    return Breach(rule="account_stale", value=age_s, limit=limit_s, allowed=0, text=text)


def quiet_window(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """No entry while the gateway is about to restart or the broker resets: a message sent then may leave no trace."""
    if intent.reduces or view.quiet_reason is None:
        return None
    return refusal("quiet_window", view.quiet_reason)


def halted(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """No entry in an instrument that the exchange has paused."""
    if intent.reduces or not view.is_halted:
        return None
    return refusal("halted", f"the exchange has paused {intent.symbol}")


def data_quality(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """Entries need live market data: none on delayed, frozen or silent ones, nor while another login has them."""
    if intent.reduces or view.data_quality == "live":
        return None
    return refusal("data_quality", f"the market data of {intent.symbol} are {view.data_quality}")
