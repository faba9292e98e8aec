"""I18 who must know is told in time, I19 what nobody traded stops its symbol, I20 nothing secret leaves."""

from __future__ import annotations

import math
import re

from msgspec import Struct

from tests.simulation.history import (
    Alerted,
    Beat,
    Broker,
    BrokerSeen,
    Fault,
    Journalled,
    Noticed,
    ProcessEnded,
    ProcessStarted,
    Record,
    Sent,
)
from tests.simulation.judge.breach import SLACK_S, Invariant
from tests.simulation.judge.ref import is_in_scope, ref_of
from tests.simulation.judge.scene import PROTECT_S, Scene

ALERT_S = 5.0
REPEAT_S = 3600.0
RETRY_S = 60.0
"""A channel that failed is tried again at the latest after so long (docs/alerts.md)."""
BEAT_S = 30.0
STRANGE_S = 60.0
"""Beside the interval of comparisons: until a change that nobody of ours traded is told."""
SHOWN_S = 35.0
"""From the first report that shows the change: a second one, at most 30 s later, has to say the same (TWS.md 4.53)."""
PROMPT_S = 0.1
"""An event and its record are at most so far apart."""
ACCOUNT = re.compile(r"\b[DF]?U\d{5,9}\b")


class _Owed(Struct):
    at: float
    code: str
    text: str


class Told(Invariant):
    """I18. A critical notice is in a channel within ALERT_S; a beat leaves every BEAT_S while the process lives.

    Excused: the same code went out within the time of repeats (docs/alerts.md), the process was killed before it
    could send (what was not handed over is gone with it), the channel is down or was: then RETRY_S after it came
    back.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._owed: list[_Owed] = []
        self._sent: dict[str, float] = {}
        self._is_down = False
        self._up_at = float("-inf")
        self._beat_at: float | None = None

    def before(self, at: float) -> None:
        while (
            self._owed and not self._is_down and at > max(self._owed[0].at, self._up_at + RETRY_S) + ALERT_S + SLACK_S
        ):
            owed = self._owed.pop(0)
            self.breach(
                "I18", f"{owed.code} {owed.at}", f"{owed.code}: no alert in {ALERT_S:g} s: {owed.text}", at=owed.at
            )
        every_s = self.scene.rule("heartbeat_every_s", 10.0)
        if self._beat_at is not None and at > self._beat_at + max(3 * every_s, BEAT_S) + SLACK_S:
            self.breach("I18", f"beat {self._beat_at}", f"no heartbeat since {self._beat_at:.3f}, the process lives")
            self._beat_at = None

    def take(self, record: Record) -> None:
        match record:
            case Noticed(level="critical", code=code, text=text):
                repeat_s = self.scene.rule("repeat_after_s", REPEAT_S)
                if self._sent.get(code, float("-inf")) < record.at - repeat_s:
                    self._owed.append(_Owed(record.at, code, text))
            case Alerted(code=code):
                self._sent[code] = record.at
                self._owed = [owed for owed in self._owed if owed.code != code]
            case ProcessStarted():
                self._owed, self._beat_at = [], None
            case ProcessEnded():
                self._owed, self._beat_at = [], None
            case Beat():
                self._beat_at = record.at
            case Fault(name="channel_down", phase=phase):
                self._is_down, self._up_at = phase != "ended", record.at
            case Fault(source="disk" | "process"):
                self._beat_at = None if self._beat_at is None else record.at
            case _:
                pass


class Strange(Invariant):
    """I19. After a split nothing leaves for the symbol until a person accepts or flattens, or book and broker agree.

    Nobody knows of it before a report shows it. The cancel of an order makes it likely: then all has to wait for that
    report, but for a stop, and that for half the time in which shares have to be protected (I1).
    Any change that no order of ours made is told a person: STRANGE_S and an interval of comparisons after it, if it
    lasts and the broker's reports show it, and SHOWN_S after the first that does; each further one as well. What
    leaves him less than a share leaves nothing that could be traded.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._strange_since: dict[str, float] = {}
        self._told: dict[str, float] = {}
        self._known: dict[str, float] = {}
        """A stranger's shares when a person was last told of the symbol."""
        self._flattened: dict[str, None] = {}
        """Plans that a person wants flat, also if he lets new entries come again before it can be done."""

    def before(self, at: float) -> None:
        scene = self.scene
        for symbol, since in {**self._strange_since, **scene.splits.waiting}.items():
            due = scene.reach.due_at(since, STRANGE_S + scene.reconcile_s)
            is_owed = self._told.get(symbol, float("-inf")) < since and not self._is_hidden(symbol, since)
            shown_at = scene.shown_at.get(symbol, since)
            if due is not None and at > max(due, shown_at + SHOWN_S) and is_owed:
                is_split = symbol in scene.splits.waiting
                what = "a split" if is_split else f"{scene.ledger.foreign[symbol]:g} shares of somebody else"
                self.breach("I19", f"{symbol} {since}", f"{symbol}: {what} since {since:.3f}, and nobody was told")

    def take(self, record: Record) -> None:
        match record:
            case Sent(order=order) if order.symbol in self.scene.splits.waiting and self._must_wait(record):
                ref = ref_of(order.ref)
                stands = any(verb == "flatten" for verb, _at in self.scene.orders_of_people.values())
                if not (ref is not None and ref.leg == "X" and (stands or ref.plan in self._flattened)):
                    self.breach(
                        "I19", order.ref, f"{order.ref}: sent after a split of {order.symbol} that nobody has accepted"
                    )
            case Journalled(name="OperatorCommanded", event={"verb": "flatten", "scope": scope}):
                refs = [ref for plan in self.scene.ledger.held if (ref := ref_of(f"{plan}:X")) is not None]
                self._flattened |= {ref.plan: None for ref in refs if is_in_scope(ref, str(scope))}
            case Noticed(code="flatten_waits") | Alerted(code="flatten_waits"):
                pass  # it names what is to be closed and says nothing of a change
            case Noticed(level="warning" | "critical", text=text) | Alerted(text=text):
                for symbol in self.scene.settings.symbols:
                    if symbol in text:
                        self._told[symbol], self._known[symbol] = record.at, self.scene.ledger.foreign[symbol]
                        self._strange_since.pop(symbol, None)
            case Broker() | BrokerSeen():
                if isinstance(record, Broker) and record.what == "split":
                    split = str(record.record["symbol"])
                    self._known[split] = self._known.get(split, 0.0) * float(record.record["ratio"])
                for symbol in self.scene.settings.symbols:
                    ledger, foreign = self.scene.ledger, self.scene.ledger.foreign[symbol]
                    seen = ledger.net(symbol) - math.trunc(ledger.own[symbol])  # beside a split's fraction of ours
                    if min(abs(foreign), abs(seen)) >= 1.0 and abs(foreign - self._known.get(symbol, 0.0)) >= 1.0:
                        self._strange_since.setdefault(symbol, record.at)
                    else:
                        self._strange_since.pop(symbol, None)
            case _:
                pass

    def _is_hidden(self, symbol: str, since: float) -> bool:
        """Whether no report could show it yet, or none can: a split of nothing, or nothing here as well as there."""
        scene = self.scene
        is_of_nothing = since == scene.splits.waiting.get(symbol) and symbol in scene.splits.unseen
        net = scene.ledger.net(symbol)
        is_gone = not net and scene.book is not None and scene.book.at > since and not scene.book.positions.get(symbol)
        return scene.is_hidden(symbol, since) or (is_of_nothing and not net) or is_gone

    def _must_wait(self, record: Sent) -> bool:
        symbol, scene = record.order.symbol, self.scene
        if symbol not in scene.splits.unseen:
            return True
        since, ref = scene.splits.suspected.get(symbol), ref_of(record.order.ref)
        if since is None:
            return False
        patience_s = (scene.limit("protect_within_s") or PROTECT_S) / 2
        return ref is None or ref.leg != "P" or record.at < since + patience_s - PROMPT_S


class Secret(Invariant):
    """I20, of what arrived outside; logs, journal and MQTT are scanned by the world (Checked)."""

    def take(self, record: Record) -> None:
        if isinstance(record, Alerted):
            found = ACCOUNT.search(record.text)
            if found:
                self.breach("I20", found.group(), f"alert {record.code} names the account {found.group()[:2]}...")
