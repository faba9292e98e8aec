"""I13 nothing is entered before reconciliation has ended, I14 a kill holds until a person ends it."""

from __future__ import annotations

from msgspec import Struct

from tests.simulation.history import BookSeen, CancelSent, Journalled, LineChanged, ProcessStarted, Record, Sent, Told
from tests.simulation.judge.breach import SLACK_S, Invariant
from tests.simulation.judge.ref import Ref, is_in_scope, ref_of
from tests.simulation.judge.scene import ORDERED, Scene

CANCEL_S = 2.0
FLATTEN_S, LOST_S = 10.0, 30.0
"""Until a flatten of what is held has sent something to close it with, in the session."""
_PULLING = frozenset({"halt", "flatten", "reduce", "observe"})
"""The verbs that pull working entries; block leaves them (docs/control.md)."""
_HALTING = frozenset({"halt", "block", "flatten"})
_CODES = frozenset({"1100", "1101", "1102"})


class Reconciled(Invariant):
    """I13: between a start, a new connection or a word of 1100, 1101, 1102 and the next complete report in the journal.

    An entry that was durable before 1100 arrived may be under way for a second; after a new connection nothing is.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._asked_anew, self._why = float("-inf"), ""
        self._is_silent = self._is_reconciled = False

    def take(self, record: Record) -> None:
        client_id = self.scene.settings.client_id
        match record:
            case ProcessStarted(process=process):
                self._anew(record.at, f"process {process} started", is_silent=True)
            case LineChanged(client_id=its, state="up") if its == client_id:
                self._anew(record.at, "the line came up", is_silent=True)
            case Told(name="error", client_id=its, fields=fields) if its == client_id:
                code = str(fields.get("code"))
                if code in _CODES:
                    self._anew(record.at, f"{code} was told", is_silent=False)
            case Journalled(name="BrokerReported", event=event) if not event.get("unanswered"):
                self._is_reconciled = True
            case Sent(order=order) if order.ref.endswith(":E") and not self._is_reconciled:
                self._judge(record)
            case _:
                pass

    def _anew(self, at: float, why: str, *, is_silent: bool) -> None:
        self._asked_anew, self._why, self._is_silent = at, why, is_silent
        self._is_reconciled = False

    def _judge(self, record: Sent) -> None:
        written_at = self.scene.written.journalled_at.get(record.order.ref, record.at)
        is_under_way = written_at <= self._asked_anew and record.at <= self._asked_anew + SLACK_S
        if self._is_silent or not is_under_way:
            text = f"{record.order.ref}: sent after {self._why} at {self._asked_anew:.3f}, before a complete report"
            self.breach("I13", record.order.ref, text)


class _Owed(Struct):
    since: float
    verb: str


class Killed(Invariant):
    """I14. No entry is decided after the command, none leaves that was not under way; working ones are pulled in
    time; it outlives restarts; flatten closes what no exit in the market closes already. A limit's latch forbids
    entries in the same way (I7 judges that).

    Two seconds of a time in which the daemon can act; after a reconnect when its time for that is over.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._pulls: dict[str, _Owed] = {}
        self._closings: dict[str, _Owed] = {}

    def before(self, at: float) -> None:
        reach = self.scene.reach
        for ref, owed in list(self._pulls.items()):
            due = reach.due_at(owed.since, CANCEL_S + SLACK_S)
            if due is not None and at > due:
                if any(order.ref == ref for order in self.scene.ledger.resting.values()):
                    self.breach(
                        "I14", ref, f"{ref}: still works {at - owed.since:.1f} s after {owed.verb}, no cancel was sent"
                    )
                del self._pulls[ref]
        for symbol, owed in list(self._closings.items()):
            due = reach.due_at(self.scene.known_since(symbol, owed.since), FLATTEN_S)
            if due is not None and at > due and self._is_open(owed, at):
                ledger = self.scene.ledger
                plans = [plan for plan in ledger.entered(symbol) if not self._is_observed(ref_of(f"{plan}:X"))]
                shares = sum(ledger.unclosed(plan) for plan in plans)
                is_there = shares * ledger.net(symbol) > 0 and not self.scene.is_denied(symbol)
                is_ours = not self.scene.splits.is_blurred(symbol)  # else an exit of before it has ended its plan
                if abs(shares) >= 1.0 and is_there and is_ours:  # what is not held, or denied, must not be sold
                    text = f"{symbol}: {shares:g} shares held, nothing was sent to close them"
                    self.breach("I14", f"{symbol} flatten", text)
                del self._closings[symbol]

    def take(self, record: Record) -> None:
        match record:
            case Journalled():
                self._check_decided(record)
                if record.name == ORDERED:
                    self._ordered(record)
            case Sent(order=order) if self.scene.is_first:
                ref = ref_of(order.ref)
                if ref is not None and ref.leg == "E":
                    self._check_sent(record)
                elif ref is not None and ref.leg == "X":
                    self._closings.pop(order.symbol, None)
            case CancelSent(ref=ref):
                self._pulls.pop(ref, None)
            case BookSeen(is_up=True, is_reconciled=True, state="ACTIVE"):
                verb, since = self.scene.orders_of_people.get("account", ("", 0.0))
                if verb in _HALTING and record.at > since + SLACK_S:
                    self.breach("I14", f"state {since}", f"trading state is ACTIVE after {verb} at {since:.3f}")
            case _:
                pass

    def _ordered(self, record: Journalled) -> None:
        verb, scope = str(record.event["verb"]), str(record.event["scope"])
        if verb in {"resume", "reset"}:
            self._closings.clear()
            return
        for order in self.scene.ledger.resting.values():
            ref = ref_of(order.ref)
            is_asked = order.ref in self.scene.written.cancels
            if verb in _PULLING and ref and ref.leg == "E" and is_in_scope(ref, scope) and not is_asked:
                self._pulls.setdefault(order.ref, _Owed(record.at, verb))
        for symbol in self.scene.settings.symbols if verb == "flatten" else ():
            refs = [ref_of(f"{plan}:X") for plan in self.scene.ledger.entered(symbol)]
            held = [ref for ref in refs if ref is not None and not self._is_closing(ref.plan, record.at)]
            if any(is_in_scope(ref, scope) and not self._is_observed(ref) for ref in held):
                self._closings.setdefault(symbol, _Owed(record.at, verb))

    def _is_closing(self, plan: str, at: float) -> bool:
        """Whether an exit left so lately, on a line that has lost it, that nobody can know it as lost yet."""
        sent, arrived = self.scene.written.sent, self.scene.ledger.arrived
        under_way = [ref for ref in sent if ref.startswith(f"{plan}:X") and ref not in arrived]
        return any(sent[ref].first_at > at - LOST_S for ref in under_way)

    def _is_observed(self, ref: Ref | None) -> bool:
        """Whether a person lets nothing be sent there: of several states the strictest wins (DESIGN 6)."""
        orders = self.scene.orders_of_people.items()
        return ref is not None and any(verb == "observe" and is_in_scope(ref, scope) for scope, (verb, _at) in orders)

    def _check_decided(self, record: Journalled) -> None:
        for order in record.orders:
            ref = ref_of(order.ref)
            if ref is not None and ref.leg == "E":
                for scope, (verb, since) in self.scene.orders_of_people.items():
                    if is_in_scope(ref, scope):
                        self.breach(
                            "I14", order.ref, f"{order.ref}: decided although {verb} {scope} stands since {since:.3f}"
                        )

    def _check_sent(self, record: Sent) -> None:
        ref = ref_of(record.order.ref)
        for scope, (verb, since) in self.scene.orders_of_people.items():
            if ref is not None and is_in_scope(ref, scope) and record.at > since + SLACK_S:
                self.breach(
                    "I14", record.order.ref, f"{record.order.ref}: sent {record.at - since:.1f} s after {verb} {scope}"
                )

    def _is_open(self, owed: _Owed, at: float) -> bool:
        """Whether the session has run long enough since the command for a market order to be sensible."""
        session = self.scene.session_at(at)
        return session is not None and at > max(owed.since, session[0]) + FLATTEN_S
