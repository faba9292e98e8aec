"""Where in the book a thing is found, and what has changed since it was last found at rest.

All of it follows from the book's plans, orders and targets: it is built from them at first use (so also after a
restore), kept by the book's own verbs, and stands in no snapshot. It holds no quantity: shares are always counted on
the plans and orders themselves. Buckets keep the order in which the book keeps their members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from daemon.engine.plan import Plan
from shared.ids import own_ref
from shared.orders import Fill, Leg, WorkingOrder
from shared.signals import TargetPosition

Pair = tuple[str, str]
"""A strategy and a symbol."""
SETTLEMENT = "SETTLED"
"""How the execId of a settlement fill begins (settlement.py)."""


def is_settlement(fill: Fill) -> bool:
    """Whether this is our conclusion and not the broker's word."""
    return fill.exec_id.startswith(f"{SETTLEMENT}.")


class BookIndex:
    """Live orders by plan and by symbol; plans by strategy and symbol, and by symbol.

    `numbers` and `target_numbers` rise in the order of the book's dictionaries. The marks:

    unsettled   plans whose protection must be looked at after the next event
    untidy      plans whose legs must be looked at with the next row
    maybe_over  plans that may be flat and without orders
    to_reduce   pairs that may hold more than is wanted
    to_enter    pairs that may hold less

    `settlements` are the keys of fills that are conclusions of our own. `closed` has the orders that are over by the
    session of their references, `filled` the stems of executions by their day: both may name what the book has
    forgotten, or since moved to another day. `retired_epoch` rises when the plans that are
    over have changed otherwise than by a new one behind the others.
    """

    def __init__(
        self,
        plans: Mapping[str, Plan],
        orders: Mapping[str, WorkingOrder],
        targets: Mapping[str, Mapping[str, TargetPosition]],
        fills: Mapping[str, Fill],
    ) -> None:
        self.legs: dict[str, tuple[WorkingOrder, ...]] = {}
        self.orders_in: dict[str, dict[str, WorkingOrder]] = {}
        self.entries: dict[str, WorkingOrder] = {}
        self.plans_of: dict[Pair, dict[str, Plan]] = {}
        self.plans_in: dict[str, dict[str, Plan]] = {}
        self.numbers: dict[str, int] = {}
        self.target_numbers: dict[Pair, int] = {}
        self.unsettled: dict[str, None] = {}
        self.untidy: dict[str, None] = {}
        self.maybe_over: dict[str, None] = {}
        self.to_reduce: dict[Pair, None] = {}
        self.to_enter: dict[Pair, None] = {}
        self.settlements: dict[str, None] = {}
        self.closed: dict[str, dict[str, None]] = {}
        self.filled: dict[date, dict[str, None]] = {}
        self.retired_epoch = 0
        self._last_number = 0
        for plan in plans.values():
            self.add_plan(plan)
        for working in orders.values():
            self.add_order(working, plans[working.plan])
        for strategy, wanted in targets.items():
            for symbol in wanted:
                self.aim((strategy, symbol))
        for stem, fill in fills.items():
            self.note_fill(stem, fill)

    # --- members ------------------------------------------------------------------------------------------------

    def add_plan(self, plan: Plan) -> None:
        """A plan that now stands last in the book."""
        key = plan.plan_id
        self._last_number += 1
        self.numbers[key] = self._last_number
        self.plans_of.setdefault((plan.strategy, plan.symbol), {})[key] = plan
        self.plans_in.setdefault(plan.symbol, {})[key] = plan
        self.touch(plan)

    def drop_plan(self, plan: Plan) -> None:
        """A plan that the book has put away; it has no live order."""
        key = plan.plan_id
        del self.numbers[key]
        del self.plans_of[plan.strategy, plan.symbol][key]
        del self.plans_in[plan.symbol][key]
        for marks in (self.unsettled, self.untidy, self.maybe_over):
            marks.pop(key, None)

    def add_order(self, working: WorkingOrder, plan: Plan) -> None:
        """A live order, now or again; a plan's legs stand in the order of its references."""
        ref, legs = working.order.ref, self.legs.get(working.plan, ())
        here = self.orders_in.setdefault(working.order.symbol, {})
        if ref in here:
            legs = tuple([leg for leg in legs if leg.order.ref != ref])
        legs = (*legs, working)
        if plan.refs[-1] != ref:
            legs = tuple(sorted(legs, key=lambda leg: plan.refs.index(leg.order.ref)))
        self.legs[working.plan] = legs
        here[ref] = working
        if working.leg is Leg.ENTRY:
            self.entries[ref] = working
        self.touch(plan)

    def drop_order(self, working: WorkingOrder) -> None:
        """An order that has ended."""
        ref = working.order.ref
        legs = self.legs[working.plan]
        if len(legs) > 1:
            self.legs[working.plan] = tuple([leg for leg in legs if leg.order.ref != ref])
        else:
            del self.legs[working.plan]
        del self.orders_in[working.order.symbol][ref]
        self.entries.pop(ref, None)

    def note_closed(self, ref: str) -> None:
        """An order that is over."""
        self.closed.setdefault(own_ref(ref).session, {})[ref] = None

    def closed_before(self, session: str) -> list[str]:
        """References of sessions (YYYYMMDD) before this one; they are not named again."""
        days = [day for day in self.closed if day < session]
        return [ref for day in days for ref in self.closed.pop(day)]

    def note_fill(self, stem: str, fill: Fill) -> None:
        """An execution that is booked: when was it, and is it a conclusion of our own?"""
        self.filled.setdefault(fill.filled_at.date(), {})[stem] = None
        if is_settlement(fill):
            self.settlements[stem] = None

    def filled_before(self, day: date) -> list[str]:
        """Stems of the executions of earlier days (UTC); they are not named again."""
        days = [each for each in self.filled if each < day]
        return [stem for each in days for stem in self.filled.pop(each)]

    def keep_fills(self, fills: Mapping[str, Fill]) -> None:
        """The book has forgotten all executions but these."""
        if self.settlements:
            self.settlements = {stem: None for stem in self.settlements if stem in fills}

    # --- marks --------------------------------------------------------------------------------------------------

    def touch(self, plan: Plan) -> None:
        """The plan, or one of its orders, is not what it was."""
        key = plan.plan_id
        self.unsettled[key] = self.untidy[key] = self.maybe_over[key] = None
        pair = (plan.strategy, plan.symbol)
        self.to_reduce[pair] = self.to_enter[pair] = None

    def aim(self, pair: Pair) -> None:
        """What is wanted of the pair may be something else now."""
        if pair not in self.target_numbers:
            self.target_numbers[pair] = len(self.target_numbers)
        self.to_reduce[pair] = self.to_enter[pair] = None

    def note_look(self, plan: Plan, *, is_at_rest: bool, tidy: bool) -> None:
        """The plan was looked at: at rest it is left alone until it is touched; `tidy` = by a row."""
        key = plan.plan_id
        if not is_at_rest:
            self.unsettled[key] = self.untidy[key] = None
            return
        self.unsettled.pop(key, None)
        if tidy:
            self.untidy.pop(key, None)

    def in_order(self, keys: Iterable[str]) -> list[str]:
        """Plan ids in the order of the book's plans."""
        return sorted(keys, key=self.numbers.__getitem__)
