"""Rules about how we behave: too fast, twice, again and again, against ourselves, or short."""

from __future__ import annotations

from risk.breaches import capped, refusal
from risk.limits import Limits
from risk.view import RiskView
from shared.orders import Breach, OrderIntent, Side


def order_rate(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Entries per second, minute and day: at most `max_orders_per_s`, `_per_min`, `_per_day`. Exits never wait."""
    if intent.reduces:
        return None
    for sent, limit, period in (
        (view.sent_last_s, limits.max_orders_per_s, "second"),
        (view.sent_last_min, limits.max_orders_per_min, "minute"),
        (view.sent_today, limits.max_orders_per_day, "day"),
    ):
        if limit is None:
            continue
        if sent is None:
            return refusal("order_rate", f"how many entries were sent in the last {period} is not known")
        if not sent < limit:
            text = f"{sent} entries were sent in the last {period}, at most {limit}"
            return Breach(rule="order_rate", value=float(sent), limit=float(limit), allowed=0, text=text)
    return None


def duplicate_order(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """The same strategy, instrument, side and quantity again within `duplicate_window_s` is taken for a mistake."""
    if intent.reduces or limits.duplicate_window_s == 0 or view.is_duplicate is False:
        return None
    text = f"{intent.side} {intent.quantity} {intent.symbol} was sent within {limits.duplicate_window_s:g} s"
    return refusal("duplicate_order", text)


def repeated_execution(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Filled entries in one instrument within `entry_window_s`: at most `max_entries_in_window`."""
    limit, filled = limits.max_entries_in_window, view.entries_in_window
    if intent.reduces or limit is None:
        return None
    if filled is None:
        return refusal("repeated_execution", "how often the instrument was entered is not known")
    if filled < limit:
        return None
    text = f"{filled} entries of {intent.symbol} filled within {limits.entry_window_s:g} s, at most {limit}"
    return Breach(rule="repeated_execution", value=float(filled), limit=float(limit), allowed=0, text=text)


def self_trade(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """No entry against another strategy of ours in the same instrument (`execution.self_trade`)."""
    if intent.reduces or view.is_self_trade is False:
        return None
    return refusal("self_trade", f"another strategy stands on the other side of {intent.symbol}")


def short_allowed(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """With `allow_short = false` an entry may sell no more than what is held and not sold already."""
    if intent.reduces or intent.side is Side.BUY or limits.allow_short:
        return None
    room = max(view.position - view.working_sell, 0)
    return capped(
        "short_allowed",
        intent,
        room,
        value=intent.quantity,
        limit=room,
        text=lambda: (
            f"selling {intent.quantity} of a position of {view.position} would be short, risk.allow_short is false"
        ),
    )
