"""The configured numbers of the gate. There are no defaults: what nobody set, nobody has thought about."""

from __future__ import annotations

from msgspec import Struct

from shared.config_sections import RiskConfig


class Limits(Struct, frozen=True, kw_only=True):
    """[risk] of config.toml. Quantities in shares, notionals in currency, `_pct` per hundred; None = openly lifted.

    `max_gross_exposure` is a multiple of equity. `price_jump_pct_max` and `protect_within_s` are no rules
    of the gate: the engine applies one where it judges prints, the other where it watches protection.
    """

    max_order_quantity: int
    max_order_notional: float
    max_position_quantity: int
    max_position_notional: float
    max_gross_exposure: float
    price_collar_pct: float
    price_jump_pct_max: float
    price_age_max_s: float
    protect_within_s: float
    max_net_exposure: float | None
    max_beta_exposure: float | None
    max_group_exposure: float | None
    max_var_pct: float | None
    max_cvar_pct: float | None
    max_buying_power_use_pct: float | None
    max_day_loss: float | None
    max_week_loss: float | None
    max_drawdown_pct: float | None
    max_strategy_day_loss: float | None
    max_instrument_day_loss: float | None
    max_day_slippage: float | None
    max_losses_in_a_row: int | None
    max_rejects_in_a_row: int | None
    max_unknown_orders: int | None
    max_orders_per_s: int | None
    max_orders_per_min: int | None
    max_orders_per_day: int | None
    max_entries_in_window: int | None
    entry_window_s: float
    duplicate_window_s: float
    account_age_max_s: float
    max_account_drift_pct: float | None
    allow_short: bool

    @classmethod
    def of(cls, section: RiskConfig) -> Limits:
        """The limits of a configuration's [risk] section, which has the same keys."""
        return cls(**{name: getattr(section, name) for name in cls.__struct_fields__})
