"""Safeguards of what is held: a stop behind every share, never more, and closing what cannot have one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from tests.simulation.safeguards.safeguard import Part, Safeguard, equal_to, returning


def _of_no_group(ib_order_of: Any) -> Any:
    """Orders leave without an OCA group: nothing at the broker ties stop, target and exit of a plan together."""

    def instead(*args: Any, **kwargs: Any) -> Any:
        ib_order = ib_order_of(*args, **kwargs)
        ib_order.ocaGroup, ib_order.ocaType = "", 0
        return ib_order

    return instead


def _everything_held(_believable: Any) -> Any:
    """Shares that the broker denies are protected and closed all the same."""
    return lambda _self, plan: plan.open_quantity


def _unchecked(_send: Any) -> Any:
    """An order is noted without asking whether its plan has room for it."""

    def instead(book: Any, order: Any, at: datetime) -> None:
        book.enter_order(order, at)

    return instead


def _until_the_close(stop_order: Any) -> Any:
    """Stops are good for the day only."""
    return lambda *args: replace(stop_order(*args), tif="DAY")


def _answerless(_note_refusal: Any) -> Any:
    """A protective order that came to nothing leaves no trace in its plan."""

    def instead(_self: Any, _working: Any, _now: datetime) -> list[Any]:
        return []

    return instead


_PROTECTOR = "daemon.engine.protection:Protector"
PROTECTION = (
    Safeguard(
        name="bare_shares_get_a_stop",
        guards="shares without a resting stop get one within seconds",
        breaks=("I1",),
        parts=(Part(f"{_PROTECTOR}._cover", returning([])),),
    ),
    Safeguard(
        name="unprotectable_is_closed",
        guards="what no stop can be placed for is closed and told",
        breaks=("I1",),
        parts=(Part("daemon.engine.closing:Closer.close_unprotectable", returning([])),),
    ),
    Safeguard(
        name="doubtful_stops_are_told",
        guards="a stop that nobody confirms is an alarm within its time",
        breaks=("I1", "I18"),
        parts=(Part("daemon.engine.doubts:Doubts.watch_stop", returning([])),),
    ),
    Safeguard(
        name="bare_entries_are_pulled",
        guards="an entry whose stop is gone is pulled before it fills",
        breaks=("I1",),
        parts=(Part(f"{_PROTECTOR}._pull_bare_entry", returning([])),),
    ),
    Safeguard(
        name="legs_shrink",
        guards="once the entry is over no protective leg is larger than the position",
        breaks=("I2",),
        parts=(Part(f"{_PROTECTOR}._shrink", returning([])),),
    ),
    Safeguard(
        name="legs_end_with_the_plan",
        guards="a plan that is flat keeps no order at the broker",
        breaks=("I2",),
        parts=(Part(f"{_PROTECTOR}._clear", returning([])),),
    ),
    Safeguard(
        name="oca_group",
        guards="stop, target and exit of a plan shrink each other at the broker",
        breaks=("I2", "I3"),
        parts=(Part("brokers.ib.orders:ib_order_of", _of_no_group),),
    ),
    Safeguard(
        name="oca_overfill_protection",
        guards="only one order of a group is at an exchange at a time (OCA type 2)",
        breaks=("I2",),
        parts=(Part("brokers.ib.orders:OCA_REDUCE_WITH_BLOCK", equal_to(3)),),
    ),
    Safeguard(
        name="overfills_are_given_back",
        guards="what exits sold beyond the position is bought back",
        breaks=("I2", "I1", "I5"),
        parts=(Part(f"{_PROTECTOR}._give_back", returning([])),),
    ),
    Safeguard(
        name="exits_count_once",
        guards="an exit on its way closes its shares, no second one is sent for them (the Knight rule)",
        breaks=("I8", "I2"),
        parts=(
            Part("daemon.engine.book:Book.exits_working", returning(0)),
            Part("daemon.engine.closing:send", _unchecked),
        ),
    ),
    Safeguard(
        name="denied_shares_are_not_sold",
        guards="what the broker says it does not hold is neither protected nor sold",
        breaks=("I2", "I19"),
        parts=(Part("daemon.engine.plan_shares:PlanShares.believable", _everything_held),),
    ),
    Safeguard(
        name="splits_wait_for_a_person",
        guards="after a split no order until a person has confirmed it",
        breaks=("I19",),
        parts=(
            Part("daemon.engine.position_breaks:ratio_shown", returning(value=None)),
            Part("daemon.engine.plan_shares:PlanShares.believable", _everything_held),
        ),
    ),
    Safeguard(
        name="stops_outlive_the_day",
        guards="protective orders are good till cancelled",
        breaks=("I1",),
        parts=(Part("daemon.engine.planning:stop_order", _until_the_close),),
    ),
    Safeguard(
        name="refused_stops_are_counted",
        guards="a stop that is refused again and again leads to closing, not to trying for ever",
        breaks=("I1", "I18"),
        parts=(Part(f"{_PROTECTOR}.note_failure", _answerless),),
    ),
)
