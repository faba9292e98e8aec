"""I1 no share without a resting stop, I2 never more protection than position."""

from __future__ import annotations

import math

from msgspec import Struct

from tests.simulation.history import Broker, BrokerSeen, Journalled, Noticed, Ordered, Record, Sent, Told
from tests.simulation.judge.breach import DUST, SLACK_S, Invariant
from tests.simulation.judge.order import Executed
from tests.simulation.judge.ref import CLOSING, STOPS, Ref, ref_of, sign_of
from tests.simulation.judge.scene import PROTECT_S, Scene

OVERFILLED, CANCELLED_TOO_LATE = 35, 31
PATIENCE_S = 60.0
"""How long an alert alone may stand for a stop before something must have been sent again."""
CUT_S = 30.0
"""After the next row, or comparison: what a cut of the stops may take, with one lost answer."""
_BLOCKING_OCA = (1, 2)
"""The types with overfill protection (TWS.md 3.5)."""
_MOVED = 0.01
"""A trailing stop may have moved by so much while a change of its quantity was under way."""
_FLIP_S = 1.0
_MISSED_ROWS, _MISSED_AT_MOST_S = 2, 600.0
"""So many bars without a row, or so long, are a silence."""


class Protected(Invariant):
    """I1. The time begins when the daemon could know (Scene.known_since) and counts while it can act (Reach.due_at).

    At T: covered, or something to cover it was sent, or a person was told. At T + 5 s: covered or told. Told, but
    nothing sent for a minute is a breach again, except after a split, where the price of a stop is a person's
    business (I19), and where the broker denies the shares: what it does not hold must not be sold (DESIGN 7).
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._bare_since: dict[str, float] = {}
        self._within_s = scene.limit("protect_within_s") or PROTECT_S

    def before(self, at: float) -> None:
        for symbol, since in self._bare_since.items():
            if self._is_late(symbol, since, at):
                shares, net = self.scene.ledger.bare(symbol), self.scene.ledger.net(symbol)
                text = f"{symbol}: {shares:g} shares of {net:g} without a stop since {since:.3f}, {at - since:.1f} s"
                self.breach("I1", symbol, text)

    def take(self, record: Record) -> None:
        is_status = isinstance(record, Told) and record.name == "orderStatus"
        is_settled = isinstance(record, Noticed) and record.code == "settled"
        if isinstance(record, Broker | BrokerSeen) or is_status or is_settled:
            for symbol in self.scene.settings.symbols:
                if self.scene.ledger.bare(symbol) > DUST:
                    self._bare_since.setdefault(symbol, record.at)
                elif self._bare_since.pop(symbol, None) is not None:
                    self.mended("I1", symbol)
        if isinstance(record, Sent) and not self.scene.is_first:
            self._check_move(record)

    def _is_late(self, symbol: str, since: float, at: float) -> bool:
        scene = self.scene
        known = max(scene.known_since(symbol, since), scene.splits.ended_at.get(symbol, since))
        first = scene.reach.due_at(known, self._within_s + SLACK_S)
        if first is None or at <= first:
            return False
        is_told = scene.is_said(symbol, min(since, self._begun(symbol)) - SLACK_S)
        sent_at = scene.written.last_closing_at.get(symbol, float("-inf"))
        if not is_told:
            return sent_at < since - SLACK_S or at > first + PROTECT_S
        is_a_persons = symbol in scene.splits.waiting or scene.is_denied(symbol)
        return sent_at < at - PATIENCE_S and at > first + PATIENCE_S and not is_a_persons

    def _begun(self, symbol: str) -> float:
        """When the first order left that is held back now: what a person was told with it was of these shares."""
        resting = self.scene.ledger.resting.values()
        return min([order.born_at for order in resting if order.symbol == symbol and order.is_held], default=math.inf)

    def _check_move(self, record: Sent) -> None:
        """A stop is never moved away from the market: against where the broker has it, which a trailing one follows."""
        order, ref = record.order, ref_of(record.order.ref)
        if ref is None or ref.leg not in STOPS or order.stop_price is None:
            return
        for resting in self.scene.ledger.of_plan(ref.plan, ref.leg):
            if resting.ref == order.ref and resting.stop_price:
                away = sign_of(order.side) * (order.stop_price - resting.stop_price) / resting.stop_price
                if away > (_MOVED if order.order_type == "TRAIL" else DUST):
                    text = f"{order.ref}: its stop is moved away, from {resting.stop_price:g} to {order.stop_price:g}"
                    self.breach("I1", order.ref, text)


class _Flip(Struct, frozen=True):
    at: float
    done: Executed
    before: float
    after: float


class NeverMore(Invariant):
    """I2, for stops, targets and exits each: by plan, what they may still close is no more than is held or may come.

    An excess is born when an entry ends early or an execution is taken back: docs/orders.md cuts on the next row,
    so it may last until that has come and CUT_S within the session, and where two rows are missed until a
    comparison. What is newly sent is never too much, never on the wrong side, never without an OCA group that
    blocks; and no closing order turns a position round. Excused is what the broker does by itself: both legs filled
    (TWS.md 4.35), a cancel that it ignores or swallows (4.31, 4.32), a second permId (4.37), a correction, a stranger's
    or the broker's own execution in the symbol; and an order that left while word of an execution was still under way,
    or that was under way itself when its plan executed, which nobody could know. What gives back an overfill stands in
    no OCA group: that of the plan has done its work, and the order trades the other way.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._excess_since: dict[str, float] = {}
        self._rows_at: list[float] = []
        """When rows came since the first excess that lasts."""
        self._flips: list[_Flip] = []
        self._raced: set[str] = set()
        """Closing orders that left while an execution was under way to the daemon, or crossed one of their plan."""

    def before(self, at: float) -> None:
        for plan, since in self._excess_since.items():
            due = self._due_at(plan, since)
            excess = self._excess(plan) if due is not None and at > due else ""
            if excess:  # else it was one for whose end the daemon has done what it could
                self.breach("I2", plan, f"{plan}: {excess} since {since:.3f}")
        while self._flips and at > self._flips[0].at + _FLIP_S:
            self._judge_flip(self._flips.pop(0))

    def end(self) -> None:
        for flip in self._flips:
            self._judge_flip(flip)

    def take(self, record: Record) -> None:
        match record:
            case Broker(what="execution"):
                self._note_crossed(record)
                self._look_for_flip(record)
                self._weigh(record.at)
            case Journalled(name="BarsClosed") if not record.event.get("warm_up"):
                self._rows_at = [*self._rows_at, record.at] if self._excess_since else []
            case Broker() | Noticed(code="settled"):
                self._weigh(record.at)
            case Sent():
                ref = ref_of(record.order.ref)
                if ref is not None and ref.leg in CLOSING:
                    self._check_sent(record, ref)
            case _:
                pass

    # ------------------------------------------------------------------ too much for too long

    def _weigh(self, at: float) -> None:
        plans = {order.plan for order in self.scene.ledger.resting.values() if order.leg in CLOSING}
        for plan in sorted(plans | set(self._excess_since)):
            if self._excess(plan):
                self._excess_since.setdefault(plan, at)
            elif self._excess_since.pop(plan, None) is not None:
                self.mended("I2", plan)

    def _excess(self, plan: str) -> str:
        """What is too much, empty if nothing is."""
        ledger = self.scene.ledger
        held, coming = ledger.held.get(plan, 0.0), ledger.entries_left(plan)
        adopted = ledger.adopted(plan, _symbol_of(plan))
        for name, legs in (("stops", STOPS), ("targets", ("T",)), ("exits", ("X",))):
            for side in ("BUY", "SELL"):
                orders = [order for order in ledger.of_plan(plan, *legs) if order.side == side]
                orders = [order for order in orders if not self.scene.is_cancel_ignored(order.ref)]
                resting = sum(order.remaining for order in orders)
                allowed = max(0.0, *(-sign_of(side) * (held + shares) for shares in adopted)) + coming
                allowed = max(allowed, self._whole_of_fractions(plan, side, legs))
                if name == "exits" and held and ledger.goes_back(plan):
                    allowed = math.ceil(allowed - DUST)  # a split's fraction was sold with the rest, and is nobody's
                if resting > allowed + DUST:
                    behind = held + adopted[0]
                    return f"{name} to {side} {resting:g} behind a position of {behind:g} and an entry of {coming:g}"
        return ""

    def _whole_of_fractions(self, plan: str, side: str, legs: tuple[str, ...]) -> float:
        """What a split leaves of several plans are fractions; one of them has the whole shares that they add up to."""
        ledger, symbol = self.scene.ledger, _symbol_of(plan)
        every = (*(ledger.held[other] for other in ledger.entered(symbol)), ledger.of_strangers(symbol))
        held = [shares for shares in every if shares * sign_of(side) < 0]
        if plan not in ledger.held or all(shares == int(shares) for shares in held):
            return 0.0
        others = [order for order in ledger.resting.values() if order.symbol == symbol and order.plan not in ("", plan)]
        resting = [order for order in others if order.leg in legs and order.side == side]
        return math.floor(abs(sum(held)) + DUST) - sum(order.remaining for order in resting)

    def _due_at(self, plan: str, since: float) -> float | None:
        scene = self.scene
        symbol = _symbol_of(plan)
        session = scene.session_at(scene.at)
        if session is None:
            return None  # no row comes outside the session, and nothing that waits for one
        known = max(scene.known_since(symbol, since), session[0])
        compared_at = known + min(_MISSED_ROWS * scene.settings.bar_s, _MISSED_AT_MOST_S) + scene.reconcile_s
        row_at = next((at for at in self._rows_at if at > known), compared_at)
        return scene.reach.due_at(min(row_at, compared_at), CUT_S)

    # ------------------------------------------------------------------ what is sent

    def _check_sent(self, record: Sent, ref: Ref) -> None:
        order, ledger, first = record.order, self.scene.ledger, self.scene.is_first
        written = self.scene.written
        untold = written.untold_since(order.symbol) is not None or order.ref in written.decided_early
        is_blocked = order.oca_group and record.oca_type in _BLOCKING_OCA
        if not is_blocked and not self._gives_back(order, ref, is_sure=not untold):
            self.breach(
                "I2",
                f"{order.ref} oca",
                f"{order.ref}: may overfill, OCA type {record.oca_type} in {order.oca_group!r}",
            )
        if untold:
            self._raced.add(order.ref)
        if not first or ref.leg in "ST":
            return  # the legs of a bracket are judged with their entry (I8)
        held, coming = ledger.held.get(ref.plan, 0.0), ledger.entries_left(ref.plan)
        if (
            untold
            or order.symbol in ledger.disturbed
            or ref.plan in ledger.disturbed
            or ref.plan not in ledger.symbol_of
        ):
            return  # the daemon cannot know better, or holds what a stranger has bought
        if order.quantity > max(-sign_of(order.side) * held, 0.0) + coming + DUST:
            text = (
                f"{order.ref}: {order.side} {order.quantity:g} sent against a position of {held:g}, {coming:g} to come"
            )
            self.breach("I2", order.ref, text)

    def _gives_back(self, order: Ordered, ref: Ref, *, is_sure: bool) -> bool:
        """An exit that trades as the entry did, against what the exits turned over, and alone on its side."""
        ledger, sign = self.scene.ledger, sign_of(order.side)
        entry = self.scene.written.sent.get(f"{ref.plan}:E")
        intended = sign_of(entry.order.side) if entry is not None else 0
        executed = sum(done.signed for done in ledger.of_ref(f"{ref.plan}:E"))
        entered = float(intended) or executed or self._stood_for(ref.plan)
        has_turned = sign * ledger.held.get(ref.plan, 0.0) < 0 or not is_sure or ledger.was_liquidated(order.symbol)
        is_alone = all(
            other.side != order.side or other.ref == order.ref for other in ledger.of_plan(ref.plan, *CLOSING)
        )
        return ref.leg == "X" and sign * entered > 0 and has_turned and is_alone

    def _stood_for(self, plan: str) -> float:
        """The side of a plan that never had an entry: its first order, a stop or an exit, is against what it holds."""
        first = next(sent.order for name, sent in self.scene.written.sent.items() if name.startswith(f"{plan}:"))
        return -sign_of(first.side)

    # ------------------------------------------------------------------ turned round

    def _note_crossed(self, record: Broker) -> None:
        """What has left and is not at the broker yet is of before the execution."""
        executed = ref_of(str(record.record["order_ref"]))
        under_way = self.scene.written.sent.keys() - self.scene.ledger.arrived
        self._raced |= {ref for ref in under_way if executed and _closes(ref, executed.plan)}

    def _look_for_flip(self, record: Broker) -> None:
        done = self.scene.ledger.executed.get(str(record.record["exec_id"]).rpartition(".")[0])
        ref = ref_of(done.ref) if done else None
        if done is None or ref is None or ref.leg == "E":
            return
        after = self.scene.ledger.held.get(ref.plan, 0.0)
        before = after - done.signed
        if abs(after) > DUST and before * after <= 0 and done.signed * after > 0:
            self._flips.append(_Flip(record.at, done, before, after))

    def _judge_flip(self, flip: _Flip) -> None:
        scene, done = self.scene, flip.done
        overfilled_at = scene.fault_at.get(OVERFILLED, float("-inf"))
        is_broker = abs(overfilled_at - flip.at) <= _FLIP_S or done.plan in scene.ledger.twinned
        too_late = scene.fault_at.get(CANCELLED_TOO_LATE, float("-inf")) >= scene.written.cancels.get(done.ref, flip.at)
        is_ignored = too_late or done.ref in scene.unheard or scene.is_cancel_ignored(done.ref)
        if is_broker or is_ignored or done.ref in self._raced or {done.plan, done.symbol} & scene.ledger.disturbed:
            return
        text = f"{done.ref}: {done.signed:g} shares turned {done.plan} from {flip.before:g} to {flip.after:g}"
        self.breach("I2", done.ref, text, at=flip.at)


def _closes(ref: str, plan: str) -> bool:
    parts = ref_of(ref)
    return parts is not None and parts.plan == plan and parts.leg in CLOSING


def _symbol_of(plan: str) -> str:
    return plan.rpartition(":")[2].rpartition("-")[0]
