"""Rules about the price an entry would pay."""

from __future__ import annotations

from risk.breaches import DUST, is_known, is_positive, refusal
from risk.limits import Limits
from risk.view import RiskView
from shared.orders import Breach, OrderIntent, Side


def price_known(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """Entries need a price that is a positive number."""
    if intent.reduces or is_positive(view.price):
        return None
    return refusal("price_known", f"price {view.price} is not known or not a positive number")


def price_stale(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Entries need a price no older than `price_age_max_s`, and none from as far in the future.

    By our clock and by the row that was decided on: a clock that is behind makes no old price young.
    """
    if intent.reduces:
        return None
    if view.price_at is None:
        return refusal("price_stale", "the age of the price is not known")
    limit_s = limits.price_age_max_s
    for at in (view.now, view.row_at or view.now):
        age_s = (at - view.price_at).total_seconds()
        if abs(age_s) <= limit_s:
            continue
        text = f"the price is {age_s:.6g} s old, at most {limit_s:.6g} s"
        return Breach(rule="price_stale", value=age_s, limit=limit_s, allowed=0, text=text)
    return None


def price_unreasonable(intent: OrderIntent, view: RiskView, _: Limits) -> Breach | None:
    """No entry on a print that jumped (`price_jump_pct_max`) and is not confirmed."""
    if intent.reduces or not view.price_is_suspect:
        return None
    return refusal("price_unreasonable", f"price {view.price} is suspect, the last good one is {view.reference_price}")


def price_collar(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """An entry pays no further than `price_collar_pct` from the last good price, on either side."""
    if intent.reduces or not is_positive(view.price):
        return None
    if not is_positive(view.reference_price):
        return refusal("price_collar", f"there is no good price to compare with, {view.reference_price}")
    away_pct = abs(view.price - view.reference_price) / view.reference_price * 100
    if away_pct <= limits.price_collar_pct + DUST:
        return None
    text = (
        f"{view.price:.6g} is {away_pct:.4g} % from the last good price {view.reference_price:.6g}, "
        f"at most {limits.price_collar_pct:.4g} %"
    )
    return Breach(rule="price_collar", value=away_pct, limit=limits.price_collar_pct, allowed=0, text=text)


def quote_sane(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Where quotes are streamed: not crossed, the side that the entry would take is shown, and near the price.

    Near: the middle of the quote is within `price_collar_pct` of the price. Without quotes the bars speak alone.
    """
    if intent.reduces or (view.bid is None and view.ask is None):
        return None
    taken = view.ask if intent.side is Side.BUY else view.bid
    if not is_positive(taken):
        return refusal("quote_sane", f"nobody shows the side to {intent.side}: bid {view.bid}, ask {view.ask}")
    if not (is_positive(view.bid) and is_positive(view.ask)):
        return None
    if view.bid > view.ask:
        return refusal("quote_sane", f"the quote is crossed: bid {view.bid}, ask {view.ask}")
    middle = (view.bid + view.ask) / 2
    if not is_known(view.price) or abs(view.price - middle) / middle * 100 <= limits.price_collar_pct + DUST:
        return None
    text = f"{view.price:.6g} is further than {limits.price_collar_pct:.4g} % from the quote {view.bid} to {view.ask}"
    return refusal("quote_sane", text)
