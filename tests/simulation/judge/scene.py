"""What all invariants look at: the broker's truth, the daemon's reach, what was written, said and ordered until now."""

from __future__ import annotations

from collections.abc import Sequence

from tests.simulation.history import (
    Alerted,
    BookSeen,
    Broker,
    BrokerSeen,
    Calm,
    CancelSent,
    Fault,
    Journalled,
    Noticed,
    Record,
    Sent,
    Settings,
    Told,
)
from tests.simulation.judge.breach import DUST
from tests.simulation.judge.ledger import Ledger
from tests.simulation.judge.reach import RECONNECT_S, Reach
from tests.simulation.judge.ref import Ref, is_in_scope, ref_of, stem_of
from tests.simulation.judge.written import Written

PROTECT_S = 5.0
"""T of RELIABILITY.md 4, I1."""
_STOPPING = frozenset({"halt", "block", "flatten", "reduce", "observe"})
_FREEING = frozenset({"resume", "reset"})
ORDERED = "OperatorCommanded"
CANCELLED = "OrderCancelled"
CANCEL_UNANSWERED = 32
SWALLOWED_WITHIN_S = 1.0


class Scene:
    """`at` and `line` are those of the record in hand. All invariants read it, `take` alone writes."""

    def __init__(self, settings: Settings, history: Sequence[Record]) -> None:
        self.settings = settings
        self.at, self.line = settings.at, 0
        self.ledger = Ledger()
        self.written = Written()
        self.reach = Reach(history, settings)
        self.is_first = False
        """Whether the Sent in hand is the first of its reference."""
        self.seen: BrokerSeen | None = None
        self.book: BookSeen | None = None
        self.calm_at: float | None = None
        self.orders_of_people: dict[str, tuple[str, float]] = {}
        """What people have forbidden and not freed again: verb and time by scope."""
        self.latched: dict[str, float] = {}
        """When a limit has latched that nobody has reset, by scope."""
        self.halted: dict[str, float] = {}
        """Those of them that let no strategy's exit pass (docs/risk.md)."""
        self.critical: list[tuple[float, str]] = []
        """What was said critically: time and text."""
        self.splits: dict[str, float] = {}
        """Symbols whose split nobody has accepted, and when it was."""
        self.split_ended_at: dict[str, float] = {}
        self._accepted: dict[str, float] = {}
        """Splits that a person has accepted and that no report has settled yet, and when they were."""
        self.unseen_splits: set[str] = set()
        """Of these nobody can know: the reports do not show it yet, or it is blurred."""
        self.suspected: dict[str, float] = {}
        """Those of them of which a cancel was told and no report yet, since when: what is held has to be asked."""
        self._sold_off: dict[str, float] = {}
        """Since when of a symbol all was gone before anybody had accepted its split; a correction may bring it back."""
        self._raced: set[str] = set()
        """Orders that left for a symbol before anybody could know that it had split."""
        self._blurred: set[str] = set()
        """Symbols of which such an order has executed behind the split: what is held shows no ratio any more."""
        self.settled: set[str] = set()
        """Symbols whose book was set to the broker's: their average price is an estimate (docs/operations.md)."""
        self._is_flatten_wanted = False
        """Whether a person has ever wanted something flat: that answers a split where the book is set for it."""
        self.reported: dict[str, float] | None = None
        """Signed shares as the broker last reported them to the daemon; what it leaves out it does not hold."""
        self._reported_at = float("-inf")
        self.shown_at: dict[str, float] = {}
        """Since when the broker's reports show what it holds, by symbol; what they do not show yet is missing."""
        self._swallowed: set[str] = set()
        self.fault_at: dict[int, float] = {}
        """When a fault of TWS.md 4 last happened, by number."""

    def take(self, record: Record) -> None:
        """The record has happened."""
        self.reach.take(record)
        match record:
            case Broker():
                if record.what == "split":
                    self._split(record)
                self.ledger.take(record)
                self.written.happened(record)
                if str(record.record.get("order_ref", "")) in self._raced and record.what == "execution":
                    self._blur(str(record.record["symbol"]))
                self._bring_back(record)
                self._compare_reported(record.at)
            case BrokerSeen():
                self.seen = record
                self.ledger.see(record)
            case BookSeen():
                self.book = record
                self._agreed(record)
            case Journalled():
                self._journalled(record)
            case Sent():
                self.is_first = self.written.left(record)
                if record.order.symbol in self.unseen_splits and self.is_first:
                    self._raced.add(record.order.ref)
            case CancelSent():
                self.written.cancels[record.ref] = record.at
            case Told():
                self.written.told(record)
                self.ledger.tell(record)
            case Fault():
                self.calm_at = None
                self.fault_at[record.number] = record.at
                if record.number == CANCEL_UNANSWERED:
                    cancels = self.written.cancels.items()
                    self._swallowed |= {ref for ref, at in cancels if at > record.at - SWALLOWED_WITHIN_S}
                self.written.fault(record)
            case Calm():
                self.calm_at = record.at
            case Noticed():
                self._noticed(record)
            case Alerted():
                self._said(record.at, record.text)
            case _:
                pass

    # ------------------------------------------------------------------ reading

    @property
    def reconcile_s(self) -> float:
        """How often book and broker are compared."""
        return self.rule("reconcile_every_s", RECONNECT_S)

    def rule(self, name: str, otherwise: float) -> float:
        """A number of the configuration."""
        value = self.settings.rules.get(name)
        return otherwise if value is None or isinstance(value, str) else float(value)

    def limit(self, name: str) -> float | None:
        """A limit of [risk], None where it is lifted."""
        return self.settings.limits.get(name)

    def session_at(self, at: float) -> tuple[float, float] | None:
        """The hours of the session that runs then."""
        return next(((opens, closes) for opens, closes in self.settings.sessions if opens <= at <= closes), None)

    def known_since(self, symbol: str, since: float) -> float:
        """When the daemon could know how it stands in the symbol since then: when it was told the last execution.

        One that it was never told it finds by asking: at the next comparison, with the time that a question takes.
        """
        untold = self.written.untold_since(symbol)
        if untold is not None:
            return max(since, untold + self.reconcile_s + RECONNECT_S)
        return max(since, self.written.told_at.get(symbol, since))

    def is_said(self, symbol: str, since: float) -> bool:
        """Whether a person was told critically of the symbol since then."""
        return any(at >= since and symbol in text for at, text in reversed(self.critical[-200:]))

    def is_cancel_ignored(self, ref: str) -> bool:
        """Whether the daemon has asked for the order's cancel and the broker has swallowed that (TWS.md 4.32)."""
        return ref in self._swallowed

    def has_kept_twin(self, symbol: str) -> bool:
        """Whether one reference lives twice at the broker (TWS.md 4.37), and it has swallowed the cancel of both."""
        living = [order.ref for order in self.ledger.resting.values() if order.symbol == symbol]
        return any(living.count(ref) > 1 and self.is_cancel_ignored(ref) for ref in living)

    def is_blurred(self, symbol: str) -> bool:
        """Whether an order that left before anybody could know of a split has executed, and nobody has accepted."""
        return symbol in self._blurred

    def is_denied(self, symbol: str) -> bool:
        """Whether the broker's last report says that it holds less of the symbol than it does."""
        held = self.ledger.net(symbol)
        return self.reported is not None and held * self.reported.get(symbol, 0.0) < held * held

    def is_hidden(self, symbol: str, since: float) -> bool:
        """Whether the broker's reports, which lag behind (TWS.md 4.53), do not show yet what has changed since then."""
        shown = self.reported.get(symbol, 0.0) if self.reported is not None and self._reported_at > since else None
        return shown is not None and abs(shown - self.ledger.net(symbol)) > DUST

    def forbids(self, ref: Ref) -> str:
        """Who forbids this entry: a person's verb or a limit, empty if nobody does."""
        for scope, (verb, _at) in self.orders_of_people.items():
            if is_in_scope(ref, scope):
                return f"{verb} {scope}"
        return next((f"limit latched for {scope}" for scope in self.latched if is_in_scope(ref, scope)), "")

    # ------------------------------------------------------------------ leaves

    def _journalled(self, record: Journalled) -> None:
        self.written.journalled(record)
        positions = record.event.get("positions")
        if positions is not None and "positions" not in (record.event.get("unanswered") or ()):
            self.reported = {str(line["symbol"]): float(line["quantity"]) for line in positions}
            self._reported_at = record.at
            self._compare_reported(record.at)
            for symbol, at in list(self.splits.items()):
                if record.at > at:
                    self._look_at_split(symbol, self.reported.get(symbol, 0.0))
                    self._look_for_nothing(symbol, record.at)
        if record.name == CANCELLED:
            parts = ref_of(str(record.event["ref"]))
            if parts is not None and parts.symbol in self.unseen_splits - self._blurred:
                self.suspected.setdefault(parts.symbol, record.at)
        if record.name != ORDERED:
            return
        verb, scope = str(record.event["verb"]), str(record.event["scope"])
        if verb in _STOPPING:
            self.orders_of_people[scope] = (verb, record.at)
        elif verb in _FREEING and "resume_refused" not in record.notices:
            self.orders_of_people.pop(scope, None)
        if verb == "reset":
            self.latched.pop(scope, None)
            self.halted.pop(scope, None)
        self._is_flatten_wanted |= verb == "flatten"
        if verb == "accept" and "accept_refused" not in record.notices:
            symbol = scope.removeprefix("instrument:")
            if symbol in self.splits:
                self._accepted[symbol] = self.splits[symbol]
            self._end_split(symbol, record.at)

    def _compare_reported(self, at: float) -> None:
        for symbol in self.settings.symbols:
            if self.reported is not None and abs(self.reported.get(symbol, 0.0) - self.ledger.net(symbol)) <= DUST:
                self.shown_at.setdefault(symbol, at)
            else:
                self.shown_at.pop(symbol, None)

    def _noticed(self, record: Noticed) -> None:
        if record.level == "critical":
            self._said(record.at, record.text)
        if record.code == "accept_refused":
            self._refuse(record.text.partition(":")[0])
        if record.code == "settled":
            for symbol in [symbol for symbol in self.settings.symbols if symbol in record.text]:
                self.settled.add(symbol)
                self._accepted.pop(symbol, None)
                net = self.ledger.net(symbol)
                reported = net if self.reported is None else self.reported.get(symbol, 0.0)
                if "accepted by a person" in record.text:
                    self.ledger.disown(symbol, reported, is_blurred=symbol in self._blurred)
                    self._blurred.discard(symbol)
                if "for a flatten" in record.text and self._is_flatten_wanted:
                    self._end_split(symbol, record.at)
                    self._blurred.discard(symbol)
                self.ledger.settle(symbol, reported)
        if record.code == "limit_latched":  # its text begins with the scope (docs/risk.md)
            scope, _, rest = record.text.partition(" ")
            self.latched.setdefault(scope, record.at)
            if rest.startswith("is HALTED"):
                self.halted.setdefault(scope, record.at)

    def _said(self, at: float, text: str) -> None:
        self.critical.append((at, text))

    def _agreed(self, book: BookSeen) -> None:
        """A break has ended where the book holds what the broker holds."""
        if self.seen is None or self.seen.at != book.at or not book.is_reconciled:
            return
        for symbol in {**self.splits, **self._accepted}:
            if book.positions.get(symbol, 0.0) == self.seen.positions.get(symbol, 0.0):
                self._end_split(symbol, book.at)
                self._accepted.pop(symbol, None)
                self._blurred.discard(symbol)
                if not self.seen.positions.get(symbol):
                    self._sold_off[symbol] = book.at

    def _look_for_nothing(self, symbol: str, at: float) -> None:
        """Nothing is left, the daemon has been told how, and its report shows it: there is nothing to accept."""
        is_left = self.ledger.net(symbol) or (self.reported or {}).get(symbol)
        if not is_left and self.written.untold_since(symbol) is None:
            self._end_split(symbol, at)
            self._sold_off[symbol] = at

    def _split(self, record: Broker) -> None:
        """It waits for a person.

        But not where it leaves less than a share of what was a stranger's alone, nor where no report had shown that.
        """
        symbol, ratio = str(record.record["symbol"]), float(record.record["ratio"])
        is_shown = self.reported is None or abs(self.reported.get(symbol, 0.0)) > DUST
        if self.ledger.own[symbol] or (is_shown and abs(self.ledger.net(symbol) * ratio) >= 1.0):
            if symbol not in self.splits:
                self._blurred.discard(symbol)
            self.splits[symbol] = record.at
            self.unseen_splits.add(symbol)
            under_way = self.written.sent.keys() - self.ledger.arrived
            self._raced |= {ref for ref in under_way if self.written.sent[ref].order.symbol == symbol}

    def _bring_back(self, record: Broker) -> None:
        """What was sold after a split that nobody has accepted, and was not after all, waits for a person again."""
        symbol = str(record.record.get("execution", record.record).get("symbol", ""))
        if record.what == "execution" and str(record.record["order_ref"]).endswith(":E"):
            self._sold_off.pop(symbol, None)
        elif record.what == "correction" and symbol in self._sold_off and self.ledger.net(symbol):
            corrected = self.ledger.executed.get(stem_of(str(record.record["execution"]["exec_id"])))
            if corrected is None or corrected.at > self._sold_off[symbol]:
                return  # of what was traded when all of the split was gone
            del self._sold_off[symbol]
            self.splits[symbol] = record.at
            self.unseen_splits.add(symbol)

    def _blur(self, symbol: str) -> None:
        if symbol in self.splits:
            self._blurred.add(symbol)
            self.unseen_splits.add(symbol)
            self.suspected.pop(symbol, None)

    def _look_at_split(self, symbol: str, reported: float) -> None:
        """A report that still shows the shares of before (TWS.md 4.53) hides the split, another one shows it."""
        self.suspected.pop(symbol, None)
        if reported == self.ledger.net(symbol) and symbol not in self._blurred:
            self.unseen_splits.discard(symbol)
        else:
            self.unseen_splits.add(symbol)

    def _refuse(self, symbol: str) -> None:
        """The report that was asked for shows something else than what a person has accepted: the split still waits."""
        if symbol in self._accepted:
            self.splits.setdefault(symbol, self._accepted.pop(symbol))

    def _end_split(self, symbol: str, at: float) -> None:
        if self.splits.pop(symbol, None) is not None:
            self.split_ended_at[symbol] = at
            self.unseen_splits.discard(symbol)
            self.suspected.pop(symbol, None)
