"""From fills to round trips: entry to flat, per strategy and instrument."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from research.backtest.result import CostedFill
from shared.ids import parse_ref
from shared.orders import Fill, Leg, RoundTrip, Side


def round_trips(fills: Iterable[CostedFill]) -> list[RoundTrip]:
    """The closed round trips in the order in which they became flat; what is still open is not among them.

    A fill that crosses zero ends one round trip and begins the next; its commission is shared by quantity.
    Orders whose reference is not ours belong to no strategy and are left out.
    """
    running: dict[tuple[str, str], _Running] = {}
    closed: list[RoundTrip] = []
    for entry in fills:
        ref = parse_ref(entry.fill.ref)
        if ref is None:
            continue
        key = (ref.strategy, entry.fill.symbol)
        signed = entry.fill.quantity if entry.fill.side is Side.BUY else -entry.fill.quantity
        fee = entry.commission / entry.fill.quantity
        now = running.get(key)
        if now is not None and now.quantity * signed < 0:
            closing = min(abs(signed), abs(now.quantity))
            now.reduce(closing, entry.fill, fee)
            signed -= closing if signed > 0 else -closing
            if now.quantity == 0:
                closed.append(now.ended(*key, entry.fill, ref.leg))
                del running[key]
        if signed:
            running.setdefault(key, _Running(opened_at=entry.fill.filled_at)).enter(signed, entry.fill.price, fee)
    return closed


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

    def reduce(self, closing: int, fill: Fill, fee: float) -> None:
        self.quantity += closing if self.quantity < 0 else -closing
        self.exit_value += closing * fill.price
        self.commission += closing * fee

    def ended(self, strategy: str, symbol: str, last: Fill, leg: Leg) -> RoundTrip:
        shares = abs(self.entered)
        direction = 1 if self.entered > 0 else -1
        return RoundTrip(
            strategy=strategy,
            symbol=symbol,
            quantity=self.entered,
            entry_price=self.entry_value / shares,
            exit_price=self.exit_value / shares,
            opened_at=self.opened_at,
            closed_at=last.filled_at,
            gross_profit=direction * (self.exit_value - self.entry_value),
            commission=self.commission,
            exit_leg=leg,
        )
