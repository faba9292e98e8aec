"""What a night does to an account: interest, borrow fees, splits, dividends.

Between two sessions the driver calls `before_open`, announces the new session, and calls `at_open`:

before_open  interest and borrow fees of the calendar days since the last close, on its balances; then the splits, as
             IB does them and as the live engine is told of them: the broker cancels the instrument's orders and
             changes the position, the engine asks, sees the jump, locks the instrument, and a person (here the replay
             itself, at once) accepts. Whole shares stay, the fraction is paid in cash.
at_open      dividends and distributions of the shares that are held, to longs, from shorts

The engine then hears `PricesRescaled` of every split and distribution, held or not, so that averages and ranges go on
in the units they know. Everything happens before the session's first row; the prices that an instrument opens with are
not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta

from msgspec import Struct

from brokers.simulated.bar_broker import BarBroker
from brokers.simulated.costs.financing import BorrowFees, InterestRates, borrow_fee, interest
from brokers.simulated.costs.slippage import MarketSlippage
from research.backtest.corporate_actions import NOTHING_DUE, Schedule
from research.backtest.liquidity import KnownLiquidity
from research.backtest.result import CashFlow, CashFlowKind, ShareSplit
from shared.corporate_actions import DueAction
from shared.events import OperatorCommanded, PricesRescaled

ACTOR, REASON = "replay", "corporate action"
LEAD = timedelta(minutes=15)
"""So long before the open a split is dealt with; the steps of it lie STEP apart, as reports do that heal a lock."""
STEP, REPORTS = timedelta(minutes=1), 3
_FREE = InterestRates(debit_pct=0.0, credit_pct=0.0)
_NO_FEES = BorrowFees(default_bps=0.0)

Deliver = Callable[..., None]
"""Hands events to the engine and everything they lead to back to the broker, until nothing is left."""


class Night(Struct, frozen=True, kw_only=True):
    """From the close of session `since` to the open of session `until` at `opens_at`."""

    since: date
    until: date
    opens_at: datetime


class Carrying(Struct, frozen=True, kw_only=True, eq=False):
    """The assumptions of one replay; it keeps nothing from night to night."""

    rates: InterestRates = _FREE
    borrow: BorrowFees = _NO_FEES
    schedule: Schedule = NOTHING_DUE
    liquidity: KnownLiquidity | None = None
    slippage: MarketSlippage | None = None
    """The model that the broker asks; it is told the liquidity of every session."""

    @property
    def rescales(self) -> bool:
        """Whether a split or a distribution changes the scale of somebody's prices."""
        actions = (action for due in self.schedule.due.values() for action in due)
        return any(action.ratio != 1 or action.price_ratio != 1 for action in actions)

    def before_open(self, night: Night, broker: BarBroker, deliver: Deliver) -> list[CashFlow]:
        """Financing and splits; the flows are booked already."""
        flows = list(self._financing(night, broker))
        for flow in flows:
            broker.ledger.pay(flow.amount)
        if splits := [action for action in self._due(night) if action.ratio != 1]:
            flows += _split(splits, night, broker, deliver)
        for action in self._due(night):
            if action.price_ratio != 1:
                deliver(_rescaled(action, night.opens_at))
        return flows

    def at_open(self, night: Night, broker: BarBroker) -> list[CashFlow]:
        """Dividends and distributions, already booked; what is known of the market from here on."""
        if self.liquidity is not None and self.slippage is not None:
            self.slippage.begin_session(self.liquidity.before(night.until))
        flows: list[CashFlow] = []
        for action in self._due(night):
            held = broker.ledger.held(action.symbol)
            if held and action.dividend:
                flows.append(_flow(night, "dividend", held * action.dividend, action.symbol))
            if held and action.distribution:
                flows.append(_flow(night, "distribution", held * action.distribution, action.symbol))
        for flow in flows:
            broker.ledger.pay(flow.amount)
        return flows

    def splits(self, night: Night) -> list[ShareSplit]:
        """The night's splits, of what is held and of what is not."""
        return [
            ShareSplit(
                at=night.opens_at,
                session=night.until,
                symbol=action.symbol,
                new=action.ratio.numerator,
                old=action.ratio.denominator,
            )
            for action in self._due(night)
            if action.ratio != 1
        ]

    def _due(self, night: Night) -> Iterator[DueAction]:
        return iter(self.schedule.due.get(night.until, ()))

    def _financing(self, night: Night, broker: BarBroker) -> Iterator[CashFlow]:
        shorts = broker.ledger.short_values()
        for symbol, value in shorts.items():
            fee = borrow_fee(self.borrow.fee_on(symbol, night.since), value, since=night.since, until=night.until)
            if fee:
                yield _flow(night, "borrow_fee", -fee, symbol)
        free = broker.cash - sum(shorts.values())
        amount = interest(self.rates, free, since=night.since, until=night.until)
        if amount:
            yield _flow(night, "credit_interest" if free > 0 else "debit_interest", amount)


FREE_CARRYING = Carrying()
"""Nothing is due and nothing is charged."""


def _split(actions: list[DueAction], night: Night, broker: BarBroker, deliver: Deliver) -> list[CashFlow]:
    """Orders gone, shares changed, the engine told and its question answered; the cash in lieu of fractions."""
    at, flows = night.opens_at - LEAD, list[CashFlow]()
    held = [action.symbol for action in actions if broker.ledger.held(action.symbol)]
    gone = [event for action in actions for event in broker.pull_orders(action.symbol, REASON, at)]
    for action in actions:
        in_lieu = broker.split(action.symbol, action.ratio)
        if in_lieu:
            flows.append(_flow(night, "cash_in_lieu", in_lieu, action.symbol))
    deliver(*gone)
    if held:
        deliver(broker.report(at))
        for symbol in held:
            deliver(_accepted(symbol, at + STEP))
        for step in range(2, 2 + REPORTS):
            deliver(broker.report(at + step * STEP))
    return flows


def _accepted(symbol: str, at: datetime) -> OperatorCommanded:
    return OperatorCommanded(received_at=at, verb="accept", scope=f"instrument:{symbol}", actor=ACTOR)


def _rescaled(action: DueAction, at: datetime) -> PricesRescaled:
    return PricesRescaled(
        received_at=at,
        symbol=action.symbol,
        ratio=action.price_ratio,
        ex_date=action.ex_date,
        changes_shares=action.ratio != 1,
    )


def _flow(night: Night, kind: CashFlowKind, amount: float, symbol: str = "") -> CashFlow:
    return CashFlow(at=night.opens_at, session=night.until, kind=kind, symbol=symbol, amount=amount)
