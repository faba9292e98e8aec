"""What the automatic limits are measured from."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field


class WatchState(Struct, kw_only=True):
    """What the limits are measured from. Mutable, owned by the book; money in currency.

    `base` is what each plan had earned when the session began; `samples` how often in a row a rule was seen broken;
    `values` what it read last; `excused` what it read when a person reset it, or less since: the limit counts from
    there. `told_at`: which account values were looked at last.
    """

    high_water: float | None = None
    told_at: datetime | None = None
    equities: list[float] = field(default_factory=list)
    week: str = ""
    week_start_equity: float | None = None
    base: dict[str, float] = field(default_factory=dict)
    counted: list[str] = field(default_factory=list)
    losses_in_a_row: dict[str, int] = field(default_factory=dict)
    rejects_in_a_row: int = 0
    slippage: float = 0.0
    decided: dict[str, float] = field(default_factory=dict)
    samples: dict[str, int] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    excused: dict[str, float] = field(default_factory=dict)
