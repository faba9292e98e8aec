"""What the engine is told once, at its birth."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from risk.groups import Groups
from risk.limits import Limits

DAY_S = 86_400


class SizingPolicy(Struct, frozen=True, kw_only=True):
    """How a conviction becomes shares: `fraction` of equity, or `fraction` of equity risked per `atr_multiple` ATR."""

    method: Literal["fixed_fraction", "atr"]
    fraction: float
    atr_period: int = 0
    atr_multiple: float = 0.0


class ExitPolicy(Struct, frozen=True, kw_only=True):
    """Distances of stop loss and take profit from the entry price, in percent or in ATR; target 0 = none.

    `trail` > 0: the stop follows the market at this distance; `max_holding_s` > 0: after so long the plan is closed.
    """

    method: Literal["percent", "atr"]
    stop: float
    target: float
    atr_period: int = 0
    trail: float = 0.0
    max_holding_s: int = 0


class TruthPolicy(Struct, frozen=True, kw_only=True):
    """What is done about positions that are not ours, and in whose days the broker remembers executions.

    `adopted_stop_pct` is the distance of an adopted position's stop per hundred of the price. `gateway_zone` names the
    time zone at whose midnight the gateway forgets executions (TWS.md 3.25).
    """

    foreign: Literal["report", "adopt", "reduce"] = "report"
    adopted_stop_pct: float = 2.0
    gateway_zone: str = "America/New_York"


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
    good_till_slack_s: float
    entries_on_reconnect: Literal["cancel", "keep"]
    targets_on_reconnect: Literal["keep", "cancel"]
    self_trade: Literal["refuse", "allow"]
    truth: TruthPolicy = TruthPolicy()
    groups: Groups = Groups()
    insider_strength: float = 0.0

    @property
    def needs_returns(self) -> bool:
        """Whether a limit asks for the value at risk."""
        return self.limits.max_var_pct is not None or self.limits.max_cvar_pct is not None

    @property
    def is_daily(self) -> bool:
        return self.interval_s >= DAY_S

    @property
    def stop_acknowledge_within_s(self) -> float:
        """How long a protective stop may go unconfirmed: what is left of `protect_within_s` is for putting it right."""
        return min(self.acknowledge_within_s, self.limits.protect_within_s / 2)

    @property
    def protect_after_s(self) -> float:
        """How long a lost stop may be explained by a fill still under way before it is put back (wall seconds)."""
        return min(1.0, self.limits.protect_within_s / 2)

    @property
    def protect_at_last_s(self) -> float:
        """How long at most a lost stop may wait: one sent then is confirmed, or not, within `protect_within_s`."""
        return self.limits.protect_within_s - self.stop_acknowledge_within_s
