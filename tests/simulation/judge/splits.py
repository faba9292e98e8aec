"""What is known of splits: which wait for a person, who could know of them, and what orders of before made of them.

A split waits from the broker's record of it until a person has accepted it, the book is set for a flatten, book and
broker agree, or nothing is left of it at either.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.simulation.history import BookSeen, Broker, BrokerSeen, Journalled, Sent
from tests.simulation.judge.breach import DUST
from tests.simulation.judge.ledger import Ledger
from tests.simulation.judge.ref import ref_of, stem_of
from tests.simulation.judge.written import Written

CANCELLED = "OrderCancelled"


class Splits:
    """By symbol, with the instant where there is one. The scene alone tells it what happens."""

    def __init__(self, ledger: Ledger, written: Written) -> None:
        self._ledger, self._written = ledger, written
        self.waiting: dict[str, float] = {}
        """Those that nobody has accepted, and when they were."""
        self.ended_at: dict[str, float] = {}
        self.unseen: set[str] = set()
        """Of these nobody can know: the reports do not show it yet, or it is blurred."""
        self.suspected: dict[str, float] = {}
        """Those of them of which a cancel was told and no report yet, since when: what is held has to be asked."""
        self._accepted: dict[str, float] = {}
        """Those that a person has accepted and that no report has settled yet, and when they were."""
        self._sold_off: dict[str, float] = {}
        """Since when all was gone before anybody had accepted it; a correction may bring it back."""
        self._raced: set[str] = set()
        """Orders that left for a symbol before anybody could know that it had split."""
        self._blurred: set[str] = set()
        """Where such an order has executed behind the split: what is held shows no ratio any more."""
        self._sold_for_margin: set[str] = set()
        """Where the broker has sold of a split that waits: in the book, which knows of none, that is a part of it."""
        self._is_flatten_wanted = False
        """Whether a person has ever wanted something flat: that answers a split where the book is set for it."""

    def is_blurred(self, symbol: str) -> bool:
        """Whether an order that left before anybody could know of a split has executed, and nobody has accepted."""
        return symbol in self._blurred

    # ------------------------------------------------------------------ the broker

    def before(self, record: Broker, reported: Mapping[str, float] | None) -> None:
        """The broker acts, and the ledger has not heard of it yet.

        A split waits for a person, but not where it leaves less than a share of what is a stranger's alone and was not
        adopted, nor where no report had shown that.
        """
        if record.what != "split":
            return
        symbol, ratio = str(record.record["symbol"]), float(record.record["ratio"])
        is_shown = reported is None or abs(reported.get(symbol, 0.0)) > DUST
        if self._in_the_book(symbol) or (is_shown and abs(self._ledger.net(symbol) * ratio) >= 1.0):
            if symbol not in self.waiting:
                self._blurred.discard(symbol)
            self._wait(symbol, record.at)
            under_way = self._written.sent.keys() - self._ledger.arrived
            self._raced |= {ref for ref in under_way if self._written.sent[ref].order.symbol == symbol}

    def after(self, record: Broker) -> None:
        """The ledger has taken it."""
        if record.what == "execution" and str(record.record.get("order_ref", "")) in self._raced:
            self._blur(str(record.record["symbol"]))
        if record.what == "execution" and record.record.get("liquidation"):
            self._sold_for_margin |= {str(record.record["symbol"])} & self.waiting.keys()
        self._bring_back(record)

    # ------------------------------------------------------------------ the daemon

    def left(self, record: Sent) -> None:
        """An order has left for the first time."""
        if record.order.symbol in self.unseen:
            self._raced.add(record.order.ref)

    def report(self, reported: Mapping[str, float], at: float) -> None:
        """The broker has told the daemon what it holds.

        A report that still shows the shares of before (TWS.md 4.53) hides a split, another one shows it, but one of
        nothing neither. What a stranger sold of it leaves the book with an accept only (docs/operations.md).
        """
        for symbol in [symbol for symbol, since in self.waiting.items() if at > since]:
            self.suspected.pop(symbol, None)
            shown, net = reported.get(symbol, 0.0), self._ledger.net(symbol)
            if shown != net or symbol in self._blurred:
                self.unseen.add(symbol)
            elif net:
                self.unseen.discard(symbol)
            if not net and not shown and self._is_over_in_the_book(symbol):
                self._end(symbol, at)  # the daemon has been told how all went: there is nothing to accept
                self._sold_off[symbol] = at

    def told(self, record: Journalled) -> None:
        """The daemon has heard of an end that may be a split's."""
        parts = ref_of(str(record.event["ref"])) if record.name == CANCELLED else None
        if parts is not None and parts.symbol in self.unseen - self._blurred:
            self.suspected.setdefault(parts.symbol, record.at)

    def agree(self, book: BookSeen, seen: BrokerSeen) -> None:
        """A break has ended where the book holds what the broker holds."""
        for symbol in {**self.waiting, **self._accepted}:
            if book.positions.get(symbol, 0.0) == seen.positions.get(symbol, 0.0):
                self._end(symbol, book.at)
                self._accepted.pop(symbol, None)
                self._blurred.discard(symbol)
                if not seen.positions.get(symbol):
                    self._sold_off[symbol] = book.at

    # ------------------------------------------------------------------ people

    def order(self, verb: str, scope: str, at: float, *, is_refused: bool) -> None:
        """A person has ordered."""
        self._is_flatten_wanted |= verb == "flatten"
        if verb == "accept" and not is_refused:
            symbol = scope.removeprefix("instrument:")
            if symbol in self.waiting:
                self._accepted[symbol] = self.waiting[symbol]
            self._end(symbol, at)

    def refuse(self, symbol: str) -> None:
        """The report that was asked for shows something else than what a person has accepted: the split still waits."""
        if symbol in self._accepted:
            self.waiting.setdefault(symbol, self._accepted.pop(symbol))

    def settle(self, symbol: str, text: str, shares: float, at: float) -> None:
        """The book was set to so many shares."""
        self._accepted.pop(symbol, None)
        if "accepted by a person" in text:
            self._ledger.disown(symbol, shares, is_blurred=symbol in self._blurred)
            self._close_fractions(symbol)
            self._blurred.discard(symbol)
        if "for a flatten" in text and self._is_flatten_wanted:
            self._end(symbol, at)
            self._blurred.discard(symbol)

    # ------------------------------------------------------------------ leaves

    def _close_fractions(self, symbol: str) -> None:
        """Less than a share of before a split had no order that could sell it: what it has become closes others."""
        _at, ratio = self._ledger.split.get(symbol, (0.0, 1.0))
        for plan in self._ledger.entered(symbol):
            if abs(self._ledger.held.get(plan, 0.0)) < ratio:
                self._ledger.net_out(plan)

    def _wait(self, symbol: str, at: float) -> None:
        self.waiting[symbol] = at
        self.unseen.add(symbol)

    def _end(self, symbol: str, at: float) -> None:
        if self.waiting.pop(symbol, None) is not None:
            self.ended_at[symbol] = at
            self.unseen.discard(symbol)
            self.suspected.pop(symbol, None)
            self._sold_for_margin.discard(symbol)

    def _is_over_in_the_book(self, symbol: str) -> bool:
        """Whether the daemon's own executions, all told, have left nothing of what it holds and has adopted."""
        is_known = symbol not in self._sold_for_margin
        return is_known and not self._in_the_book(symbol) and self._written.untold_since(symbol) is None

    def _in_the_book(self, symbol: str) -> bool:
        """Whether there is something that our own plans hold, adopted ones among them."""
        return abs(self._ledger.own[symbol] + self._ledger.accepted[symbol]) >= DUST

    def _blur(self, symbol: str) -> None:
        if symbol in self.waiting:
            self._blurred.add(symbol)
            self.unseen.add(symbol)
            self.suspected.pop(symbol, None)

    def _bring_back(self, record: Broker) -> None:
        """What was sold after a split that nobody has accepted, and was not after all, waits for a person again."""
        symbol = str(record.record.get("execution", record.record).get("symbol", ""))
        if record.what == "execution" and str(record.record["order_ref"]).endswith(":E"):
            self._sold_off.pop(symbol, None)
        elif record.what == "correction" and symbol in self._sold_off and self._ledger.net(symbol):
            corrected = self._ledger.executed.get(stem_of(str(record.record["execution"]["exec_id"])))
            if corrected is None or corrected.at > self._sold_off[symbol]:
                return  # of what was traded when all of the split was gone
            del self._sold_off[symbol]
            self._wait(symbol, record.at)
