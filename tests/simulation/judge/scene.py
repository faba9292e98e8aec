"""What all invariants look at: the broker's truth, the daemon's reach, what was written, said and ordered until now."""

from __future__ import annotations

import re
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
from tests.simulation.judge.ref import Ref, is_in_scope, sign_of
from tests.simulation.judge.splits import Splits
from tests.simulation.judge.written import Written

DAY_S = 86_400
PROTECT_S = 5.0
"""T of RELIABILITY.md 4, I1."""
_STOPPING = frozenset({"halt", "block", "flatten", "reduce", "observe"})
_FREEING = frozenset({"resume", "reset"})
ORDERED = "OperatorCommanded"
CANCEL_UNANSWERED, LOCATE_FOUND = 32, 33
_CLAIMED = re.compile(r"(OB1:(?!adopted:)\S+):E (BUY|SELL) (\d+) at about")
"""What a settlement books as an entry of a plan that had one: its exits had closed so many too many."""
SWALLOWED_WITHIN_S, SWALLOWED_SLOWLY_S = 1.0, 15.0
"""So long a cancel may be under way to the broker who swallows it, and over a slow line."""


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
        self.splits = Splits(self.ledger, self.written)
        self.settled: set[str] = set()
        """Symbols whose book was set to the broker's: their average price is an estimate (docs/operations.md)."""
        self.reported: dict[str, float] | None = None
        """Signed shares as the broker last reported them to the daemon; what it leaves out it does not hold."""
        self.reported_at = float("-inf")
        self.shown_at: dict[str, float] = {}
        """Since when the broker's reports show what it holds, by symbol; what they do not show yet is missing."""
        self._swallowed: set[str] = set()
        self.unheard: set[str] = set()
        """What was to be cancelled while shares were sought for it: it fills once they are found (TWS.md 4.33)."""
        self._sought_at: list[float] = []
        """When orders came for which shares are sought: while they are, no cancel of those is heard (TWS.md 4.33)."""
        self.fault_at: dict[int, float] = {}
        """When a fault of TWS.md 4 last happened, by number."""

    def take(self, record: Record) -> None:
        """The record has happened."""
        self.reach.take(record)
        match record:
            case Broker():
                self.splits.before(record, self.reported)
                self.ledger.take(record)
                self.written.happened(record)
                self.splits.after(record)
                self._compare_reported(record.at)
            case BrokerSeen():
                self.seen = record
                self.ledger.see(record)
            case BookSeen():
                self.book = record
                if self.seen is not None and self.seen.at == record.at and record.is_reconciled:
                    self.splits.agree(record, self.seen)
            case Journalled():
                self._journalled(record)
            case Sent():
                self.is_first = self.written.left(record)
                if self.is_first:
                    self.splits.left(record)
            case CancelSent():
                self.written.cancels[record.ref] = record.at
                if self._is_sought(record.ref):
                    self.unheard.add(record.ref)
            case Told():
                self.written.told(record)
                self.ledger.tell(record)
            case Fault():
                self.calm_at = None
                self.fault_at[record.number] = record.at
                if record.number == CANCEL_UNANSWERED:
                    cancels = self.written.cancels.items()
                    is_slow = any(name == "slow" for _source, _number, name in self.reach.open_faults)
                    within_s = SWALLOWED_SLOWLY_S if is_slow else SWALLOWED_WITHIN_S
                    self._swallowed |= {ref for ref, at in cancels if at > record.at - within_s}
                if record.number == LOCATE_FOUND:
                    self._sought_at.append(record.at)
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

    @property
    def is_daily(self) -> bool:
        """Whether a row is a whole session."""
        return self.settings.bar_s >= DAY_S

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
        """Whether the daemon has asked for the order's cancel and the broker has swallowed that (TWS.md 4.32, 33)."""
        return ref in self._swallowed or (ref in self.written.cancels and self._is_sought(ref))

    def _is_sought(self, ref: str) -> bool:
        held = [order for order in self.ledger.resting.values() if order.ref == ref and order.is_held]
        return any(0.0 <= order.born_at - at <= SWALLOWED_WITHIN_S for order in held for at in self._sought_at)

    def has_kept_twin(self, symbol: str) -> bool:
        """Whether one reference lives twice at the broker (TWS.md 4.37), and it has swallowed the cancel of both."""
        living = [order.ref for order in self.ledger.resting.values() if order.symbol == symbol]
        return any(living.count(ref) > 1 and self.is_cancel_ignored(ref) for ref in living)

    def is_denied(self, symbol: str) -> bool:
        """Whether the broker's last report says that it holds less of the symbol than it does."""
        held = self.ledger.net(symbol)
        return self.reported is not None and held * self.reported.get(symbol, 0.0) < held * held

    def is_hidden(self, symbol: str, since: float) -> bool:
        """Whether the broker's reports, which lag behind (TWS.md 4.53), do not show yet what has changed since then."""
        shown = self.reported.get(symbol, 0.0) if self.reported is not None and self.reported_at > since else None
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
            self.reported_at = record.at
            self._compare_reported(record.at)
            self.splits.report(self.reported, record.at)
        self.splits.told(record)
        if record.name == ORDERED:
            self._ordered(record)

    def _ordered(self, record: Journalled) -> None:
        verb, scope = str(record.event["verb"]), str(record.event["scope"])
        if verb in _STOPPING:
            self.orders_of_people[scope] = (verb, record.at)
        elif verb in _FREEING and "resume_refused" not in record.notices:
            self.orders_of_people.pop(scope, None)
        if verb == "reset":
            self.latched.pop(scope, None)
            self.halted.pop(scope, None)
        self.splits.order(verb, scope, record.at, is_refused="accept_refused" in record.notices)

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
            self.splits.refuse(record.text.partition(":")[0])
        if record.code == "settled":
            for plan, side, shares in _CLAIMED.findall(record.text):
                self.ledger.claim(plan, sign_of(side) * float(shares))
            for symbol in [symbol for symbol in self.settings.symbols if symbol in record.text]:
                self.settled.add(symbol)
                net = self.ledger.net(symbol)
                reported = net if self.reported is None else self.reported.get(symbol, 0.0)
                self.splits.settle(symbol, record.text, reported, record.at)
                self.ledger.settle(symbol, reported, record.at)
        if record.code == "limit_latched":  # its text begins with the scope (docs/risk.md)
            scope, _, rest = record.text.partition(" ")
            self.latched.setdefault(scope, record.at)
            if rest.startswith("is HALTED"):
                self.halted.setdefault(scope, record.at)

    def _said(self, at: float, text: str) -> None:
        self.critical.append((at, text))
