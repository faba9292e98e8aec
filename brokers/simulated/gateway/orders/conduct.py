"""How the broker behaves: the switches that a fault sets and clears. All at rest, it behaves as documented."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from brokers.simulated.gateway.orders.refusals import Refusal

HOUR_S = 3600.0


class Conduct(Struct, kw_only=True):
    """Mutable; each field is read at the moment in which it matters. Delays are market seconds."""

    status_order: Literal["natural", "status_first", "exec_only", "late"] = "natural"
    """When the status of a fill is told: after its execution, before it, never, or after `status_delay_s`."""
    status_delay_s: float = 30.0
    duplicates: frozenset[str] = frozenset()
    """Names of messages that are sent twice: openOrder, orderStatus, execDetails, commissionReport."""
    reject_next: list[Refusal] = field(default_factory=list)
    """Answers to the next new orders, one each. With `is_rejection` an Inactive order stays behind."""
    hold_next: int = 0
    """So many new orders stay PendingSubmit without a word (a preset or a precaution, fault 39)."""
    notices: tuple[tuple[int, str], ...] = ()
    """Warnings (code, text) told about every new order after its first status: 399, 404, 2109, 10311."""
    preset_tif_warning: bool = False
    """10349 with every new order: informational, the order is live."""
    commission: Literal["normal", "before", "late", "never"] = "normal"
    commission_delay_s: float = HOUR_S
    cancel: Literal["normal", "slow", "never", "161", "135", "fill_first"] = "normal"
    """slow: PendingCancel, and Cancelled after `cancel_delay_s`; never: PendingCancel for ever; 161 and 135: an
    error, the order lives on; fill_first: an execution of the rest comes first, then 10148."""
    cancel_delay_s: float = 5.0
    what_if: Literal["normal", "sentinels", "both", "silent"] = "normal"
    modify_refusal: Literal[104, 105, 110, 135, 329] | None = None
    """Every change is refused with this code; the order works on as it was."""
    modify_forks: bool = False
    """A change leaves the old order live and makes a second one with a permId of its own (TWS.md 3.7)."""
    lose_leg: Literal["", "parent", "limit", "stop"] = ""
    """The next bracket leg of this kind gets 110 and does not exist (TWS.md 3.11, fault 28)."""
