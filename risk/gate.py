"""All rules on one intent. There is no way around it and no switch in it; what is not known is refused."""

from __future__ import annotations

from risk.checks import EXIT_RULES, RULES
from risk.limits import Limits
from risk.view import RiskView
from shared.orders import OrderIntent, RiskVerdict

__all__ = ["RiskView", "judge"]


def judge(intent: OrderIntent, view: RiskView, limits: Limits) -> RiskVerdict:
    """The verdict on `intent`: every breach in the order of RULES, and the quantity that all rules pass."""
    rules = [RULES[name] for name in EXIT_RULES if name in RULES] if intent.reduces else RULES.values()
    breaches, approved = [], intent.quantity
    for rule in rules:
        breach = rule(intent, view, limits)
        if breach is not None:
            breaches.append(breach)
            approved = min(approved, breach.allowed)
    return RiskVerdict(approved_quantity=max(approved, 0), breaches=tuple(breaches))
