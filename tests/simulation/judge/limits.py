"""I7 the limits hold at the moment of sending, orders in flight counted; I8 rates, children at most their parent."""

from __future__ import annotations

import math
from collections import Counter, deque

from tests.simulation.history import Broker, BrokerSeen, Journalled, Record, Sent
from tests.simulation.judge.breach import DUST, SLACK_S, Invariant
from tests.simulation.judge.ref import Ref, ref_of, sign_of
from tests.simulation.judge.scene import Scene

PRICE_SLACK = 1.05
"""The gate values shares at the last close it knows; the market's last price may have gone on by this much since."""
IN_FLIGHT_S = 5.0
"""How long an entry that left and is not at the broker counts; later a report may have shown that it never arrived."""
HANDLED_S = 0.01
"""By so much the way from one row to its entry may be shorter than that from another."""
LOSS_S = 300.0
"""Three samples of the account in a row (docs/risk.md), told every three minutes and with each comparison."""


class Limits(Invariant):
    """I7 for each entry as it leaves: its size, the worst case of its instrument and of the account, the loss of the
    day.

    Positions and remaining entries are the broker's, so what was executed and not yet told counts all the same. A
    second order that the broker itself made of one reference (TWS.md 4.37) is not counted, nor are shares that came
    back because the broker took their sale back and has not said so yet: nobody could foresee it.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._prices: dict[str, float] = {}
        self._session: tuple[float, float] | None = None
        self._first_equity: float | None = None
        self._equity_before: float | None = None
        """The lowest of the look before a reset, what was told last and the day's first: a reset excuses what is lost,
        it takes away nothing that was won. What the loss is counted from lies between it and the first look after."""
        self._equity_told: float | None = None
        self._lost_since: float | None = None

    def take(self, record: Record) -> None:
        match record:
            case Sent(order=order):
                if record.last:
                    self._prices[order.symbol] = record.last
                ref = ref_of(order.ref)
                if ref is not None and ref.leg == "E" and self.scene.is_first:
                    self._judge(record, ref)
            case Broker(what="split", record=split) if split["symbol"] in self._prices:
                self._prices[str(split["symbol"])] /= float(split["ratio"])
            case BrokerSeen(net_liquidation=float(equity)):
                self._watch_loss(record.at, equity)
            case Journalled(name="OperatorCommanded", event=event) if event["verb"] == "reset":
                seen = self.scene.seen.net_liquidation if self.scene.seen else None
                known = (seen, self._equity_told, self._first_equity)
                self._equity_before = min((equity for equity in known if equity is not None), default=None)
                self._first_equity = self._lost_since = None
            case Journalled(event={"account": {"net_liquidation": float(equity)}}):
                self._equity_told = equity
            case _:
                pass

    def _judge(self, record: Sent, ref: Ref) -> None:
        order, worst = record.order, self._worst(record)
        price = self._prices.get(order.symbol, 0.0) / PRICE_SLACK
        for name, value in (
            ("max_order_quantity", order.quantity),
            ("max_order_notional", order.quantity * price),
            ("max_position_quantity", worst),
            ("max_position_notional", worst * price),
        ):
            self._hold(name, value, self.scene.limit(name), order.ref)
        equity = self.scene.seen.net_liquidation if self.scene.seen else None
        if equity:
            gross, net = self._exposure(record, worst * price)
            self._hold(
                "max_gross_exposure", gross / equity / PRICE_SLACK, self.scene.limit("max_gross_exposure"), order.ref
            )
            self._hold("max_net_exposure", net / equity / PRICE_SLACK, self.scene.limit("max_net_exposure"), order.ref)
        limit = self.scene.limit("max_day_loss")
        if (
            self._lost_since is not None
            and record.at > self._lost_since + LOSS_S
            and not self.scene.reach.was_hindered(record.at, LOSS_S)
        ):
            self.breach(
                "I7",
                f"{ref.session} loss",
                f"{order.ref}: sent although more than {limit:g} is lost since {self._lost_since:.3f}",
            )
        latched = [
            scope
            for scope in self.scene.latched
            if scope in {"account", f"strategy:{ref.strategy}", f"instrument:{ref.symbol}"}
        ]
        if (
            latched
            and self.scene.written.journalled_at.get(order.ref, record.at) > self.scene.latched[latched[0]] + SLACK_S
        ):
            self.breach(
                "I7", f"{latched[0]} latched", f"{order.ref}: sent although {latched[0]} is latched and nobody reset it"
            )

    def _hold(self, name: str, value: float, limit: float | None, ref: str) -> None:
        if limit is not None and value > limit * (1 + DUST):
            self.breach("I7", f"{ref} {name}", f"{ref}: {name} is {limit:g}, with this entry {value:g}")

    def _worst(self, record: Sent) -> float:
        """Shares in its direction if everything in flight fills; the other side makes no room (docs/risk.md)."""
        order, sign = record.order, sign_of(record.order.side)
        return self._on_side(order.symbol, sign) + self._coming(order.symbol, order.side, record.at)

    def _on_side(self, symbol: str, sign: int) -> float:
        """Whole shares of the plans on that side, and those adopted of a stranger's as far as not closed since."""
        ledger = self.scene.ledger
        ours = {plan: ledger.held[plan] for plan in ledger.entered(symbol)}
        adopted = self._held(symbol) - sum(ours.values())
        for plan, back in self._come_back(symbol):
            if plan in ours and back * ours[plan] > 0:
                ours[plan] -= back
        return sum(max(math.floor(sign * shares + DUST), 0.0) for shares in (*ours.values(), adopted))

    def _come_back(self, symbol: str) -> list[tuple[str, float]]:
        """Plans and the signed shares that a correction of which the daemon was not told gave back to them."""
        ledger, found = self.scene.ledger, list[tuple[str, float]]()
        for stem, (exec_id, its, _) in self.scene.written.untold.items():
            before = ledger.versions.get(f"{stem}.{int(exec_id.rpartition('.')[2]) - 1:02}")
            done = ledger.executed.get(stem)
            if its == symbol and before is not None and done is not None:
                side, _, quantity = before
                found.append((done.plan, done.signed - sign_of(side) * quantity * done.ratio))
        return found

    def _held(self, symbol: str) -> float:
        """Ours, and a stranger's once they were adopted: the stop that closes them is our own order."""
        ledger = self.scene.ledger
        return ledger.own[symbol] + ledger.accepted.get(symbol, 0.0)

    def _coming(self, symbol: str, side: str, at: float) -> float:
        """Entries of the symbol on that side that may still fill: at the broker, or on the way to it."""
        resting: dict[str, float] = {}
        for order in self.scene.ledger.resting.values():
            if order.leg == "E" and (order.symbol, order.side) == (symbol, side):
                resting[order.ref] = max(order.remaining, resting.get(order.ref, 0.0))
        for sent in self.scene.written.entries[symbol]:
            is_new = sent.order.ref not in self.scene.ledger.arrived and at - sent.first_at <= IN_FLIGHT_S
            if is_new and sent.order.side == side:
                resting[sent.order.ref] = sent.order.quantity
        return sum(resting.values())

    def _exposure(self, record: Sent, with_this: float) -> tuple[float, float]:
        """Gross worst case of the account in dollars, and longs minus shorts in the direction of the entry.

        What a stranger holds against that makes the account's net smaller, whether it was adopted or not; and what was
        executed counts once the daemon has heard of it.
        """
        sign = sign_of(record.order.side)
        against = self._on_side(record.order.symbol, -sign) * (self._prices.get(record.order.symbol) or 0.0)
        gross, net = with_this, with_this - against
        seen = self.scene.seen.average_prices if self.scene.seen else {}
        for symbol in self.scene.settings.symbols:
            if symbol != record.order.symbol:
                price = self._prices.get(symbol) or seen.get(symbol, 0.0)
                ledger = self.scene.ledger
                unknown = [ledger.executed.get(stem) for stem in self.scene.written.unknown(symbol)]
                news = sign * sum(done.signed for done in unknown if done is not None)
                net_held = min(sign * self._held(symbol), sign * ledger.net(symbol)) - max(news, 0.0)
                long = self._on_side(symbol, 1) + self._coming(symbol, "BUY", record.at)
                short = self._on_side(symbol, -1) + self._coming(symbol, "SELL", record.at)
                gross += max(long, short) * price / PRICE_SLACK
                net += net_held * price
        return gross, net

    def _watch_loss(self, at: float, equity: float) -> None:
        session = self.scene.session_at(at)
        if session != self._session:
            self._session, self._first_equity, self._lost_since, self._equity_before = session, None, None, None
        limit = self.scene.limit("max_day_loss")
        if limit is None or session is None:
            return
        if self._first_equity is None:
            before = self._equity_before
            self._first_equity = equity if before is None else min(equity, before)
        if equity > self._first_equity - limit:
            self._lost_since = None
        elif self._lost_since is None:
            self._lost_since = at


class Rates(Invariant):
    """I8. Counted as entries leave, over restarts; not where a slow disk or line let them go at once."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._sent: deque[float] = deque()
        self._of_session: Counter[str] = Counter()

    def take(self, record: Record) -> None:
        match record:
            case Sent(order=order) if self.scene.is_first:
                ref = ref_of(order.ref)
                if ref is not None and ref.leg == "E":
                    self._count(record, ref)
                elif ref is not None and ref.leg in "ST":
                    self._compare(record, ref)
            case _:
                pass

    def _count(self, record: Sent, ref: Ref) -> None:
        self._sent.append(record.at)
        while self._sent[0] <= record.at - 60.0 + HANDLED_S:
            self._sent.popleft()
        self._of_session[ref.session] += 1
        within_s = sum(at > record.at - 1.0 + HANDLED_S for at in self._sent)
        for name, count, window_s in (
            ("max_orders_per_s", within_s, 1.0),
            ("max_orders_per_min", len(self._sent), 60.0),
        ):
            if not self.scene.reach.was_hindered(record.at, window_s + SLACK_S):
                self._hold(name, count, ref)
        self._hold("max_orders_per_day", self._of_session[ref.session], ref)

    def _hold(self, name: str, count: int, ref: Ref) -> None:
        limit = self.scene.limit(name)
        if limit is not None and count > limit:
            self.breach("I8", f"{name} {ref.session}", f"{ref.plan}: entry number {count}, {name} is {limit:g}")

    def _compare(self, record: Sent, ref: Ref) -> None:
        parent = self.scene.written.sent.get(f"{ref.plan}:E")
        if parent is not None and record.order.quantity > parent.quantity_max + DUST:
            text = f"{record.order.ref}: {record.order.quantity:g} shares under an entry of {parent.quantity_max:g}"
            self.breach("I8", record.order.ref, text)
