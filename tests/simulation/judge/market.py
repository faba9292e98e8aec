"""I9 nothing outside the session, I10 no entry on bad or old data, I11 prices inside the collar."""

from __future__ import annotations

import math
from datetime import datetime
from itertools import pairwise

from tests.simulation.history import Journalled, LineChanged, Noticed, Record, Sent, Told
from tests.simulation.judge.breach import DUST, SLACK_S, Invariant
from tests.simulation.judge.ref import ADOPTED, STOPS, Ref, ref_of
from tests.simulation.judge.scene import DAY_S, Scene

LATE_S = 5.0
"""One step of the market: a price is as old as the end of its step, and a row is handled within the next."""
WILD = 2.0
"""No stop that is a part of the price is further from the market than half or twice of it (stop_pct is at most 50)."""
EXIT_S = 60.0
"""What closing before the close may take, of a time in which the daemon could act."""
MOVES = 14
"""Rows behind the last whose moves a stop by the average true range may be computed from."""
STEP_S = 5.0
"""Of the market: a price that has lasted for less at a split is of before it."""


class Hours(Invariant):
    """I9. Entries within the window of the exchange's calendar, both ends included; flat before the close where that
    is configured.

    Daily bars decide between two sessions, as a day order (docs/orders.md): their entries wait at the broker for the
    open. Held over the close is a breach only where the daemon could act for EXIT_S before it and sent nothing to
    close with; what a stranger has closed for us the broker does not hold, and nobody can sell it. A limit that halts
    (docs/risk.md: a liquidation) forbids a strategy's exits until a person resets it: somebody was told which it held
    back.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._closes = [closes for _opens, closes in scene.settings.sessions]
        self._held_back_at: dict[str, float] = {}
        """When a person was last told that an exit was denied, by symbol."""

    def before(self, at: float) -> None:
        flatten_s = self.scene.rule("flatten_before_close_s", 0.0)
        while self._closes and at > self._closes[0]:
            closes = self._closes.pop(0)
            if flatten_s > EXIT_S and self.scene.at > closes - DAY_S:
                self._check_flat(closes, closes - flatten_s)

    def take(self, record: Record) -> None:
        match record:
            case Sent(order=order) if self.scene.is_first and order.ref.endswith(":E") and not self.scene.is_daily:
                self._check_hour(record)
            case Noticed(code="exit_denied", text=text):
                self._held_back_at[text.partition(":")[0].rpartition(" ")[2]] = record.at
            case _:
                pass

    def _is_forbidden(self, symbol: str) -> bool:
        halted = [self.scene.halted.get(scope, math.inf) for scope in ("account", f"instrument:{symbol}")]
        return self._held_back_at.get(symbol, -math.inf) >= min(halted)

    def _check_hour(self, record: Sent) -> None:
        after_open_s = self.scene.rule("entry_after_open_s", 0.0)
        before_close_s = self.scene.rule("entry_before_close_s", 0.0)
        late_s = SLACK_S if not self.scene.reach.was_hindered(record.at, LATE_S) else LATE_S
        for opens, closes in self.scene.settings.sessions:
            if opens + after_open_s <= record.at <= closes - before_close_s + late_s:
                return
        self.breach("I9", record.order.ref, f"{record.order.ref}: sent outside the hours of entries")

    def _check_flat(self, closes: float, due: float) -> None:
        scene = self.scene
        able = scene.reach.able_since
        if (
            able is None
            or able > max(due, closes - EXIT_S) - EXIT_S
            or scene.orders_of_people
            or scene.reach.is_disturbed
        ):
            return
        for symbol in scene.settings.symbols:
            sent_at = scene.written.last_closing_at.get(symbol, float("-inf"))
            own, net = scene.ledger.own[symbol], scene.ledger.net(symbol)
            held = min(own, net, key=abs) if own * net > 0 else 0.0
            is_known = scene.known_since(symbol, due) < closes - EXIT_S
            is_a_persons = symbol in scene.splits.waiting or self._is_forbidden(symbol)
            if abs(held) >= 1.0 and sent_at < due - LATE_S and is_known and not is_a_persons:
                self.breach(
                    "I9", f"{symbol} {closes}", f"{symbol}: {held:g} shares held over the close, no exit was sent"
                )


class Data(Invariant):
    """I10. Judged twice: by the market's own last trade, and by the last row that the daemon had made durable.

    A price is as old as the end of its bar (docs/risk.md), also one that history told at a start.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._priced_at: dict[str, float] = {}
        self._is_away, self._away_at = False, float("-inf")

    def take(self, record: Record) -> None:
        match record:
            case Journalled(name="BarsClosed"):
                self._take_row(record)
            case Told(name="error", client_id=self.scene.settings.client_id, fields=fields):
                if str(fields.get("code")) == "1100":
                    self._is_away, self._away_at = True, record.at
            case LineChanged(client_id=self.scene.settings.client_id, state="up"):
                self._is_away = False
            case Sent(order=order) if self.scene.is_first and order.ref.endswith(":E"):
                self._judge(record)
            case _:
                pass

    def _take_row(self, record: Journalled) -> None:
        closes = record.event.get("close") or ()
        is_live = not record.event.get("warm_up")
        at = record.at if is_live else datetime.fromisoformat(str(record.event["closed_at"])).timestamp()
        self._is_away = self._is_away and not (is_live and self.scene.reach.is_server_there)
        for symbol, close in zip(self.scene.settings.symbols, closes, strict=False):
            if close is not None:
                self._priced_at[symbol] = max(at, self._priced_at.get(symbol, at))

    def _judge(self, record: Sent) -> None:
        order, at = record.order, record.at
        age_max_s = self.scene.limit("price_age_max_s")
        written_at = self.scene.written.journalled_at.get(order.ref, at)
        is_under_way = written_at <= self._away_at and at <= self._away_at + SLACK_S
        if self._is_away and not is_under_way:
            self.breach("I10", order.ref, f"{order.ref}: sent between 1100 and a fresh row")
        if age_max_s is not None:
            printed_at = None if record.last_at is None else self._bar_ends_at(record.last_at)
            ages = [at - known for known in (printed_at, self._priced_at.get(order.symbol)) if known is not None]
            if not ages or max(ages) > age_max_s + LATE_S:
                age = f"{max(ages):.1f} s old" if ages else "unknown"
                self.breach("I10", order.ref, f"{order.ref}: sent on a price that is {age}, at most {age_max_s:g}")
        self._judge_quote(record)

    def _bar_ends_at(self, at: float) -> float:
        """The end of the bar that a print is in: its row says that something printed, not when."""
        session = self.scene.session_at(at)
        into = (at - session[0]) % self.scene.settings.bar_s if session is not None else 0.0
        return at + self.scene.settings.bar_s - into if into else at

    def _judge_quote(self, record: Sent) -> None:
        order, written = record.order, self.scene.written
        if order.symbol not in self.scene.settings.symbols or written.row_at > written.journalled_at.get(
            order.ref, 0.0
        ):
            return
        index = self.scene.settings.symbols.index(order.symbol)
        bid, ask, close = (written.row_value(name, index) for name in ("bid", "ask", "close"))
        if bid is not None and ask is not None and (bid > ask or bid <= 0 or ask <= 0):
            self.breach("I10", order.ref, f"{order.ref}: sent on a quote of {bid:g} to {ask:g}")
        if close is not None and close <= 0:
            self.breach("I10", order.ref, f"{order.ref}: sent on a price of {close:g}")


class Collar(Invariant):
    """I11. An entry's limit is inside the collar around the market's last price or around the row it was decided on.

    One of the two is enough: the market may have jumped while the order was under way. A stop's price has no collar;
    one beyond WILD times the market and the last price that any row has brought, of the warm-up or of a life before,
    was computed from no price at all, unless it stands so many of the last rows' moves away as the configuration asks
    for. Until the first price and row of after a split its scale counts as well. So does what adopted shares have cost,
    until a second row in a row is far from it: one alone may be a bad print, whichever of the two is right.
    """

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene)
        self._closes: dict[str, list[float]] = {}
        self._closed_at: dict[str, float] = {}
        """When a row last brought a price of the symbol."""

    def take(self, record: Record) -> None:
        match record:
            case Sent(order=order) if order.symbol in self.scene.settings.symbols:
                ref = ref_of(order.ref)
                if ref is not None and ref.leg == "E" and order.limit_price is not None:
                    self._judge_limit(record)
                if ref is not None and ref.leg in STOPS and self.scene.is_first:
                    self._judge_stop(record, ref)
            case Journalled(name="BarsClosed", event=event):
                for symbol, close in zip(self.scene.settings.symbols, event.get("close") or (), strict=False):
                    if close:
                        self._closes[symbol] = [*self._closes.get(symbol, [])[-MOVES:], close]
                        self._closed_at[symbol] = record.at
            case _:
                pass

    def _cost(self, symbol: str) -> list[float]:
        """What the broker says its shares have cost, unless two rows in a row were far from that."""
        seen, closes = self.scene.seen, self._closes.get(symbol, [])[-2:]
        cost = seen.average_prices.get(symbol) if seen is not None else None
        is_refuted = cost and len(closes) > 1 and all(not cost / WILD <= close <= cost * WILD for close in closes)
        return [cost] if cost and not is_refuted else []

    def _prices(self, symbol: str, last: float | None) -> list[float]:
        close = self.scene.written.row_value("close", self.scene.settings.symbols.index(symbol))
        return [price for price in (last, close) if price]

    def _judge_limit(self, record: Sent) -> None:
        order, collar = record.order, self.scene.limit("price_collar_pct")
        prices = self._prices(order.symbol, record.last)
        if collar is None or not prices or not order.limit_price:
            return
        away = min(abs(order.limit_price / price - 1.0) * 100.0 for price in prices)
        if away > collar * (1 + DUST):
            text = f"{order.ref}: limit {order.limit_price:g} is {away:.2f} % from {prices[0]:g}, at most {collar:g} %"
            self.breach("I11", order.ref, text)

    def _judge_stop(self, record: Sent, ref: Ref) -> None:
        order, closes = record.order, self._closes.get(ref.symbol, [])
        prices = [price for price in (record.last, *closes[-1:]) if price]
        if not prices or not order.stop_price or ref.symbol in self.scene.splits.waiting:
            return
        split_at, ratio = self.scene.ledger.split.get(ref.symbol, (float("-inf"), 1.0))
        if min(record.last_at or record.at, self._closed_at.get(ref.symbol, -math.inf)) < split_at + STEP_S:
            prices += [scaled for price in prices for scaled in (price / ratio, price * ratio)]  # some are of before
        if ref.strategy == ADOPTED:
            prices += self._cost(ref.symbol)
        moves = sum(abs(close - before) for before, close in pairwise(closes))
        away = self.scene.rule("stop_moves", 0.0) * moves
        is_wild = all(not price / WILD <= order.stop_price <= price * WILD for price in prices)
        if is_wild and all(abs(order.stop_price - price) > away for price in prices):
            self.breach("I11", order.ref, f"{order.ref}: stop {order.stop_price:g} at a market of {prices[0]:g}")
