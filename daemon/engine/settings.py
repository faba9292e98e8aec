"""What the engine is told once, at its birth."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from risk.limits import Limits

DAY_S = 86_400


class SizingPolicy(Struct, frozen=True, kw_only=True):
    """How a conviction becomes shares: `fraction` of equity, or `fraction` of equity risked per `atr_multiple` ATR."""

    method: Literal["fixed_fraction", "atr"]
    fraction: float
    atr_period: int = 0
    atr_multiple: float = 0.0


class ExitPolicy(Struct, frozen=True, kw_only=True):
    """Distances of stop loss and take profit from the entry price, in percent or in ATR; target 0 = none."""

    method: Literal["percent", "atr"]
    stop: float
    target: float
    atr_period: int = 0


class EngineSettings(Struct, frozen=True, kw_only=True):
    """Everything of config.toml that decides; durations in seconds."""

    interval_s: int
    limits: Limits
    entry: Literal["market", "limit"]
    limit_offset_bps: float
    entry_timeout_s: float
    acknowledge_within_s: float
    entry_after_open_s: float
    entry_before_close_s: float
    flatten_before_close_s: float

    @property
    def is_daily(self) -> bool:
        return self.interval_s >= DAY_S

    @property
    def protect_after_s(self) -> float:
        """How long a lost stop may be explained by a fill still under way before it is put back (wall seconds)."""
        return min(1.0, self.limits.protect_within_s / 2)
