"""A broker for one instrument that answers, refuses, swallows or forgets what it is sent, as a test tells it.

Its own books (`orders`, `executions`) are the truth that invariants are judged by. Time is virtual: `advance` fires the
engine's timers in the order in which they come due. OCA groups are of type 2: a fill makes the others smaller.
"""

from msgspec import Struct

from shared.commands import AskBroker, CancelOrder, Flatten, Notify, PlaceBracket, ReplaceStop, SetTimer
from shared.events import ConnectionRestored, OrderAccepted, OrderCancelled, OrderFilled, OrderRejected, TimerFired
from shared.ids import OrderRef, parse_ref
from shared.orders import Fill, Leg, Order, Side
from tests.engine.builders import a_completed, a_report, a_start, an_engine, an_open_order, at, bars, says

ANSWER_S = 0.2
RECONCILE_S = 30.0
BARE_S_MAX = 6.5  # a grace of 1 s, 2.5 s to confirm the new stop, 2.5 s until the alarm, and the broker's answer


class Resting(Struct):
    """One order at the broker."""

    order: Order
    filled: int = 0
    is_live: bool = True
    reduced: int = 0

    @property
    def remaining(self) -> int:
        return self.order.quantity - self.filled - self.reduced

    @property
    def leg(self) -> Leg:
        return _ref(self.order.ref).leg

    @property
    def plan(self) -> str:
        return _ref(self.order.ref).plan_id


def _ref(text: str) -> OrderRef:
    ref = parse_ref(text)
    assert ref is not None
    return ref


class MoodyBroker:
    """The broker, the line, the clock and the engine behind them."""

    def __init__(self):
        self.now = 0.0
        self.engine = an_engine()
        self.orders: dict[str, Resting] = {}
        self.executions: list[Fill] = []
        self.moods: list[str] = []
        self.is_connected = True
        self.is_asleep = False
        self.timers: dict[str, float] = {"reconcile": RECONCILE_S}
        self.notices: list[tuple[float, Notify]] = []
        self.sent: list[tuple[float, object]] = []
        self.bare_since: dict[str, float] = {}
        self.too_long_bare: dict[str, float] = {}
        for event in a_start():
            self.handle(event)

    # --- the line -------------------------------------------------------------------------------------------------

    def handle(self, event):
        """Give the engine an event and do what it commands; who has connected asks at once."""
        if isinstance(event, ConnectionRestored):
            self.timers.setdefault(f"report {self.now}", self.now + ANSWER_S)
        for command in self.engine.handle(event):
            self.sent.append((self.now, command))
            self._execute(command)

    def tell(self, event):
        """News from the broker; lost while the line is dead."""
        if self.is_connected:
            self.handle(event)

    def _mood(self):
        return self.moods.pop(0) if self.moods else "accept"

    def _execute(self, command):
        match command:
            case SetTimer():
                self.timers[command.timer_id] = self.now + command.after_s
            case Notify():
                self.notices.append((self.now, command))
            case AskBroker():
                self.timers.setdefault(f"report {self.now}", self.now + ANSWER_S)
            case PlaceBracket(bracket=bracket):
                self._take_bracket([bracket.entry, bracket.stop_loss, bracket.take_profit])
            case ReplaceStop(order=order) | Flatten(order=order):
                self._take(order, self._mood())
            case CancelOrder(ref=ref):
                self._cancel(ref, self._mood())

    def _take_bracket(self, orders):
        moods = [self._mood() for _ in orders]
        if moods[0] in ("swallow", "reject"):  # without its parent no child lives
            moods = [moods[0], "swallow", "swallow"]
        for order, mood in zip(orders, moods, strict=True):
            self._take(order, mood)

    def _take(self, order, mood):
        if not self.is_connected or mood == "swallow":
            return
        if mood == "reject":
            self.tell(OrderRejected(received_at=at(self.now), ref=order.ref, code=201, text="no"))
            return
        known = self.orders.get(order.ref)
        if known is not None and not known.is_live:
            return
        if known is None:
            self.orders[order.ref] = Resting(order=order)
        else:
            known.order, known.reduced = order, 0
        if mood != "mute":
            perm_id = self._perm_id_of(order.ref)
            accepted = OrderAccepted(
                received_at=at(self.now), ref=order.ref, perm_id=perm_id, broker_status="Submitted"
            )
            self.tell(accepted)

    def _cancel(self, ref, mood):
        resting = self.orders.get(ref)
        if not self.is_connected or mood in ("swallow", "mute"):
            return
        if resting is None:
            self.tell(OrderCancelled(received_at=at(self.now), ref=ref, reason="not found"))
        elif resting.is_live:
            self.end(resting, "202")

    def end(self, resting, reason):
        """The order is gone, and with an entry that never filled its children."""
        resting.is_live = False
        self.tell(OrderCancelled(received_at=at(self.now), ref=resting.order.ref, reason=reason))
        if resting.leg is Leg.ENTRY and resting.filled == 0:
            for child in [one for one in self.orders.values() if one.plan == resting.plan and one.is_live]:
                self.end(child, "parent cancelled")

    def fill(self, resting, quantity):
        """One execution; the rest of its OCA group becomes smaller by it."""
        resting.filled += quantity
        resting.is_live = resting.remaining > 0
        order = resting.order
        fill = Fill(
            ref=order.ref,
            exec_id=f"0001.{len(self.executions):04d}.01.01",
            symbol="SPY",
            side=order.side,
            quantity=quantity,
            price=100.0,
            filled_at=at(self.now),
            perm_id=self._perm_id_of(order.ref),
        )
        self.executions.append(fill)
        self.tell(OrderFilled(received_at=at(self.now), fill=fill))
        group = [one for one in self.orders.values() if one is not resting and one.order.oca_group == order.oca_group]
        for other in [one for one in group if order.oca_group and one.is_live]:
            other.reduced += min(quantity, other.remaining)
            if other.remaining == 0:
                self.end(other, "OCA")

    def _perm_id_of(self, ref):
        return list(self.orders).index(ref) + 1

    def report(self, asked):
        """What the broker says when asked: everything, or, asleep, that nothing could be asked."""
        gone = [
            a_completed(ref, "Filled" if one.remaining == 0 and not one.reduced else "Cancelled", one.filled)
            for ref, one in self.orders.items()
            if not one.is_live
        ]
        lines = [
            an_open_order(one.order, number, quantity=one.order.quantity - one.reduced)
            for number, one in enumerate(self.orders.values(), start=1)
            if one.is_live
        ]
        held = {"SPY": self.position()} if self.position() else {}
        parts = {"positions": held, "open_orders": lines, "completed_orders": gone, "fills": self.executions}
        names = ["positions", "open_orders", "completed_orders", "fills", "account"]
        if self.is_asleep:
            return a_report(self.now, asked=asked, unanswered=names)
        return a_report(self.now, asked=asked, **parts)

    # --- time -----------------------------------------------------------------------------------------------------

    def advance(self, seconds):
        """Let time pass; timers fire when they come due, the earliest first."""
        until = self.now + seconds
        while due := [(fires, name) for name, fires in self.timers.items() if fires <= until]:
            fires, name = min(due)
            del self.timers[name]
            self.now = max(self.now, fires)
            self._fire(name)
            self.watch()
        self.now = until
        self.watch()

    def _fire(self, name):
        if name == "reconcile":  # what the daemon's own loop does
            self.timers |= {"reconcile": self.now + RECONCILE_S, f"report {self.now}": self.now + ANSWER_S}
        elif not name.startswith("report "):
            self.handle(TimerFired(received_at=at(self.now), timer_id=name))
        elif self.is_connected:
            self.handle(self.report(asked=float(name.removeprefix("report "))))

    def row(self, price, **views):
        """The minute's bar."""
        if views:
            says(self.engine, **views)
        self.handle(bars(self.now, SPY=price, IBM=185.0))
        self.watch()

    # --- the books ------------------------------------------------------------------------------------------------

    def live(self, *legs):
        return [one for one in self.orders.values() if one.is_live and (not legs or one.leg in legs)]

    def open_shares(self, plan=None):
        """Filled entry minus filled exits, per plan; every plan of these tests is long."""
        shares: dict[str, int] = {}
        for fill in self.executions:
            key = _ref(fill.ref).plan_id
            shares[key] = shares.get(key, 0) + (fill.quantity if fill.side is Side.BUY else -fill.quantity)
        return shares if plan is None else shares.get(plan, 0)

    def position(self):
        return sum(self.open_shares().values())

    def covered(self, plan, *legs):
        return sum(one.remaining for one in self.live(*legs) if one.plan == plan)

    def watch(self):
        """Since when which open plan has had less at the broker than it holds."""
        for plan, shares in self.open_shares().items():
            is_reachable = self.is_connected and not self.is_asleep and self.engine.book.is_reconciled
            guarded = self.covered(plan, Leg.STOP_LOSS, Leg.PROTECTION) + self.covered(plan, Leg.EXIT)
            if plan in self.bare_since and self.now - self.bare_since[plan] > BARE_S_MAX:
                self.too_long_bare |= {plan: self.bare_since[plan]}
            if shares <= guarded or not is_reachable:
                self.bare_since.pop(plan, None)
            else:
                self.bare_since.setdefault(plan, self.now)

    def has_tried_or_told_since(self, instant):
        """Whether a person was alarmed, or a close was sent, in time after that."""
        loud = [when for when, notice in self.notices if notice.level == "critical"]
        closes = [when for when, command in self.sent if isinstance(command, Flatten)]
        return any(instant <= when <= instant + BARE_S_MAX for when in loud + closes)
