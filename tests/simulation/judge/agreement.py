"""I5 at rest the book is the broker's, I6 each execution is booked once, I12 unknown is never empty."""

from __future__ import annotations

from collections import Counter, deque
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tests.simulation.history import BookSeen, BrokerSeen, Journalled, Record
from tests.simulation.judge.breach import DUST, Invariant
from tests.simulation.judge.reach import RECONNECT_S
from tests.simulation.judge.ref import ref_of, sign_of, stem_of, unasked
from tests.simulation.judge.scene import Scene
from tests.simulation.judge.written import fills_in

QUIET_S = 5.0
PRICE_TOLERANCE = 1e-4
ACCOUNT_S = 240.0
"""Account values come every three minutes (TWS.md 3.28); a figure that stood longer must have arrived."""
LOST_REPORTS = 3
"""Comparisons until an order of which nothing was told is settled: two complete reports (docs/orders.md), one lost."""
_ZONE = ZoneInfo("America/New_York")
_OF_EVERYTHING, _LOST = frozenset({"reconciled"}), frozenset({"settled", "lost_order"})
"""What may only follow from a report in which everything was answered, or all but the account's figures."""


class AtRest(Invariant):
    """I5 and I6, at looks at both sides at which nothing is under way.

    Judged when the daemon is up, reconciled and able to act, QUIET_S after the last fault that touches orders and the
    last doing of the broker in the symbol. Excused: a split or a stranger's shares nobody has accepted (the book may
    hold ours alone, with what was accepted before; where they are to be adopted, until that is due, which is not while
    the broker's reports hide them), and an execution of an earlier day that a gateway no longer tells (TWS.md 3.25), if
    the symbol is locked. A position that is wrong where an execution came twice is I6.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._booked: Counter[str] = Counter()
        self._first: dict[str, float] = {}
        """Signed shares of an execution as it came first: what a second booking adds."""
        self._cash: deque[tuple[float, float]] = deque()

    def take(self, record: Record) -> None:
        match record:
            case Journalled(name="OrderFilled" | "FillCorrected"):
                self._book(record)
            case BrokerSeen():
                self._cash.append((record.at, record.cash))
                while self._cash[0][0] < record.at - ACCOUNT_S:
                    self._cash.popleft()
            case BookSeen() if self._is_at_rest(record):
                for symbol in self.scene.settings.symbols:
                    self._compare_position(record, symbol)
                self._compare_orders(record)
                self._compare_cash(record)
            case _:
                pass

    def _is_at_rest(self, book: BookSeen) -> bool:
        scene, reach = self.scene, self.scene.reach
        is_pair = scene.seen is not None and scene.seen.at == book.at
        is_ready = book.is_up and book.is_reconciled and book.is_quiet and reach.is_able and not reach.is_disturbed
        return is_pair and is_ready and book.at - reach.fault_at >= QUIET_S

    def _book(self, record: Journalled) -> None:
        """An execution of the wire is one that the broker has given, in those words."""
        for fill in fills_in(record):
            exec_id = str(fill["exec_id"])
            self._booked[stem_of(exec_id)] += 1
            self._first.setdefault(stem_of(exec_id), sign_of(str(fill["side"])) * float(fill["quantity"]))
            given = self.scene.ledger.versions.get(exec_id)
            said = (str(fill["side"]), str(fill["symbol"]), float(fill["quantity"]))
            if given != said:
                self.breach("I6", exec_id, f"{exec_id} booked as {said}, the broker gave {given}")

    def _compare_position(self, book: BookSeen, symbol: str) -> None:
        scene, ledger = self.scene, self.scene.ledger
        net, mine = ledger.net(symbol), book.positions.get(symbol, 0.0)
        is_strange = symbol in ledger.disturbed and self._is_ours(symbol, mine)
        is_fraction = symbol in ledger.disturbed and abs(net - mine) < 1.0 - DUST
        if abs(mine - net) < DUST or is_fraction or (is_strange and not self._is_to_adopt(book, symbol)):
            self._compare_price(book, symbol)
            return
        since = max(scene.known_since(symbol, ledger.touched_at.get(symbol, 0.0)), scene.reach.fault_at)
        if is_strange:
            since = max(since, scene.shown_at.get(symbol, since))
        due = scene.reach.due_at(since, RECONNECT_S if is_strange else QUIET_S)
        if due is None or book.at < due or symbol in scene.splits.waiting or self._is_forgotten(book, symbol):
            return
        twice = self._explaining(symbol, mine - net)
        name, why = ("I6", f", {twice} came {self._booked[twice]} times") if twice else ("I5", "")
        self.breach(name, symbol, f"{symbol}: the book holds {mine:g}, the broker {net:g}{why}")

    def _is_ours(self, symbol: str, mine: float) -> bool:
        """Whether the book holds what our own plans hold, with or without what a stranger's shares were last set to."""
        ledger = self.scene.ledger
        return any(abs(ledger.own[symbol] + more - mine) < 1.0 - DUST for more in (0.0, ledger.accepted[symbol]))

    def _is_to_adopt(self, book: BookSeen, symbol: str) -> bool:
        """Whether a stranger's shares have to come into the book by themselves: beside ours, and none is in doubt."""
        scene, ledger = self.scene, self.scene.ledger
        net = ledger.net(symbol)
        ours = [ledger.held[plan] for plan in ledger.holding(symbol) if f"{plan}:E" in ledger.arrived]
        is_beside = all(held * net > 0 for held in ours) and abs(net) >= abs(sum(ours))
        is_doubtful = any(ref is not None and ref.symbol == symbol for ref in map(ref_of, book.unknown))
        is_held = any(order.is_held for order in ledger.resting.values() if order.symbol == symbol)
        moved_at = ledger.moved_at.get(symbol, 0.0)
        is_unasked = scene.reported_at <= moved_at and book.at < moved_at + scene.reconcile_s + RECONNECT_S
        is_hidden = is_unasked or scene.is_hidden(symbol, moved_at)
        is_policy = scene.settings.rules.get("foreign", "report") != "report"
        return is_policy and is_beside and not is_doubtful and not is_held and not is_hidden

    def _explaining(self, symbol: str, too_much: float) -> str:
        """An execution that came more than once and whose shares, counted again, are the difference; empty if none."""
        for stem, done in self.scene.ledger.executed.items():
            more = range(1, self._booked[stem])
            if done.symbol == symbol and any(abs(too_much - again * self._first[stem]) < DUST for again in more):
                return stem
        return ""

    def _is_forgotten(self, book: BookSeen, symbol: str) -> bool:
        untold = self.scene.written.untold_since(symbol)
        return untold is not None and symbol in book.locks and _day(untold) != _day(book.at)

    def _compare_price(self, book: BookSeen, symbol: str) -> None:
        """Where one plan alone has held since all was flat: the broker averages over plans, the book does not.

        Nor does the book begin anew within a plan: its price is that of the whole entry, in whatever order executions
        come. Where shares were closed between the parts of one, the broker's is that of what was open; and where exits
        closed too many, that of what bought them back.
        """
        scene, seen = self.scene, self.scene.seen
        mine = book.average_prices.get(symbol)
        theirs = seen.average_prices.get(symbol) if seen else None
        alone = scene.ledger.plans_since_flat[symbol]
        if len(alone) > 1:
            return
        if not mine or not theirs or symbol in scene.ledger.disturbed or symbol in scene.settled:
            return
        since = scene.known_since(symbol, scene.ledger.touched_at.get(symbol, 0.0))
        fees = scene.ledger.commissions[symbol] / max(abs(scene.ledger.net(symbol)), 1.0)
        due = scene.reach.due_at(since, QUIET_S)
        prices = [theirs, *(price for plan in sorted(alone) for price in self._of_parts(plan))]
        apart = min(abs(mine - price) for price in prices)
        if due is not None and book.at >= due and apart > PRICE_TOLERANCE * theirs + fees:
            self.breach(
                "I5", f"{symbol} price", f"{symbol}: average price {mine:g} in the book, {theirs:g} at the broker"
            )

    def _of_parts(self, plan: str) -> list[float]:
        """The price of the plan's whole entry where some was closed before the rest of it came, or was bought back.

        Else nothing. What exits closed too much is bought back, and the broker's price is of that once an exit is not.
        """
        done = [each for each in self.scene.ledger.executed.values() if each.plan == plan and abs(each.signed) > DUST]
        places = [place for place, each in enumerate(done) if each.ref == f"{plan}:E"]
        if not places:
            return []
        parts = [done[place] for place in places]
        is_in_one = places[-1] - places[0] == len(places) - 1
        if is_in_one and not any(each.ref != parts[0].ref and each.signed * parts[0].signed > 0 for each in done):
            return []
        return [sum(part.signed * part.price for part in parts) / sum(part.signed for part in parts)]

    def _compare_orders(self, book: BookSeen) -> None:
        scene = self.scene
        theirs = {order.ref: order.symbol for order in scene.ledger.resting.values() if order.plan}
        mine = {*book.working, *book.unknown}
        for text in sorted(mine ^ set(theirs)):
            ref = ref_of(text)
            if ref is None or ref.symbol in scene.splits.waiting:
                continue
            touched = scene.ledger.touched_at.get(ref.symbol, 0.0)
            since = max(touched, scene.written.journalled_at.get(text, 0.0), scene.reach.fault_at)
            due = scene.reach.due_at(since, LOST_REPORTS * scene.reconcile_s + QUIET_S)
            if due is not None and book.at >= due:
                where = "at the broker, not in the book" if text in theirs else "in the book, not at the broker"
                self.breach("I5", text, f"{text}: works {where}")

    def _compare_cash(self, book: BookSeen) -> None:
        values = {cash for _at, cash in self._cash}
        lasted = self._cash[-1][0] - self._cash[0][0] if self._cash else 0.0
        asked_s = self.scene.reconcile_s + QUIET_S  # TWS does not repeat a value that a fault has eaten
        due = self.scene.reach.due_at(self.scene.reach.fault_at, max(ACCOUNT_S, asked_s))
        if book.cash is None or len(values) != 1 or lasted < ACCOUNT_S * 0.8 or due is None or book.at < due:
            return
        (cash,) = values
        if abs(book.cash - cash) > PRICE_TOLERANCE * max(abs(cash), 1.0):
            self.breach("I5", "cash", f"cash {book.cash:.2f} in the book, {cash:.2f} at the broker for {lasted:.0f} s")


class UnknownIsNotEmpty(Invariant):
    """I12: nothing is concluded from what a report with unanswered questions does not show."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._before: BookSeen | None = None
        self._unanswered: tuple[str, ...] = ()
        self._explained: set[str] = set()

    def take(self, record: Record) -> None:
        match record:
            case Journalled(name="BrokerReported", event=event):
                missing, everything = unasked(event), tuple(event.get("unanswered") or ())
                allowed = (set() if everything else _OF_EVERYTHING) | (set() if missing else _LOST)
                drawn = sorted((_OF_EVERYTHING | _LOST) & set(record.notices) - allowed)
                if drawn:
                    text = f"{', '.join(drawn)} concluded from a report without {', '.join(everything)}"
                    self.breach("I12", f"row {record.sequence}", text)
                self._unanswered = missing
                if not missing:
                    self._explained = set(self._before.working) if self._before else set()
            case Journalled(name="OrderCancelled" | "OrderRejected", event=event):
                self._explained.add(str(event["ref"]))
            case Journalled(name="OrderFilled", event=event):
                self._explained.add(str(event["fill"]["ref"]))
            case BookSeen():
                self._look(record)
            case _:
                pass

    def _look(self, book: BookSeen) -> None:
        """An order that left the book while it lives at the broker, and only incomplete reports came between."""
        before = self._before
        if before is not None and before.process == book.process and self._unanswered:
            living = {order.ref for order in self.scene.ledger.resting.values()}
            gone = set(before.working) - set(book.working) - set(book.unknown) - self._explained
            for ref in sorted(gone & living):
                missing = ", ".join(self._unanswered)
                self.breach(
                    "I12", ref, f"{ref}: taken for gone after a report without {missing}, it lives at the broker"
                )
        self._before, self._explained, self._unanswered = book, set(), ()


def _day(at: float) -> object:
    return datetime.fromtimestamp(at, UTC).astimezone(_ZONE).date()
