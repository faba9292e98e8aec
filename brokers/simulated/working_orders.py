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
- At the end of the session every order that is not GTC or GTD is cancelled.

An order whose `Filled` outcome was reported has its new status in the order itself; no `StatusChanged` is
added for a fill.
"""

import math
from collections.abc import Iterator
from typing import Literal

import msgspec

Side = Literal["BUY", "SELL"]
OrderType = Literal["MKT", "LMT", "STP", "STP LMT"]
Status = Literal["PendingSubmit", "PreSubmitted", "Submitted", "Filled", "Cancelled", "Inactive"]

DUST = 1e-9  # shares; below this a remainder is rounding, not an order
OCA_CANCEL = 1  # the only type that cancels; 2 and 3 reduce
DONE: tuple[Status, ...] = ("Filled", "Cancelled", "Inactive")
LASTING = ("GTC", "GTD")
STOPS: tuple[OrderType, ...] = ("STP", "STP LMT")
LIMITS: tuple[OrderType, ...] = ("LMT", "STP LMT")


class SimOrder(msgspec.Struct, kw_only=True):
    """One order and its live state. The book mutates it; nobody else does."""

    key: int  # unique, account-wide (the gateway passes permId)
    instrument: int  # index into the market's symbols
    side: Side
    quantity: float
    order_type: OrderType
    limit_price: float | None = None
    stop_price: float | None = None
    parent_key: int | None = None
    oca_group: str = ""
    oca_type: int = 3
    tif: str = "DAY"
    outside_rth: bool = False
    transmit: bool = True

    filled: float = 0.0
    status: Status = "PendingSubmit"
    average_price: float = 0.0
    why_held: str = ""
    triggered: bool = False

    @property
    def remaining(self) -> float:
        return self.quantity - self.filled

    @property
    def done(self) -> bool:
        return self.status in DONE

    @property
    def waits_for_trigger(self) -> bool:
        return self.order_type in STOPS and not self.triggered

    @property
    def takes_any_price(self) -> bool:
        """A market order, or a stop that became one."""
        return self.order_type == "MKT" or (self.order_type == "STP" and self.triggered)


class Filled(msgspec.Struct, frozen=True):
    """One execution; `quantity` is this one's, not the total."""

    key: int
    quantity: float
    price: float


class StatusChanged(msgspec.Struct, frozen=True):
    """What a TWS would say in orderStatus; also repeated, unchanged, after an accepted modify."""

    key: int
    status: Status
    why_held: str


class Cancelled(msgspec.Struct, frozen=True):
    """The order is gone; `reason` is empty when its owner asked for it."""

    key: int
    reason: str


class Reduced(msgspec.Struct, frozen=True):
    """`quantity` is the order's new total, not the difference."""

    key: int
    quantity: float


Outcome = Filled | StatusChanged | Cancelled | Reduced


class WorkingOrders:
    """The orders of one account. Every verb answers with what happened, in the order in which it happened."""

    def __init__(self) -> None:
        self._orders: dict[int, SimOrder] = {}
        self._working: dict[int, SimOrder] = {}
        self._by_instrument: dict[int, dict[int, SimOrder]] = {}
        self._children: dict[int, list[SimOrder]] = {}
        self._groups: dict[str, list[SimOrder]] = {}
        self._market_open = False

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

    def submit(self, order: SimOrder, *, market_open: bool) -> list[Outcome]:
        """Take an order into the book.

        Raises ValueError (used key, no quantity, bad price) or KeyError (unknown parent).
        """
        _check(order)
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

    def modify(
        self,
        key: int,
        *,
        quantity: float | None = None,
        limit_price: float | None = None,
        stop_price: float | None = None,
        transmit: bool | None = None,
    ) -> list[Outcome]:
        """Change what is given, keep the rest. Raises KeyError for a key never seen.

        A refused change (see `modify_refusal`) returns [] and leaves the order exactly as it was; so does a
        change to an order that is not transmitted yet, which is taken over silently.
        """
        order = self._orders[key]
        if self.modify_refusal(key, quantity=quantity, limit_price=limit_price, stop_price=stop_price):
            return []
        loses_its_place = (
            (quantity is not None and quantity > order.quantity)
            or (limit_price is not None and limit_price != order.limit_price)
            or (stop_price is not None and stop_price != order.stop_price)
        )
        order.quantity = order.quantity if quantity is None else quantity
        order.limit_price = order.limit_price if limit_price is None else limit_price
        order.stop_price = order.stop_price if stop_price is None else stop_price
        if key not in self._working:
            return self._transmit_family(order) if transmit else []
        if loses_its_place:
            self._leave(order)
            self._enter(order)
        return [StatusChanged(key, order.status, order.why_held)]

    def modify_refusal(
        self,
        key: int,
        *,
        quantity: float | None = None,
        limit_price: float | None = None,
        stop_price: float | None = None,
    ) -> str:
        """Why `modify` would refuse these values, empty if it would not. KeyError for a key never seen."""
        order = self._orders[key]
        if order.done:
            return f"order {key} is {order.status}"
        if quantity is not None and not (math.isfinite(quantity) and quantity > order.filled):
            return f"order {key}: quantity {quantity} is not above the filled {order.filled}"
        for name, price in (("limit_price", limit_price), ("stop_price", stop_price)):
            if price is not None and not is_price(price):
                return f"order {key}: {name} {price} is not a positive number"
        return ""

    def cancel(self, key: int, reason: str = "") -> list[Outcome]:
        """Cancel an order and, by the family rule, its children.

        [] when it is done already; KeyError for a key never seen.
        """
        return self._cancel(self._orders[key], reason)

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
        if order.done or order.key not in self._working:
            return 0.0
        if order.parent_key is None:
            return order.remaining
        return max(0.0, min(order.remaining, self._open_quantity(order)))

    def _open_quantity(self, child: SimOrder) -> float:
        """What the parent has filled, minus what its children on this side have closed."""
        assert child.parent_key is not None
        closed = sum(sibling.filled for sibling in self._sisters(child))
        return self._orders[child.parent_key].filled - closed

    def _sisters(self, child: SimOrder) -> list[SimOrder]:
        """The children of the same parent that act in the same direction, the child itself among them."""
        assert child.parent_key is not None
        return [
            one
            for one in self._children[child.parent_key]
            if one.side == child.side and one.instrument == child.instrument
        ]

    # ---- becoming visible

    def _transmit_family(self, order: SimOrder) -> list[Outcome]:
        root = order
        while root.parent_key is not None:
            root = self._orders[root.parent_key]
        outcomes: list[Outcome] = []
        for member in self._descent(root):
            if not member.done and member.key not in self._working:
                outcomes += self._activate(member)
        return outcomes

    def _descent(self, order: SimOrder) -> Iterator[SimOrder]:
        yield order
        for child in self._children.get(order.key, ()):
            yield from self._descent(child)

    def _activate(self, order: SimOrder) -> list[Outcome]:
        order.transmit = True
        parent = None if order.parent_key is None else self._orders[order.parent_key]
        if parent is not None and parent.done and parent.filled <= 0:
            return self._cancel(order, "the parent order is not working")
        self._enter(order)
        outcomes: list[Outcome] = [self._settle(order)]
        if parent is not None and parent.done:
            outcomes += self._fit_to_parent(order)
        return outcomes

    def _settle(self, order: SimOrder) -> StatusChanged:
        """Give an unfilled order the status its situation calls for."""
        parent = None if order.parent_key is None else self._orders[order.parent_key]
        order.status = "PreSubmitted"
        if parent is not None and parent.filled <= 0:
            order.why_held = "child"
        elif order.waits_for_trigger:
            order.why_held = "trigger"
        else:
            order.why_held = ""
            order.status = "Submitted" if self._market_open or order.outside_rth else "PreSubmitted"
        return StatusChanged(order.key, order.status, order.why_held)

    def _enter(self, order: SimOrder) -> None:
        self._working[order.key] = order
        self._by_instrument.setdefault(order.instrument, {})[order.key] = order

    def _leave(self, order: SimOrder) -> None:
        """Take an order out of the working lists; an instrument without orders costs nothing afterwards."""
        if self._working.pop(order.key, None) is not None:
            here = self._by_instrument[order.instrument]
            del here[order.key]
            if not here:
                del self._by_instrument[order.instrument]

    # ---- consequences of a fill

    def _fill(self, order: SimOrder, quantity: float, price: float) -> list[Outcome]:
        """Book one execution and everything that follows from it."""
        assert 0 < quantity <= order.remaining + DUST
        assert is_price(price)
        is_first = order.filled <= 0
        total = order.filled + quantity
        order.average_price = (order.average_price * order.filled + price * quantity) / total
        order.filled = total
        order.status, order.why_held = "Submitted", ""
        if order.remaining <= DUST:
            order.filled = order.quantity
            self._finish(order, "Filled")
        outcomes: list[Outcome] = [Filled(order.key, quantity, price)]
        if is_first:
            outcomes += [
                self._settle(child) for child in self._children.get(order.key, ()) if child.key in self._working
            ]
        outcomes += self._reduce_group(order, quantity)
        outcomes += self._close_family(order)
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
        if child.parent_key is None or not self._orders[child.parent_key].done:
            return []
        if self._open_quantity(child) > DUST:
            return []
        outcomes: list[Outcome] = []
        for sister in self._sisters(child):
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
        if order.done:
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


def is_price(value: float | None) -> bool:
    """Whether an order may rest or fill at this number: not None, not NaN, not infinite, above zero."""
    return value is not None and math.isfinite(value) and value > 0


def _check(order: SimOrder) -> None:
    if not (math.isfinite(order.quantity) and order.quantity > 0):
        raise ValueError(f"order {order.key}: quantity {order.quantity} is not a positive number")
    if order.order_type in LIMITS and not is_price(order.limit_price):
        raise ValueError(f"order {order.key}: limit_price {order.limit_price} is not a positive number")
    if order.order_type in STOPS and not is_price(order.stop_price):
        raise ValueError(f"order {order.key}: stop_price {order.stop_price} is not a positive number")
