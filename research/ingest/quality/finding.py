"""The kinds of finding. Wrong is what cannot be so; doubtful is what can, and what a user should know of."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from shared.io.bar_part import shown

Severity = Literal["wrong", "doubtful"]
Repair = Literal["left out", "kept once", "sorted", "widened", "refused", "kept"]


class Kind(Struct, frozen=True):
    """A way for data to be bad: how bad, what a repair does, and what it means."""

    severity: Severity
    repair: Repair
    meaning: str


KINDS: dict[str, Kind] = {
    "missing_value": Kind("wrong", "left out", "a time, price or volume is empty or no number"),
    "not_positive": Kind("wrong", "left out", "a price is 0 or less"),
    "negative_volume": Kind("wrong", "left out", "volume is below 0"),
    "decreasing_time": Kind("wrong", "sorted", "a bar stands before an earlier one of its symbol"),
    "duplicate_time": Kind("wrong", "kept once", "the same bar of a symbol twice, value for value"),
    "conflicting_time": Kind("wrong", "refused", "two different bars of a symbol at one time"),
    "outside_range": Kind("wrong", "widened", "open or close outside low to high; high and low are widened"),
    "bad_print": Kind("wrong", "left out", "a price far from those before and after it, or on two scales in one bar"),
    "split_without_action": Kind("wrong", "refused", "prices jump by a split's ratio and no action says so"),
    "action_without_split": Kind("wrong", "refused", "an action that prices do not show: adjusted mixed with raw"),
    "volume_in_lots": Kind("wrong", "refused", "volume changes about a hundredfold for good: lots against shares"),
    "crossed_quote": Kind("wrong", "left out", "bid above ask"),
    "not_a_session": Kind("wrong", "left out", "a bar while the exchange was closed all day"),
    "missing_quote": Kind("doubtful", "left out", "a side of the quote is empty"),
    "missing_session": Kind("doubtful", "kept", "no bar in a session between the first and the last"),
    "missing_bars": Kind("doubtful", "kept", "fewer bars than a session has; vendors leave out what did not print"),
    "ticker_reuse": Kind("doubtful", "kept", "a long silence, and then another price: perhaps another company"),
    "jump": Kind("doubtful", "kept", "a move beyond the limits that stays, unlike any split"),
    "far_wick": Kind("doubtful", "kept", "high or low far from every other price around; a stop would have filled"),
    "stale_run": Kind("doubtful", "kept", "the same bar again and again"),
    "zero_volume": Kind("doubtful", "kept", "a bar in which nothing traded"),
    "sources_differ": Kind("doubtful", "kept", "another source has another close"),
    "sources_scaled": Kind(
        "wrong", "refused", "another source's prices or volumes are a multiple: units or adjustment"
    ),
}


class Finding(Struct, frozen=True, kw_only=True):
    """One of them, or a run: `at` starts the first bar (ns UTC), `row` is its place in the file from 1, 0 for none."""

    kind: str
    symbol: str
    at: int
    detail: str
    row: int = 0
    count: int = 1

    @property
    def is_wrong(self) -> bool:
        return KINDS[self.kind].severity == "wrong"

    @property
    def line(self) -> str:
        place = f"row {self.row}: " if self.row else ""
        return f"{self.symbol} {shown(self.at)}: {place}{self.kind}: {self.detail}"


class Limits(Struct, frozen=True, kw_only=True):
    """From where on something is found: section [data] of the configuration (docs/data.md)."""

    bad_print_z: float = 30.0
    bad_print_pct: float = 25.0
    stale_bars: int = 10
    sources_differ_pct: float = 0.5
    calendar: str = "XNYS"
