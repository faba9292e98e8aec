"""From fills to round trips: entry to flat, per strategy and instrument."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from research.backtest.result import CashFlow, CostedFill, ReplayResult, ShareSplit
from shared.ids import parse_ref
from shared.orders import Leg, RoundTrip, Side


def round_trips(
    fills: Iterable[CostedFill], splits: Iterable[ShareSplit] = (), in_lieu: Iterable[CashFlow] = ()
) -> list[RoundTrip]:
    """The closed round trips in the order in which they became flat; what is still open is not among them.

    A fill that crosses zero ends one round trip and begins the next; its commission is shared by quantity.
    Orders whose reference is not ours belong to no strategy and are left out. Across a split a round trip goes on,
    in shares of after it; what was paid for fractions of shares (`in_lieu`) counts as sold. Splits in order of time.
    """
    journey = _Journey(splits, in_lieu)
    for entry in fills:
        journey.split_until(entry.fill.filled_at)
        journey.take(entry)
    journey.split_until(None)
    return journey.closed


def trips_of_result(result: ReplayResult) -> list[RoundTrip]:
    """The round trips of a replay, its splits taken in."""
    in_lieu = (flow for flow in result.cash_flows if flow.kind == "cash_in_lieu")
    return round_trips(result.fills, result.splits, in_lieu)


class _Journey:
    """What is under way by strategy and symbol, and what has ended."""

    def __init__(self, splits: Iterable[ShareSplit], in_lieu: Iterable[CashFlow]) -> None:
        self._splits = deque(splits)
        self._paid = {(flow.session, flow.symbol): flow.amount for flow in in_lieu}
        self._running: dict[str, dict[str, _Running]] = defaultdict(dict)
        self.closed: list[RoundTrip] = []

    def split_until(self, at: datetime | None) -> None:
        """Take in the splits before `at`, all that are left if None."""
        while self._splits and (at is None or self._splits[0].at <= at):
            split = self._splits.popleft()
            held = self._running[split.symbol]
            shares = sum(abs(now.quantity) for now in held.values())
            paid = self._paid.get((split.session, split.symbol), 0.0)
            for strategy, now in list(held.items()):
                now.split(split, paid * abs(now.quantity) / shares)
                if now.quantity == 0:  # a reverse split left less than a share
                    self.closed.append(now.ended(strategy, split.symbol, split.at, Leg.EXIT))
                    del held[strategy]

    def take(self, entry: CostedFill) -> None:
        ref = parse_ref(entry.fill.ref)
        if ref is None:
            return
        fill, held = entry.fill, self._running[entry.fill.symbol]
        signed = fill.quantity if fill.side is Side.BUY else -fill.quantity
        fee = entry.commission / fill.quantity
        now = held.get(ref.strategy)
        if now is not None and now.quantity * signed < 0:
            closing = min(abs(signed), abs(now.quantity))
            now.reduce(closing, fill.price, fee)
            signed -= closing if signed > 0 else -closing
            if now.quantity == 0:
                self.closed.append(now.ended(ref.strategy, fill.symbol, fill.filled_at, ref.leg))
                del held[ref.strategy]
        if signed:
            held.setdefault(ref.strategy, _Running(opened_at=fill.filled_at)).enter(signed, fill.price, fee)


class _Running(Struct, kw_only=True):
    """A round trip under way: signed shares now, shares and money in and out, commission so far."""

    opened_at: datetime
    quantity: int = 0
    entered: int = 0
    entry_value: float = 0.0
    exit_value: float = 0.0
    commission: float = 0.0

    def enter(self, signed: int, price: float, fee: float) -> None:
        self.quantity += signed
        self.entered += signed
        self.entry_value += abs(signed) * price
        self.commission += abs(signed) * fee

    def reduce(self, closing: int, price: float, fee: float) -> None:
        self.quantity += closing if self.quantity < 0 else -closing
        self.exit_value += closing * price
        self.commission += closing * fee

    def split(self, split: ShareSplit, paid: float) -> None:
        """`paid` for fractions is received by a long and owed by a short, as the value of shares that are gone."""
        self.quantity = split.of(self.quantity)
        self.entered = split.of(self.entered) or (1 if self.entered > 0 else -1)
        self.exit_value += abs(paid)

    def ended(self, strategy: str, symbol: str, at: datetime, leg: Leg) -> RoundTrip:
        shares = abs(self.entered)
        direction = 1 if self.entered > 0 else -1
        return RoundTrip(
            strategy=strategy,
            symbol=symbol,
            quantity=self.entered,
            entry_price=self.entry_value / shares,
            exit_price=self.exit_value / shares,
            opened_at=self.opened_at,
            closed_at=at,
            gross_profit=direction * (self.exit_value - self.entry_value),
            commission=self.commission,
            exit_leg=leg,
        )
