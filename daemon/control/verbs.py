"""The closed set of verbs, what each may be said of, and the reply that every request gets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from msgspec import Struct

from risk.trading_state import ACCOUNT, INSTRUMENT, STRATEGY, is_scope
from shared.config import Config

Order = Literal["block", "halt", "flatten", "reduce", "observe", "resume", "reset", "accept"]
"""Verbs that reach the engine."""
Verb = Literal["block", "halt", "flatten", "reduce", "observe", "resume", "reset", "accept", "status"]
VERBS: tuple[str, ...] = get_args(Verb)
DELIBERATE = ("flatten", "resume", "reset", "accept")
"""Verbs that trade, or that free trading: a person types a word or names a flag. Stopping is never made hard."""
_SHOWN_CHARS = 60


class Reply(Struct, frozen=True, kw_only=True):
    """The answer to a request. `state` is the trading state after it, empty if it could not be asked.

    `id` is that of a signed command, `facts` is filled for `status` only.
    """

    id: str = ""
    accepted: bool
    reason: str = ""
    state: str = ""
    facts: dict[str, object] = {}


ScopeFault = Callable[[str, str], str]


def scope_fault(config: Config) -> ScopeFault:
    """A function of verb and scope: what is wrong with the scope in one line, empty if nothing is."""
    strategies = tuple(strategy.name for strategy in config.strategies)
    known = {STRATEGY: strategies, INSTRUMENT: tuple(config.universe.symbols)}

    def fault(verb: str, scope: str) -> str:
        if not is_scope(scope):
            return f"scope {shown(scope)}: must be account, strategy:NAME or instrument:SYMBOL"
        kind, _, name = scope.partition(":")
        if kind != ACCOUNT and name not in known[kind]:
            return f"scope {shown(scope)}: no such {kind}, there are {', '.join(known[kind])}"
        if verb == "accept" and kind != INSTRUMENT:
            return f"scope {shown(scope)}: accept takes the broker's quantity of one instrument:SYMBOL"
        return ""

    return fault


def shown(text: str) -> str:
    """What a stranger has sent, safe for a log line: quoted, escaped, short."""
    return repr(text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}...")
