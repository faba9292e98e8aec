"""The configured numbers of the gate. There are no defaults: what nobody set, nobody has thought about."""

from __future__ import annotations

from msgspec import Struct

from shared.config import RiskConfig


class Limits(Struct, frozen=True, kw_only=True):
    """[risk] of config.toml. Quantities in shares, notionals in currency, `_pct` per hundred.

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

    @classmethod
    def of(cls, section: RiskConfig) -> Limits:
        """The limits of a configuration's [risk] section, which has the same keys."""
        return cls(**section.model_dump())
