"""What a person orders: trading states, and the flatten that goes past them."""

from __future__ import annotations

from typing import assert_never

from daemon.engine.book import Book
from daemon.engine.trader import Trader
from risk.trading_state import TradingState
from shared.commands import Command, Notify
from shared.events import OperatorCommanded

_VERBS = {"halt": TradingState.HALTED, "reduce": TradingState.REDUCING, "observe": TradingState.OBSERVE}


class Operator:
    """Carries out the closed set of verbs; every one is said."""

    def __init__(self, book: Book, trader: Trader) -> None:
        self._book = book
        self._trader = trader

    def on_command(self, event: OperatorCommanded) -> list[Command]:
        text = f"{event.actor}: {event.verb} {event.scope}"
        commands: list[Command] = [Notify(level="warning", code="operator", text=text)]
        match event.verb:
            case "resume" | "reset":
                self._book.trading_states.reset(event.scope)
            case "flatten":
                self._book.trading_states.set(event.scope, TradingState.HALTED)
                commands += self._trader.flatten(event.received_at, text, event.scope)
            case "halt" | "reduce" | "observe":
                self._book.trading_states.set(event.scope, _VERBS[event.verb])
                commands += self._trader.cancel_entries(text, event.scope)
            case "block":
                self._book.trading_states.set(event.scope, TradingState.HALTED)
            case "accept":
                pass
            case _:
                assert_never(event.verb)
        return commands
