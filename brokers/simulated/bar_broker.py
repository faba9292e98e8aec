"""A broker whose market is rows of bars: our order commands in, our events out. PURE.

What fills an order, and at which price, is the written rules of bar_fills.py (DESIGN.md 10); what ties orders
together is working_orders.py; this file translates, numbers and keeps the account. permId is a counter over
orders, execId one over executions, so that two runs over the same rows give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from fractions import Fraction
from typing import Literal, assert_never

from msgspec import Struct

from brokers.simulated.bar_fills import BarMatcher, slipped
from brokers.simulated.bar_ledger import BarLedger
from brokers.simulated.bar_report import ended_line, open_line
from brokers.simulated.commission import Lot
from brokers.simulated.costs.charging import FREE, Charges, Execution, FillCosts, free_of_charge
from brokers.simulated.costs.slippage import MarketSlippage, Slip
from brokers.simulated.sim_order import (
    LASTING,
    Cancelled,
    Filled,
    Outcome,
    Reduced,
    SimOrder,
    StatusChanged,
    Trailed,
)
from brokers.simulated.touch_levels import TouchLevels
from brokers.simulated.valuation import Alarm
from shared.commands import CancelOrder, Flatten, OrderCommand, PlaceBracket, ReplaceStop
from shared.events import (
    AccountReported,
    BrokerReported,
    CommissionReported,
    Event,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderRejected,
)
from shared.indicators.indicator import FloatArray
from shared.market import BarRow, Universe, bar_of
from shared.orders import BracketOrder, Fill, Order, OrderType, Side

FILLED_ALREADY = 104  # IB: cannot modify a filled order
BAD_ORDER = 201  # IB: order rejected, reason in the text

_SIDES: dict[Side, Literal["BUY", "SELL"]] = {side: side.value for side in Side}
_TYPES: dict[OrderType, Literal["MKT", "LMT", "STP", "TRAIL"]] = {kind: kind.value for kind in OrderType}

FillCharges = Callable[[Execution], Charges]
"""One execution -> what broker, venue and regulators charge for it."""


class _Sent(Struct):
    """One order of ours at this broker: shares filled so far and their value in currency."""

    order: Order
    sent_at: datetime
    instrument: int
    filled: int = 0
    value: float = 0.0

    @property
    def average_price(self) -> float:
        return self.value / self.filled if self.filled else 0.0


class BarBroker:
    """One account; every verb answers with the events it caused, in the order in which they happened."""

    def __init__(  # noqa: PLR0913 - what a broker is made of, by name
        self,
        *,
        universe: Universe,
        account_id: str,
        starting_cash: float,
        matcher: BarMatcher,
        charge: FillCharges,
        slippage_bps: float,
        market_slippage: MarketSlippage | None = None,
    ) -> None:
        self.account_id = account_id
        self._index = {symbol: at for at, symbol in enumerate(universe.symbols)}
        self._ticks = {instrument.symbol: instrument.tick for instrument in universe.instruments}
        self._matcher = matcher
        self._charge = charge
        self._slippage_bps = slippage_bps
        self._market_slippage = market_slippage
        self._slips = slippage_bps != 0.0 or market_slippage is not None
        self._levels = TouchLevels(len(universe))
        self._changed: set[int] = set()
        self._ledger = BarLedger(universe, account_id, starting_cash)
        self._sent: dict[int, _Sent] = {}
        self._keys: dict[str, int] = {}
        self._executions = 0
        self._fills: list[Fill] = []
        self._costs_of: dict[str, FillCosts] = {}
        self._ended: list[int] = []
        self._good_till: dict[int, datetime] = {}

    # --- verbs ------------------------------------------------------------------------------------

    def execute(self, command: OrderCommand, at: datetime) -> list[Event]:
        """Take the command; its orders first meet the next row."""
        match command:
            case PlaceBracket():
                return self._place_bracket(command.bracket, at)
            case CancelOrder():
                return self._cancel(command.ref, at)
            case ReplaceStop():
                key = self._keys.get(command.order.ref)
                return self._place(command.order, at) if key is None else self._modify(key, command.order, at)
            case Flatten():
                return self._place(command.order, at)
            case _:
                assert_never(command)

    def on_row(self, closed_at: datetime, row: BarRow) -> list[Event]:
        """Match every working order against the row and value the account at its closes."""
        events: list[Event] = []
        at = closed_at.timestamp()
        for instrument in self._fresh_levels().touched(row):
            bar = bar_of(row, instrument)
            events += self._events(self._matcher.on_bar(instrument, bar, at), closed_at)
        self._ledger.mark(row)
        return events

    def _fresh_levels(self) -> TouchLevels:
        if self._changed:
            self._levels.refresh(self._changed, self._matcher.working_in(self._changed))
            self._changed.clear()
        return self._levels

    # --- many rows at once --------------------------------------------------------------------------

    def rows_until_touch(self, lows: FloatArray, highs: FloatArray) -> int:
        """How many of these rows (T, n) pass before one that may fill something."""
        return self._fresh_levels().rows_until_touch(lows, highs)

    def next_expiry(self) -> datetime | None:
        """When the next order ends by itself."""
        if not self._good_till:
            return None
        self._good_till = {
            key: good_till for key, good_till in self._good_till.items() if not self._matcher.order(key).done
        }
        return min(self._good_till.values(), default=None)

    def pass_over(self, closes: FloatArray, alarm: Alarm, out: tuple[FloatArray, FloatArray]) -> int:
        """Value the account on rows that touch nothing, until one rings; net liquidation and gross value in `out`."""
        return self._ledger.pass_over(closes, alarm, out)

    # --- the end of days and orders -----------------------------------------------------------------

    def end_session(self, closed_at: datetime) -> list[Event]:
        """Cancel the day orders of the session that closed then, and those that were good till then.

        One sent at its close is for the next session.
        """
        events = self.expire(closed_at)
        for order in self._matcher.working():
            if order.tif not in LASTING and self._sent[order.key].sent_at < closed_at:
                events += self._events(self._matcher.cancel(order.key, "end of session"), closed_at)
        self._fills.clear()
        self._ended.clear()
        return events

    def expire(self, at: datetime) -> list[Event]:
        """End the GTD orders whose time is up.

        Asked after a row has met them: a bar cannot tell what happened before the instant and what after it, and every
        order meets one row, as with the engine's own timers.
        """
        if not self._good_till:
            return []
        events: list[Event] = []
        for key in [key for key, good_till in self._good_till.items() if good_till <= at]:
            del self._good_till[key]
            events += self._events(self._matcher.cancel(key, "good till date has passed"), at)
        return events

    # --- corporate actions and money ----------------------------------------------------------------

    def split(self, symbol: str, ratio: Fraction) -> float:
        """Change the position by `ratio` new shares for old; the part of a share that is left over is paid out.

        Answers with that cash in lieu, already booked.
        """
        in_lieu = self._ledger.split(symbol, ratio)
        self._ledger.pay(in_lieu)
        return in_lieu

    def pull_orders(self, symbol: str, reason: str, at: datetime) -> list[Event]:
        """Cancel every working order of the instrument, as IB does with those that meet a split."""
        column = self._index[symbol]
        events: list[Event] = []
        for order in self._matcher.working():
            if order.instrument == column:
                events += self._events(self._matcher.cancel(order.key, reason), at)
        return events

    @property
    def ledger(self) -> BarLedger:
        """The account, for money that no execution moves."""
        return self._ledger

    # --- questions --------------------------------------------------------------------------------

    @property
    def cash(self) -> float:
        return self._ledger.cash

    @property
    def net_liquidation(self) -> float:
        return self._ledger.net_liquidation

    def is_working(self, ref: str) -> bool:
        """Whether the order is known and not done."""
        return ref in self._keys and not self._matcher.order(self._keys[ref]).done

    def costs_of(self, exec_id: str) -> FillCosts:
        """What this execution cost."""
        return self._costs_of[exec_id]

    def valued(self, closed_at: datetime) -> tuple[AccountReported, float]:
        """The account's values, and the gross value beside them."""
        account, gross = self._ledger.valued()
        return AccountReported(received_at=closed_at, account=account), gross

    def report(self, at: datetime) -> BrokerReported:
        """Everything this broker knows; executions and ended orders of the session that runs."""
        return BrokerReported(
            received_at=at,
            asked_at=at,
            positions=self._ledger.positions(),
            open_orders=tuple(open_line(order, self._sent[order.key].order) for order in self._matcher.working()),
            completed_orders=tuple(ended_line(self._matcher.order(key), self._sent[key].order) for key in self._ended),
            fills=tuple(self._fills),
            account=self._ledger.valued()[0],
        )

    # --- commands ---------------------------------------------------------------------------------

    def _place_bracket(self, bracket: BracketOrder, at: datetime) -> list[Event]:
        legs = [leg for leg in (bracket.stop_loss, bracket.take_profit) if leg is not None]
        parent = len(self._sent) + 1
        events = self._place(bracket.entry, at, transmit=False)
        for leg in legs:
            events += self._place(leg, at, parent=parent, transmit=leg is legs[-1])
        return events

    def _place(self, order: Order, at: datetime, *, parent: int | None = None, transmit: bool = True) -> list[Event]:
        if order.ref in self._keys:
            return [_rejected(at, order.ref, BAD_ORDER, "this orderRef is already used")]
        key = len(self._sent) + 1
        simulated = SimOrder(
            key=key,
            instrument=self._index[order.symbol],
            side=_SIDES[order.side],
            quantity=order.quantity,
            order_type=_TYPES[order.order_type],
            limit_price=order.limit_price,
            stop_price=order.stop_price,
            trail_amount=order.trail_amount,
            trail_percent=order.trail_percent,
            tick=self._ticks[order.symbol],
            parent_key=parent,
            oca_group=order.oca_group,
            tif=order.tif,  # type: ignore[arg-type] # what we send is a part of what there is
            transmit=transmit,
        )
        self._sent[key] = _Sent(order, at, simulated.instrument)
        self._keys[order.ref] = key
        if order.good_till is not None:
            self._good_till[key] = order.good_till
        self._changed.add(simulated.instrument)
        outcomes = self._matcher.submit(simulated, at=at.timestamp())
        events: list[Event] = [
            OrderAccepted(received_at=at, ref=order.ref, perm_id=key, broker_status=simulated.status)
        ]
        if outcomes:
            events += self._events(outcomes, at)
        return events

    def _modify(self, key: int, order: Order, at: datetime) -> list[Event]:
        refusal = self._matcher.modify_refusal(key, quantity=order.quantity, stop_price=order.stop_price)
        if refusal:
            return [_rejected(at, order.ref, FILLED_ALREADY, refusal)]
        outcomes = self._matcher.modify(key, quantity=order.quantity, stop_price=order.stop_price)
        self._sent[key].order = order
        accepted = OrderAccepted(
            received_at=at, ref=order.ref, perm_id=key, broker_status=self._matcher.order(key).status
        )
        return [accepted, *self._events(outcomes, at)]

    def _cancel(self, ref: str, at: datetime) -> list[Event]:
        key = self._keys.get(ref)
        if key is None:
            return [OrderCancelled(received_at=at, ref=ref, reason="not found")]
        # An order that is done answers nothing, as at IB (10148): its end has been told already.
        return self._events(self._matcher.cancel(key, "cancelled by us"), at)

    # --- outcomes ---------------------------------------------------------------------------------

    def _events(self, outcomes: Iterable[Outcome], at: datetime) -> list[Event]:
        events: list[Event] = []
        sent, changed = self._sent, self._changed
        for outcome in outcomes:
            changed.add(sent[outcome.key].instrument)
            match outcome:
                case StatusChanged() | Reduced() | Trailed():
                    pass  # the engine reads quantities from executions; working is working
                case Filled():
                    events += self._filled(outcome, at)
                case Cancelled():
                    self._ended.append(outcome.key)
                    ref = self._sent[outcome.key].order.ref
                    events.append(OrderCancelled(received_at=at, ref=ref, reason=outcome.reason))
                case _:
                    assert_never(outcome)
        return events

    def _filled(self, outcome: Filled, at: datetime) -> list[Event]:
        sent = self._sent[outcome.key]
        order = sent.order
        self._executions += 1
        fill = Fill(
            ref=order.ref,
            exec_id=f"bar.0.{self._executions:08d}.01",
            symbol=order.symbol,
            side=order.side,
            quantity=int(outcome.quantity),
            price=outcome.price,
            filled_at=at,
            perm_id=outcome.key,
        )
        if self._matcher.order(outcome.key).done:
            self._ended.append(outcome.key)
        charges = self._charges_of(order, fill, sent, at)
        paid = charges.total
        sent.filled += fill.quantity
        sent.value += fill.quantity * fill.price
        self._ledger.book(fill, paid)
        self._fills.append(fill)
        self._costs_of[fill.exec_id] = self._costs(order, fill, sent.filled, charges)
        charged = CommissionReported(received_at=at, exec_id=fill.exec_id, commission=paid, currency="USD")
        return [OrderFilled(received_at=at, fill=fill), charged]

    def _charges_of(self, order: Order, fill: Fill, sent: _Sent, at: datetime) -> Charges:
        if self._charge is free_of_charge:  # nobody asks for the particulars
            return FREE
        return self._charge(
            Execution(
                day=at.date(),
                sells=order.side is Side.SELL,
                adds=order.order_type is OrderType.LIMIT,
                before=Lot(sent.filled, sent.average_price),
                fill=Lot(fill.quantity, fill.price),
            )
        )

    def _costs(self, order: Order, fill: Fill, filled: int, charges: Charges) -> FillCosts:
        """The difference to the price before slippage, which bar_fills applies to market and stop orders."""
        if order.order_type is OrderType.LIMIT or not self._slips:
            return FillCosts(charges, 0.0)
        slip = Slip(fixed_bps=self._slippage_bps)
        if self._market_slippage is not None:
            slip = self._market_slippage.slip(self._index[fill.symbol], filled)
        cost = fill.quantity * abs(fill.price - fill.price / slipped(_SIDES[order.side], 1.0, slip.bps))
        each = cost / slip.bps if slip.bps else 0.0
        return FillCosts(charges, cost, each * slip.spread_bps, each * slip.impact_bps)


def _rejected(at: datetime, ref: str, code: int, text: str) -> OrderRejected:
    return OrderRejected(received_at=at, ref=ref, code=code, text=text)
