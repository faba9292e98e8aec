"""The limits that most tests are not about, lifted; as keys of [risk] and as fields of Limits."""

from typing import Any

LIFTED: dict[str, Any] = {
    "max_net_exposure": None,
    "max_beta_exposure": None,
    "max_group_exposure": None,
    "max_var_pct": None,
    "max_cvar_pct": None,
    "max_buying_power_use_pct": None,
    "max_day_loss": None,
    "max_week_loss": None,
    "max_drawdown_pct": None,
    "max_strategy_day_loss": None,
    "max_instrument_day_loss": None,
    "max_day_slippage": None,
    "max_losses_in_a_row": None,
    "max_rejects_in_a_row": None,
    "max_unknown_orders": None,
    "max_orders_per_s": None,
    "max_orders_per_min": None,
    "max_orders_per_day": None,
    "max_entries_in_window": None,
    "entry_window_s": 600.0,
    "duplicate_window_s": 0.0,
    "account_age_max_s": 86_400.0,
    "max_account_drift_pct": None,
    "allow_short": True,
}
PERSON = {"owner": "a test", "reviewed_on": "2026-11-21", "reason": "to be tested"}


def as_toml() -> str:
    """The same as lines of [risk]."""
    words: dict[Any, str] = {None: '"none"', True: "true"}
    lines = [f"{key} = {words.get(value, value)}" for key, value in LIFTED.items()]
    return "\n".join([*lines, *(f'{key} = "{value}"' for key, value in PERSON.items())])
