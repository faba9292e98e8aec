"""The limits of a day: each lifted, as shipped, or so tight that it is reached, and never against one another."""

from __future__ import annotations

from random import Random
from typing import Any

from shared.config_limit_rules import AT_MOST
from tests.fakes.limits import LIFTED, PERSON
from tests.simulation.weather.chances import weighted

SHIPPED: dict[str, Any] = {
    "max_net_exposure": 1.0,
    "max_buying_power_use_pct": 90.0,
    "max_day_loss": 20_000.0,
    "max_week_loss": 50_000.0,
    "max_drawdown_pct": 10.0,
    "max_strategy_day_loss": 10_000.0,
    "max_instrument_day_loss": 5_000.0,
    "max_day_slippage": 5_000.0,
    "max_losses_in_a_row": 40,
    "max_rejects_in_a_row": 5,
    "max_unknown_orders": 3,
    "max_orders_per_s": 20,
    "max_orders_per_min": 200,
    "max_orders_per_day": 5_000,
    "max_entries_in_window": 12,
    "duplicate_window_s": 5.0,
    "account_age_max_s": 600.0,
    "max_account_drift_pct": 1.0,
}
TIGHT: dict[str, tuple[Any, ...]] = {
    "max_net_exposure": (0.1, 0.3),
    "max_buying_power_use_pct": (10.0, 30.0),
    "max_day_loss": (300.0, 1_000.0, 3_000.0),
    "max_week_loss": (3_000.0, 5_000.0),
    "max_drawdown_pct": (0.2, 1.0),
    "max_strategy_day_loss": (200.0, 1_000.0),
    "max_instrument_day_loss": (200.0, 1_000.0),
    "max_day_slippage": (100.0, 500.0),
    "max_losses_in_a_row": (2, 4),
    "max_rejects_in_a_row": (1, 2),
    "max_unknown_orders": (1,),
    "max_orders_per_s": (1, 2),
    "max_orders_per_min": (2, 5),
    "max_orders_per_day": (10, 30),
    "max_entries_in_window": (2, 4),
    "duplicate_window_s": (60.0,),
    "account_age_max_s": (240.0,),
    "max_account_drift_pct": (0.2,),
}
PROFILES: dict[str, dict[str, float]] = {
    "lifted": {"lifted": 1.0},
    "shipped": {"shipped": 1.0},
    "mixed": {"lifted": 0.5, "shipped": 0.44, "tight": 0.06},
    "tight": {"lifted": 0.4, "shipped": 0.35, "tight": 0.25},
}
DAYS = {"lifted": 0.3, "shipped": 0.3, "mixed": 0.3, "tight": 0.1}
"""Tight days are few: what has latched trades no more, and then little can go wrong."""


def drawn_limits(chance: Random, bar_s: int) -> dict[str, Any]:
    """The section [risk]; prices may be as old as the rows make them."""
    profile = PROFILES[weighted(chance, DAYS)]
    limits = {name: _limit(chance, name, weighted(chance, profile)) for name in SHIPPED}
    quantity = chance.choice((500, 2_000, 10_000))
    notional = chance.choice((100_000.0, 250_000.0, 1_000_000.0))
    return {
        "max_order_quantity": quantity,
        "max_order_notional": notional,
        "max_position_quantity": quantity * chance.choice((1, 2)),
        "max_position_notional": notional * chance.choice((1, 2)),
        "max_gross_exposure": 1.0,
        "price_collar_pct": chance.choice((1.0, 3.0, 10.0)),
        "price_jump_pct_max": chance.choice((2.0, 10.0, 20.0)),
        "price_age_max_s": max(60.0, 2.5 * bar_s),
        "protect_within_s": chance.choice((2.0, 5.0)),
        **LIFTED,
        **_fitted(limits),
        "entry_window_s": 600.0,
        "allow_short": chance.random() < 0.9,
        **PERSON,
    }


def _limit(chance: Random, name: str, how: str) -> Any:
    match how:
        case "lifted":
            return LIFTED[name]
        case "shipped":
            return SHIPPED[name]
        case _:
            return chance.choice(TIGHT[name])


def _fitted(limits: dict[str, Any]) -> dict[str, Any]:
    """What is part of something is at most as much; twice, because a part may have parts of its own."""
    fitted = dict(limits)
    for part, whole in (*AT_MOST, *AT_MOST):
        least = fitted.get(whole)
        if fitted.get(part) is not None and least is not None:
            fitted[part] = min(fitted[part], least)
    return fitted
