"""Limits that have tripped: latched until a person resets them.

A latch stands beside what a person has set (risk/trading_state.py), so that `resume` cannot end it in passing; the
stricter of the two holds.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from risk.trading_state import ACCOUNT, INSTRUMENT, STRATEGY, TradingState, strictest
from shared.commands import Command, Notify


class Latch(Struct, frozen=True, kw_only=True):
    """One limit that has tripped: which, what it allows since, why, and when."""

    rule: str
    state: TradingState
    text: str
    since: datetime


class Breakers(Struct, kw_only=True):
    """Every latch by its scope ('account', 'strategy:x', 'instrument:x'). Mutable, owned by the book."""

    latched: dict[str, list[Latch]] = field(default_factory=dict)

    def trip(self, scope: str, rule: str, state: TradingState, text: str, now: datetime) -> list[Command]:
        """Latch the rule in that scope and say so; nothing if it is latched there already."""
        latches = self.latched.setdefault(scope, [])
        if any(latch.rule == rule for latch in latches):
            return []
        latches.append(Latch(rule=rule, state=state, text=text, since=now))
        said = f"{scope} is {state} until a person resets it: {text}"
        return [Notify(level="critical", code="limit_latched", text=said, reasons=(rule,))]

    def end(self, scope: str, rule: str) -> None:
        """End the one latch whose cause is over by itself; the others of that scope stay."""
        if left := [latch for latch in self.latched.get(scope, []) if latch.rule != rule]:
            self.latched[scope] = left
        else:
            self.latched.pop(scope, None)

    def reset(self, scope: str) -> list[Latch]:
        """End every latch of that scope; which they were."""
        return self.latched.pop(scope, [])

    def state_of(self, scope: str) -> TradingState:
        """What the scope's own latches allow."""
        return strictest(*(latch.state for latch in self.latched.get(scope, ())))

    def state_for(self, strategy: str, symbol: str) -> TradingState:
        """What holds for an order of this strategy in this instrument."""
        if not self.latched:
            return TradingState.ACTIVE
        scopes = (ACCOUNT, f"{STRATEGY}:{strategy}", f"{INSTRUMENT}:{symbol}")
        return strictest(*(self.state_of(scope) for scope in scopes))
