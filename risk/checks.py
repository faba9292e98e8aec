"""One function per rule, `(intent, view, limits) -> Breach | None`; docs/risk.md describes each.

Rules for entries pass over intents that reduce: getting out must not fail for want of a price, a
reconciliation or a limit. A rule whose input is missing refuses, or leaves it to the rule that is there to
refuse (`price_known` and `account_known`); the gate runs all of them.
"""

from __future__ import annotations

from risk import behaviour, exposures, prices, sizes, standing
from risk.breaches import Rule

RULES: dict[str, Rule] = {
    "trading_state": standing.trading_state,
    "reduce_only": standing.reduce_only,
    "reconciled": standing.reconciled,
    "unknown_orders": standing.unknown_orders,
    "instrument_lock": standing.instrument_lock,
    "account_known": standing.account_known,
    "account_stale": standing.account_stale,
    "loss_known": standing.loss_known,
    "session_window": standing.session_window,
    "quiet_window": standing.quiet_window,
    "halted": standing.halted,
    "data_quality": standing.data_quality,
    "price_known": prices.price_known,
    "price_stale": prices.price_stale,
    "price_unreasonable": prices.price_unreasonable,
    "quote_sane": prices.quote_sane,
    "price_collar": prices.price_collar,
    "order_rate": behaviour.order_rate,
    "duplicate_order": behaviour.duplicate_order,
    "repeated_execution": behaviour.repeated_execution,
    "self_trade": behaviour.self_trade,
    "short_allowed": behaviour.short_allowed,
    "order_quantity_max": sizes.order_quantity_max,
    "order_notional_max": sizes.order_notional_max,
    "position_quantity_max": sizes.position_quantity_max,
    "position_notional_max": sizes.position_notional_max,
    "gross_exposure_max": exposures.gross_exposure_max,
    "net_exposure_max": exposures.net_exposure_max,
    "beta_exposure_max": exposures.beta_exposure_max,
    "group_exposure_max": exposures.group_exposure_max,
    "buying_power_max": exposures.buying_power_max,
    "var_max": exposures.var_max,
    "cvar_max": exposures.cvar_max,
}

EXIT_RULES = ("trading_state", "reduce_only", "order_quantity_max")
"""Those that have a say in an intent that reduces; all others pass over it, whatever the view."""
