"""Rules about the whole account with this entry: exposure, groups, value at risk, buying power."""

from __future__ import annotations

from functools import partial

from risk.breaches import capped, is_known, is_positive, refusal, whole_shares
from risk.limits import Limits
from risk.portfolio import Tail, tail_of
from risk.view import RiskView
from shared.orders import Breach, OrderIntent, Side


def gross_exposure_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """The account's worst-case exposure with this entry: at most `max_gross_exposure` times equity."""
    if intent.reduces or not is_positive(view.price) or not is_positive(view.equity) or view.gross_exposure is None:
        return None
    limit = limits.max_gross_exposure * view.equity
    value = view.gross_exposure + intent.quantity * view.price
    room = whole_shares(limit - view.gross_exposure, view.price)
    return capped(
        "gross_exposure_max",
        intent,
        room,
        value=value,
        limit=limit,
        text=lambda: f"gross exposure of up to {value:.2f}, at most {limit:.2f}",
    )


def net_exposure_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Longs minus shorts in the entry's direction, working entries included: at most `max_net_exposure` x equity."""
    if intent.reduces or limits.max_net_exposure is None:
        return None
    net = view.net_long if intent.side is Side.BUY else view.net_short
    return _against_equity("net_exposure_max", intent, view, limits.max_net_exposure, (net, 1.0))


def beta_exposure_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Net exposure weighted by beta: at most `max_beta_exposure` x equity; an instrument without a beta is refused."""
    if intent.reduces or limits.max_beta_exposure is None:
        return None
    if not is_known(view.beta):
        return refusal("beta_exposure_max", f"{intent.symbol} has no beta in risk.groups_file")
    goes_up = (intent.side is Side.BUY) == (view.beta >= 0)
    net = view.beta_long if goes_up else view.beta_short
    return _against_equity("beta_exposure_max", intent, view, limits.max_beta_exposure, (net, abs(view.beta)))


def group_exposure_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Gross exposure of each group the instrument is in: at most `max_group_exposure` x equity; no group is refused."""
    if intent.reduces or limits.max_group_exposure is None:
        return None
    if not view.groups:
        return refusal("group_exposure_max", f"{intent.symbol} is in no group of risk.groups_file")
    against = partial(_against_equity, "group_exposure_max", intent, view, limits.max_group_exposure)
    found = [against((group.gross, 1.0), f" of group {group.name}") for group in view.groups]
    breaches = [breach for breach in found if breach is not None]
    return min(breaches, key=lambda breach: breach.allowed, default=None)


def buying_power_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """Working entries and this one cost at most `max_buying_power_use_pct` of the reported buying power."""
    if intent.reduces or limits.max_buying_power_use_pct is None or not is_positive(view.price):
        return None
    if not is_known(view.buying_power) or not is_known(view.working_notional):
        return refusal("buying_power_max", f"buying power {view.buying_power} is not known")
    limit = view.buying_power * limits.max_buying_power_use_pct / 100
    value = view.working_notional + intent.quantity * view.price
    room = whole_shares(limit - view.working_notional, view.price)
    return capped(
        "buying_power_max",
        intent,
        room,
        value=value,
        limit=limit,
        text=lambda: f"working entries and this one cost {value:.2f}, at most {limit:.2f} of the buying power",
    )


def var_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """One-day value at risk at 99 % with this entry: at most `max_var_pct` of equity."""
    return _tail_rule("var_max", limits.max_var_pct, intent, view)


def cvar_max(intent: OrderIntent, view: RiskView, limits: Limits) -> Breach | None:
    """One-day expected loss beyond the value at risk with this entry: at most `max_cvar_pct` of equity."""
    return _tail_rule("cvar_max", limits.max_cvar_pct, intent, view)


def _tail_rule(rule: str, limit_pct: float | None, intent: OrderIntent, view: RiskView) -> Breach | None:
    """Refuses whole: half of an entry is no half of a risk. One that lowers the risk passes even beyond the limit."""
    if intent.reduces or limit_pct is None or not is_positive(view.price) or not is_positive(view.equity):
        return None
    before, after = tail_of(view.holdings, 0.0), tail_of(view.holdings, _signed(intent, view.price))
    if before is None or after is None:
        return refusal(rule, "there is not enough history of returns to tell the risk")
    was, is_now = _part(rule, before), _part(rule, after)
    limit = view.equity * limit_pct / 100
    if is_now <= limit or is_now < was:
        return None
    text = f"{is_now:.2f} at risk in a day, at most {limit:.2f}"
    if not is_known(is_now):
        return refusal(rule, text)
    return Breach(rule=rule, value=is_now, limit=limit, allowed=0, text=text)


def _part(rule: str, tail: Tail) -> float:
    return tail.var if rule == "var_max" else tail.cvar


def _signed(intent: OrderIntent, price: float) -> float:
    return intent.side.sign * intent.quantity * price


def _against_equity(  # noqa: PLR0917 - the parts of one comparison
    rule: str,
    intent: OrderIntent,
    view: RiskView,
    multiple: float,
    used: tuple[float | None, float],
    whose: str = "",
) -> Breach | None:
    """`used` is what is taken already (currency) and what one currency unit of the entry adds to it."""
    taken, weight = used
    if not is_positive(view.price) or not is_positive(view.equity):
        return None  # price_known and account_known refuse
    if not is_known(taken):
        return refusal(rule, f"the exposure{whose} is not known")
    limit, each = multiple * view.equity, view.price * weight
    value = taken + intent.quantity * each
    room = intent.quantity if each == 0 else whole_shares(limit - taken, each)
    return capped(
        rule,
        intent,
        room,
        value=value,
        limit=limit,
        text=lambda: f"exposure{whose} of up to {value:.2f}, at most {limit:.2f}",
    )
