"""Hand-made histories, one happening a call, for the judge's own tests: SPY at 100 dollars, one session."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.simulation.history import (
    Alerted,
    Beat,
    BookSeen,
    Broker,
    BrokerSeen,
    Calm,
    CancelSent,
    Checked,
    Fault,
    Journalled,
    LineChanged,
    Noticed,
    Ordered,
    ProcessEnded,
    ProcessStarted,
    Record,
    Sent,
    Settings,
    Told,
)
from tests.simulation.judge.breach import Breach
from tests.simulation.judge.judging import breaches_of
from tests.simulation.judge.ref import ref_of, sign_of

OPENS, CLOSES = 1_000_000.0, 1_023_400.0
LIMITS: dict[str, float | None] = {"protect_within_s": 5.0, "price_age_max_s": 60.0, "price_collar_pct": 3.0}
RULES: dict[str, float | str | None] = {
    "entry_after_open_s": 60.0,
    "entry_before_close_s": 900.0,
    "flatten_before_close_s": 300.0,
    "entry_timeout_s": 120.0,
    "reconcile_every_s": 30.0,
    "heartbeat_every_s": 10.0,
}
_LEG_TYPE = {"E": "MKT", "S": "STP", "P": "STP", "T": "LMT", "X": "MKT"}


def ref(leg: str, number: int = 1, symbol: str = "SPY") -> str:
    """The reference of one leg of the number-th plan."""
    return f"OB1:t:20260310:{symbol}-{number}:{leg}"


class Story:
    """`now` is the time of the next happening, true seconds; `wait` lets it pass. It begins an hour after the open."""

    def __init__(self, *, limits: dict[str, float | None] | None = None, rules: dict[str, Any] | None = None) -> None:
        self.now = OPENS + 3600.0
        self.records: list[Record] = [
            Settings(
                at=self.now,
                seed=7,
                weather="calm",
                symbols=("SPY", "QQQ"),
                sessions=((OPENS, CLOSES),),
                bar_s=5,
                limits=LIMITS | (limits or {}),
                rules=RULES | (rules or {}),
            )
        ]
        self._sequence = 0
        self._perm_ids: dict[str, int] = {}
        self._filled: dict[int, float] = {}
        self._executions = 0
        self._process = 0
        self._held: dict[str, float] = {"SPY": 0.0, "QQQ": 0.0}
        self._alive: dict[int, Ordered] = {}

    def breaches(self) -> list[Breach]:
        return breaches_of(self.records)

    def broken(self) -> list[str]:
        """The invariants that the judge finds broken, each once."""
        return sorted({breach.invariant for breach in self.breaches()})

    def wait(self, seconds: float) -> None:
        self.now += seconds

    # ------------------------------------------------------------------ the process and its line

    def start(self) -> None:
        """A process begins, connects, and has compared everything."""
        self.begin()
        self.connect()
        self.journal("ConnectionRestored")
        self.report()

    def begin(self) -> None:
        self._process += 1
        self._add(ProcessStarted(at=self.now, process=self._process))

    def end(self, how: str = "killed", text: str = "") -> None:
        self._add(ProcessEnded(at=self.now, process=self._process, how=how, text=text))

    def connect(self, state: str = "up") -> None:
        self._add(LineChanged(at=self.now, process=self._process, client_id=7, state=state))

    def error(self, code: int) -> None:
        self.told("error", code=str(code), reqId="-1", text="")

    def told(self, name: str, **fields: str) -> None:
        self._add(Told(at=self.now, process=self._process, client_id=7, name=name, fields=fields))

    def fault(self, number: int = 0, name: str = "", source: str = "gateway", phase: str = "happened") -> None:
        self._add(Fault(at=self.now, source=source, number=number, name=name, phase=phase))

    # ------------------------------------------------------------------ what becomes durable

    def journal(self, name: str, *orders: Ordered, cancels: tuple[str, ...] = (), **event: Any) -> None:
        """`notices` may be given among the fields of the event."""
        self._sequence += 1
        notices = tuple(event.pop("notices", ()))
        sequence = int(event.pop("sequence", self._sequence))
        self._add(
            Journalled(
                at=self.now,
                process=self._process,
                sequence=sequence,
                name=name,
                event=event,
                commands=(),
                orders=orders,
                cancels=cancels,
                notices=notices,
            )
        )

    def report(
        self, *unanswered: str, notices: tuple[str, ...] = (), positions: dict[str, float] | None = None
    ) -> None:
        lines: dict[str, Any] = (
            {} if positions is None else {"positions": [{"symbol": s, "quantity": q} for s, q in positions.items()]}
        )
        self.journal("BrokerReported", unanswered=list(unanswered), fills=[], notices=notices, **lines)

    def row(self, close: float | None = 100.0, bid: float | None = 99.99, ask: float | None = 100.01) -> None:
        """A closed bar of both symbols."""
        self.journal("BarsClosed", warm_up=False, close=[close, close], bid=[bid, bid], ask=[ask, ask])

    def command(self, verb: str, scope: str = "account") -> None:
        self.journal("OperatorCommanded", verb=verb, scope=scope)

    # ------------------------------------------------------------------ orders

    def order(self, leg: str, quantity: float = 100.0, *, number: int = 1, **changes: Any) -> Ordered:
        """One leg of a plan that is long; its stop at 99."""
        made = Ordered(
            ref=ref(leg, number),
            symbol="SPY",
            side="BUY" if leg == "E" else "SELL",
            quantity=quantity,
            order_type=_LEG_TYPE[leg[0]],
            stop_price=99.0 if leg[0] in "SP" else None,
            limit_price=110.0 if leg == "T" else None,
            oca_group="" if leg == "E" else ref("", number),
        )
        return replace(made, **changes)

    def send(self, order: Ordered, **changes: Any) -> None:
        """It leaves as bytes."""
        sent = Sent(
            at=self.now,
            process=self._process,
            client_id=7,
            order_id=10 + self._perm_id(order.ref) % 1000,
            parent_id=0,
            transmit=True,
            order=order,
            oca_type=2 if order.oca_group else 0,
            last=100.0,
            last_at=self.now,
            bid=99.99,
            ask=100.01,
        )
        self._add(replace(sent, **changes))

    def hold(self, order: Ordered, *, perm_id: int = 0, change: str = "new", order_id: int = 0) -> None:
        """The broker has it."""
        number = perm_id or self._perm_id(order.ref)
        self._alive[number] = order
        self.broker(
            "order",
            perm_id=number,
            client_id=7,
            order_id=order_id or 10 + self._perm_id(order.ref) % 1000,
            order_ref=order.ref,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            stop_price=order.stop_price,
            change=change,
        )

    def place(self, *orders: Ordered) -> None:
        """Durable, sent, and at the broker."""
        self.row()
        self.journal("BarsClosed", *orders, warm_up=False, close=[100.0, 100.0], bid=None, ask=None)
        for order in orders:
            self.send(order)
        for order in orders:
            self.hold(order)

    def bracket(self, quantity: float = 100.0, number: int = 1) -> None:
        """Entry and stop, at the broker, unfilled."""
        self.place(self.order("E", quantity, number=number), self.order("S", quantity, number=number))

    def long(self, quantity: float = 100.0) -> None:
        """A bracket whose entry has filled, told and booked."""
        self.bracket(quantity)
        self.fill(self.order("E", quantity))

    def cancel(self, name: str) -> None:
        self._add(CancelSent(at=self.now, process=self._process, client_id=7, order_id=1, ref=name))

    def gone(self, name: str) -> None:
        """The broker has ended the order."""
        self._alive.pop(self._perm_id(name), None)
        self.broker("ended", perm_id=self._perm_id(name), order_ref=name, status="Cancelled", client_id=7)

    def fill(self, order: Ordered, quantity: float = 0.0, *, is_told: bool = True, perm_id: int = 0) -> dict[str, Any]:
        """An execution at 100, told and booked at once unless `is_told` is False; as the event has it."""
        shares, number = quantity or order.quantity, perm_id or self._perm_id(order.ref)
        self._filled[number] = self._filled.get(number, 0.0) + shares
        self._executions += 1
        exec_id = f"0000e0d5.1.{self._executions}.01"
        self._held[order.symbol] += sign_of(order.side) * shares
        plain = {"exec_id": exec_id, "symbol": order.symbol, "side": order.side, "quantity": shares, "price": 100.0}
        filled = self._filled[number]
        self.broker("execution", perm_id=number, order_ref=order.ref, client_id=7, filled=filled, **plain)
        if self._filled[number] >= order.quantity:
            self._alive.pop(number, None)
        fill = plain | {"ref": order.ref}
        if is_told:
            self.told("execDetails", execId=exec_id)
            self.journal("OrderFilled", fill=fill)
        return fill

    def correct(self, fill: dict[str, Any], quantity: float, *, is_told: bool = True) -> None:
        """The broker takes part of an execution back; told and booked at once unless `is_told` is False."""
        exec_id = fill["exec_id"].removesuffix("01") + "02"
        self._held[fill["symbol"]] += sign_of(fill["side"]) * (quantity - fill["quantity"])
        changed = fill | {"exec_id": exec_id, "quantity": quantity}
        self.broker("correction", replaces=fill["exec_id"], execution=changed | {"order_ref": fill["ref"]})
        if is_told:
            self.told("execDetails", execId=exec_id)
            self.journal("FillCorrected", fill=changed)

    def split(self, ratio: float = 2.0) -> None:
        self._held["SPY"] *= ratio
        self.broker("split", symbol="SPY", ratio=ratio, con_id=1)

    def strange(self, shares: float = 50.0) -> None:
        """Somebody buys by hand."""
        order = Ordered(ref="", symbol="SPY", side="BUY", quantity=shares, order_type="MKT")
        self.fill(order, is_told=False, perm_id=999)

    def broker(self, what: str, **record: Any) -> None:
        self._add(Broker(at=self.now, what=what, record=record))

    # ------------------------------------------------------------------ looks and words

    def look(self, **changes: Any) -> None:
        """Both sides at once; the book is the broker's unless `changes` say otherwise.

        Its own are `at_broker` (what it holds), `broker_cash` and `equity`.
        """
        held = changes.pop("at_broker", {symbol: shares for symbol, shares in self._held.items() if shares})
        prices = dict.fromkeys(held, 100.0)
        cash = changes.pop("broker_cash", 1e6)
        seen = BrokerSeen(
            at=self.now,
            cash=cash,
            positions=held,
            average_prices=prices,
            orders=tuple({"ref": order.ref, "status": "Submitted"} for order in self._alive.values()),
            is_connected=True,
            net_liquidation=changes.pop("equity", 1e6),
        )
        self._add(seen)
        book = BookSeen(
            at=self.now,
            process=self._process,
            is_up=True,
            is_reconciled=True,
            state="ACTIVE",
            positions=held,
            average_prices=prices,
            working=tuple(order.ref for order in self._alive.values() if ref_of(order.ref)),
            unknown=(),
            locks=(),
            cash=cash,
            tasks=10,
        )
        self._add(replace(book, **changes))

    def notice(self, code: str, text: str, level: str = "critical") -> None:
        self._add(Noticed(at=self.now, process=self._process, level=level, code=code, text=text))

    def alert(self, code: str, text: str) -> None:
        self._add(Alerted(at=self.now, process=self._process, channel="test", severity="page", code=code, text=text))

    def say(self, code: str, text: str) -> None:
        """A critical notice that gets out."""
        self.notice(code, text)
        self.alert(code, text)

    def beat(self) -> None:
        self._add(Beat(at=self.now, process=self._process, facts={}))

    def calm(self) -> None:
        self._add(Calm(at=self.now))

    def checked(self, what: str, invariant: str, *, is_good: bool) -> None:
        self._add(Checked(at=self.now, what=what, invariant=invariant, is_good=is_good, detail="as found"))

    def later(self, seconds: float) -> None:
        """So much time passes, and somebody looks at the broker."""
        self.wait(seconds)
        self.told("currentTime")

    # ------------------------------------------------------------------ leaves

    def _perm_id(self, name: str) -> int:
        return self._perm_ids.setdefault(name, 1_700_000_001 + len(self._perm_ids))

    def _add(self, record: Record) -> None:
        self.records.append(record)
