"""What the nightly run lays down for the next session: wanted targets, limits, and what both were made from."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct

FORMAT_VERSION = 2
LimitValue = bool | int | float | None
"""A limit as [risk] has it; None = openly lifted."""


class PlannedTarget(Struct, frozen=True, kw_only=True):
    """What a strategy wants of an instrument as of the last close, wherever that is not nothing.

    `quantity` is in signed shares at `price` and the equity of the plan; the daemon sizes anew at its own.
    """

    strategy: str
    symbol: str
    conviction: float
    quantity: int
    price: float
    reason: str


class DayPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One plan file. Hashes are SHA-256 in hex (shared/io/fingerprints.py); `account_hash` holds no number.

    `data_hash` is that of the bars' files; of bars from the journal the number and chain of its last event.
    `insider_scores` lie from -1 to 1, of the symbols of which something was known at that close.
    `as_of` is the session at whose close the targets stand, `session` the one they are for. `checksum` covers all else.
    """

    session: date
    as_of: date
    made_at: datetime
    mode: str
    account_hash: str
    config_hash: str
    code_hash: str
    data_hash: str
    equity: float
    targets: tuple[PlannedTarget, ...]
    limits: dict[str, LimitValue]
    insider_scores: dict[str, float] = {}
    format_version: int = FORMAT_VERSION
    checksum: str = ""
