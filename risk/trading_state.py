"""How much trading is allowed: graded, per scope, the strictest wins.

| state    | entries | a strategy's exits | an operator's flatten | cancels, protective stops |
| -------- | ------- | ------------------ | --------------------- | ------------------------- |
| ACTIVE   | yes     | yes                | yes                   | yes                       |
| REDUCING | no      | yes, clamped       | yes, clamped          | yes                       |
| HALTED   | no      | no                 | yes, clamped          | yes                       |
| OBSERVE  | no      | no                 | no                    | yes                       |

OBSERVE is the strictest for everything that passes the gate: decide and journal, send nothing. Cancels and
the stops of exposure that is already there never pass the gate: no state may leave a position unprotected.
"""

from __future__ import annotations

import enum

from msgspec import Struct, field

from shared.errors import InvariantViolated

ACCOUNT = "account"
STRATEGY = "strategy"
INSTRUMENT = "instrument"


class TradingState(enum.StrEnum):
    """From free to strictest, in this order."""

    ACTIVE = "ACTIVE"
    REDUCING = "REDUCING"
    HALTED = "HALTED"
    OBSERVE = "OBSERVE"


_STRICTNESS = {state: rank for rank, state in enumerate(TradingState)}


def strictest(*states: TradingState) -> TradingState:
    """The strictest of `states`; ACTIVE if there are none."""
    return max(states, key=_STRICTNESS.__getitem__, default=TradingState.ACTIVE)


def is_scope(text: str) -> bool:
    """Tell whether `text` is 'account', 'strategy:NAME' or 'instrument:SYMBOL'."""
    kind, colon, name = text.partition(":")
    if kind == ACCOUNT:
        return not colon
    return kind in {STRATEGY, INSTRUMENT} and bool(name) and ":" not in name


class TradingStates(Struct, kw_only=True):
    """Every scope that is not ACTIVE. Mutable, owned by the book; msgspec encodes it as it is."""

    by_scope: dict[str, TradingState] = field(default_factory=dict)

    def set(self, scope: str, state: TradingState) -> None:
        """Put a scope into a state; InvariantViolated if it is none (control checks with `is_scope`)."""
        if not is_scope(scope):
            message = f"trading state: scope {scope!r} must be account, strategy:NAME or instrument:SYMBOL"
            raise InvariantViolated(message)
        if state is TradingState.ACTIVE:
            self.by_scope.pop(scope, None)
        else:
            self.by_scope[scope] = state

    def reset(self, scope: str) -> None:
        """Back to ACTIVE in this scope; others stay as they are."""
        self.set(scope, TradingState.ACTIVE)

    def state_for(self, strategy: str, symbol: str) -> TradingState:
        """What holds for an order of this strategy in this instrument."""
        if not self.by_scope:
            return TradingState.ACTIVE
        scopes = (ACCOUNT, f"{STRATEGY}:{strategy}", f"{INSTRUMENT}:{symbol}")
        return strictest(*(self.by_scope[scope] for scope in scopes if scope in self.by_scope))
