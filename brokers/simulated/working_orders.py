"""Our resting orders and the rules that tie them together: transmission, brackets, OCA, end of day. PURE.

What stands here is the same whether the market arrives as quotes and trades (`matching.py`) or as bars
(`bar_fills.py`); what fills an order, and at which price, stands there.

The rules, with their source (TWS.md 3 = the observed behaviour of TWS; "choice" = undocumented, decided
here):

- An order with `transmit=False` is invisible until a member of its family (root parent and all descendants)
  arrives, or is modified, with `transmit=True`; then the whole family becomes visible at once, parent first
  (3.3).
- A child waits as PreSubmitted/`child` until the first fill of its parent; then a limit becomes Submitted and
  a stop stays PreSubmitted/`trigger` (3.4). A child without an OCA group of its own joins one named after its
  parent (3.4).
- The children of one parent, together, never fill more than the parent has filled (choice; TWS does not
  document it).
- Cancelling a parent without a fill cancels its children (3.5). Cancelling a partly filled parent leaves the
  children, reduced to what is still open (choice).
- OCA type 1 cancels the siblings on the first fill; types 2 and 3 reduce them by the filled quantity and
  cancel at zero. Orders are filled one after the other here, so even type 3 cannot overfill: that fault is
  injected by the gateway, not born here (choice).
- When the children have closed what a finished parent opened, the remaining children are cancelled (choice;
  TWS gets there by the OCA).
- At the end of the session every order that is not GTC or GTD is cancelled. A GTD order ends at its instant, a
  good-after order works from its instant on.

An order whose `Filled` outcome was reported has its new status in the order itself; no `StatusChanged` is
added for a fill.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TypedDict, Unpack

from brokers.simulated.sim_order import (
    DONE,
    DUST,
    LASTING,
    TRIGGERED,
    Cancelled,
    Filled,
    Outcome,
    Reduced,
    SimOrder,
    Status,
    StatusChanged,
    check,
    is_price,
)
from brokers.simulated.trailing import place_limit

OCA_CANCEL = 1  # the only type that cancels; 2 and 3 reduce
PRICES = ("limit_price", "stop_price", "trail_amount", "trail_percent")


class Terms(TypedDict, total=False):
    """What a modify may change; a term that is missing or None stays as it is."""

    quantity: float | None
    limit_price: float | None
    stop_price: float | None
    trail_amount: float | None
    trail_percent: float | None
    limit_offset: float | None


class WorkingOrders:
    """The orders of one account. Every verb answers with what happened, in the order in which it happened."""

    def __init__(self) -> None:
        self._orders: dict[int, SimOrder] = {}
        self._working: dict[int, SimOrder] = {}
        self._timed: dict[int, SimOrder] = {}
        self._by_instrument: dict[int, dict[int, SimOrder]] = {}
        self._children: dict[int, list[SimOrder]] = {}
        self._groups: dict[str, list[SimOrder]] = {}
        self._market_open = False
        self._now = -math.inf

    def order(self, key: int) -> SimOrder:
        """Any order ever submitted, done or not. Raises KeyError for a key never seen."""
        return self._orders[key]

    def group_is_filled(self, oca_group: str) -> bool:
        """Tell whether the OCA group has done its work: a member filled, and none of them lives any more."""
        members = self._groups.get(oca_group, [])
        return all(order.done for order in members) and any(order.filled > DUST for order in members)

    def working(self) -> Iterator[SimOrder]:
        """Every visible order that is not done, oldest first.

        A changed price or a larger quantity makes an order young again.
        """
        return iter(tuple(self._working.values()))

    def working_in(self, instruments: Iterable[int]) -> list[SimOrder]:
        """The visible orders of these instruments that are not done."""
        here, orders = self._by_instrument, list[SimOrder]()
        for instrument in instruments:
            if instrument in here:
                orders += here[instrument].values()
        return orders

    def submit(self, order: SimOrder, *, market_open: bool) -> list[Outcome]:
        """Take an order into the book.

        Raises ValueError (used key, no quantity, bad price) or KeyError (unknown parent).
        """
        check(order)
        if order.limit_offset is not None:
            place_limit(order)
        if order.key in self._orders:
            raise ValueError(f"order {order.key}: this key is already used")
        if order.parent_key is not None:
            if order.parent_key not in self._orders:
                raise KeyError(order.parent_key)
            self._children.setdefault(order.parent_key, []).append(order)
            order.oca_group = order.oca_group or str(order.parent_key)
        if order.oca_group:
            self._groups.setdefault(order.oca_group, []).append(order)
        self._orders[order.key] = order
        self._market_open = market_open
        return self._transmit_family(order) if order.transmit else []

    def modify(self, key: int, *, transmit: bool | None = None, **terms: Unpack[Terms]) -> list[Outcome]:
        """Change what is given, keep the rest. Raises KeyError for a key never seen.

        A refused change (see `modify_refusal`) returns [] and leaves the order exactly as it was; so does a
        change to an order that is not transmitted yet, which is taken over silently.
        """
        order = self._orders[key]
        if self.modify_refusal(key, **terms):
            return []
        given = {name: value for name, value in terms.items() if value is not None}
        loses_its_place = any(
            value > order.quantity if name == "quantity" else value != getattr(order, name)  # type: ignore[operator]
            for name, value in given.items()
        )
        for name, value in given.items():
            setattr(order, name, value)
        if "trail_percent" in given and "trail_amount" not in given:
            order.trail_amount = None
        if "limit_offset" in given or "stop_price" in given:
            place_limit(order)
        if key not in self._working:
            return self._transmit_family(order) if transmit else []
        if loses_its_place:
            self._leave(order)
            self._enter(order)
        return [StatusChanged(key, order.status, order.why_held)]

    def modify_refusal(self, key: int, **terms: Unpack[Terms]) -> str:
        """Why `modify` would refuse these values, empty if it would not. KeyError for a key never seen."""
        order = self._orders[key]
        if order.done:
            return f"order {key} is {order.status}"
        quantity = terms.get("quantity")
        if quantity is not None and not (math.isfinite(quantity) and quantity > order.filled):
            return f"order {key}: quantity {quantity} is not above the filled {order.filled}"
        for name, price in terms.items():
            if name in PRICES and price is not None and not is_price(price):  # type: ignore[arg-type]
                return f"order {key}: {name} {price} is not a positive number"
        return ""

    def cancel(self, key: int, reason: str = "") -> list[Outcome]:
        """Cancel an order and, by the family rule, its children.

        [] when it is done already; KeyError for a key never seen.
        """
        return self._cancel(self._orders[key], reason)

    def force_fill(self, key: int, quantity: float, price: float, *, tells_group: bool = False) -> list[Outcome]:
        """Give a fill that the rules would not have given; unless its OCA group is told, both legs can fill.

        For a working order, at most its remainder; raises ValueError otherwise. Its children follow.
        """
        order = self._orders[key]
        if order.key not in self._working or not 0 < quantity <= order.remaining + DUST:
            raise ValueError(
                f"order {key}: {quantity} of {order.remaining} shares cannot be filled, it is {order.status}"
            )
        return self._fill(order, quantity, price, tells_group=tells_group)

    def on_time(self, at: float) -> list[Outcome]:
        """Market time is `at` (epoch seconds, never back): GTD orders end, good-after orders begin."""
        assert at >= self._now, f"time runs back from {self._now} to {at}"
        before, self._now = self._now, at
        outcomes: list[Outcome] = []
        for order in tuple(self._timed.values()):
            if order.tif == "GTD" and order.good_till is not None and order.good_till <= at:
                outcomes += self._cancel(order, "good till date has passed")
            elif not order.done and order.good_after is not None and before < order.good_after <= at:
                outcomes.append(self._settle(order))
        return outcomes

    def on_close(self, *, reason: str = "end of session") -> list[Outcome]:
        """The session ends: what is neither GTC nor GTD goes, families by the parent rule."""
        self._market_open = False
        outcomes: list[Outcome] = []
        for order in tuple(self._working.values()):
            if order.tif not in LASTING:
                outcomes += self._cancel(order, reason)
        return outcomes

    def live_quantity(self, order: SimOrder) -> float:
        """How much of the order may fill now: its remainder, for a child at most what its parent has open."""
        if order.key not in self._working or order.status in DONE:
            return 0.0
        if order.parent_key is None:
            return order.remaining
        return max(0.0, min(order.remaining, self._open_quantity(order)))

    def _open_quantity(self, child: SimOrder) -> float:
        """What the parent has filled, minus what its children on this side have closed."""
        assert child.parent_key is not None
        side, instrument, closed = child.side, child.instrument, 0.0
        for sister in self._children[child.parent_key]:
            if sister.side == side and sister.instrument == instrument:
                closed += sister.filled
        return self._orders[child.parent_key].filled - closed

    # ---- becoming visible

    def _transmit_family(self, order: SimOrder) -> list[Outcome]:
        if order.parent_key is None and order.key not in self._children:  # a family of one
            return [] if order.done or order.key in self._working else self._activate(order)
        root = order
        while root.parent_key is not None:
            root = self._orders[root.parent_key]
        outcomes: list[Outcome] = []
        waiting = [root]
        while waiting:
            member = waiting.pop()
            if member.key not in self._working and member.status not in DONE:
                outcomes += self._activate(member)
            waiting += reversed(self._children.get(member.key, ()))
        return outcomes

    def _activate(self, order: SimOrder) -> list[Outcome]:
        order.transmit = True
        parent = None if order.parent_key is None else self._orders[order.parent_key]
        if parent is not None and parent.filled <= 0 and parent.status in DONE:
            return self._cancel(order, "the parent order is not working")
        self._enter(order)
        outcomes: list[Outcome] = [self._settle(order)]
        if parent is not None and parent.status in DONE:
            outcomes += self._fit_to_parent(order)
        return outcomes

    def _settle(self, order: SimOrder) -> StatusChanged:
        """Give an unfilled order the status its situation calls for."""
        parent = None if order.parent_key is None else self._orders[order.parent_key]
        order.status = "PreSubmitted"
        if parent is not None and parent.filled <= 0:
            order.why_held = "child"
        elif not order.triggered and order.order_type in TRIGGERED:
            order.why_held = "trigger"
        else:
            order.why_held = ""
            works = (self._market_open or order.outside_rth) and self._has_begun(order)
            order.status = "Submitted" if works else "PreSubmitted"
        return StatusChanged(order.key, order.status, order.why_held)

    def _has_begun(self, order: SimOrder) -> bool:
        """Whether the order's good-after time has come."""
        return order.good_after is None or self._now >= order.good_after

    def _enter(self, order: SimOrder) -> None:
        self._working[order.key] = order
        if order.good_after is not None or order.good_till is not None:
            self._timed[order.key] = order
        self._by_instrument.setdefault(order.instrument, {})[order.key] = order

    def _leave(self, order: SimOrder) -> None:
        """Take an order out of the working lists; an instrument without orders costs nothing afterwards."""
        self._timed.pop(order.key, None)
        if self._working.pop(order.key, None) is not None:
            here = self._by_instrument[order.instrument]
            del here[order.key]
            if not here:
                del self._by_instrument[order.instrument]

    # ---- consequences of a fill

    def _fill(self, order: SimOrder, quantity: float, price: float, *, tells_group: bool = True) -> list[Outcome]:
        """Book one execution and everything that follows from it."""
        filled, total = order.filled, order.filled + quantity
        assert 0 < quantity <= order.quantity - filled + DUST
        assert 0 < price < math.inf
        is_first = filled <= 0
        order.average_price = (order.average_price * filled + price * quantity) / total
        order.filled = total
        order.status, order.why_held = "Submitted", ""
        if order.quantity - total <= DUST:
            order.filled = order.quantity
            self._finish(order, "Filled")
        outcomes: list[Outcome] = [Filled(order.key, quantity, price)]
        if is_first:
            outcomes += [
                self._settle(child) for child in self._children.get(order.key, ()) if child.key in self._working
            ]
        if tells_group:
            outcomes += self._reduce_group(order, quantity) if order.oca_group else []
            outcomes += self._close_family(order) if order.parent_key is not None else []
        return outcomes

    def _reduce_group(self, order: SimOrder, quantity: float) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for sibling in self._groups.get(order.oca_group, ()):
            if sibling is order or sibling.key not in self._working:
                continue
            if order.oca_type == OCA_CANCEL or sibling.remaining - quantity <= DUST:
                outcomes += self._cancel(sibling, f"OCA: order {order.key} filled")
            else:
                sibling.quantity -= quantity
                outcomes.append(Reduced(sibling.key, sibling.quantity))
        return outcomes

    def _close_family(self, child: SimOrder) -> list[Outcome]:
        """After a child's fill: with nothing left to close and no more to come, its sisters go."""
        if child.parent_key is None or self._orders[child.parent_key].status not in DONE:
            return []
        if self._open_quantity(child) > DUST:
            return []
        outcomes: list[Outcome] = []
        for sister in self._children[child.parent_key]:
            if sister.side == child.side and sister.instrument == child.instrument:
                outcomes += self._cancel(sister, "position closed")
        return outcomes

    def _fit_to_parent(self, child: SimOrder) -> list[Outcome]:
        """The parent fills no more: cut the child to what is open, or cancel it when nothing is."""
        live = self.live_quantity(child)
        if live <= DUST:
            return self._cancel(child, "nothing left to close")
        if child.remaining - live <= DUST:
            return []
        child.quantity = child.filled + live
        return [Reduced(child.key, child.quantity)]

    def _cancel(self, order: SimOrder, reason: str) -> list[Outcome]:
        if order.status in DONE:
            return []
        self._finish(order, "Cancelled")
        outcomes: list[Outcome] = [Cancelled(order.key, reason)]
        for child in self._children.get(order.key, ()):
            if order.filled <= 0:
                outcomes += self._cancel(child, "the parent order was cancelled")
            elif child.key in self._working:
                outcomes += self._fit_to_parent(child)
        return outcomes

    def _finish(self, order: SimOrder, status: Status) -> None:
        order.status, order.why_held = status, ""
        self._leave(order)
