"""What a person orders: trading states, the flatten that goes past them, and what a break is settled to."""

from __future__ import annotations

from typing import assert_never

from daemon.engine.book import Book
from daemon.engine.corporate_action import drop_due_split
from daemon.engine.trader import Trader
from daemon.engine.watch import Watch
from risk.trading_state import INSTRUMENT, TradingState
from shared.commands import AskBroker, Command, Notify
from shared.events import OperatorCommanded

_VERBS = {"halt": TradingState.HALTED, "reduce": TradingState.REDUCING, "observe": TradingState.OBSERVE}


class Operator:
    """Carries out the closed set of verbs; every one is said."""

    def __init__(self, book: Book, trader: Trader, watch: Watch) -> None:
        self._book = book
        self._trader = trader
        self._watch = watch

    def on_command(self, event: OperatorCommanded) -> list[Command]:
        if event.nonce:
            self._book.nonces[event.nonce] = event.received_at.isoformat()
        text = f"{event.actor}: {event.verb} {event.scope}"
        commands: list[Command] = [Notify(level="warning", code="operator", text=text)]
        match event.verb:
            case "resume":
                commands += self._resume(event)
            case "reset":
                self._book.breakers.reset(event.scope)
                self._watch.excuse(event.scope)
                self._book.trading_states.reset(event.scope)
                drop_due_split(self._book, event.scope.removeprefix(f"{INSTRUMENT}:"))
            case "flatten":
                self._book.trading_states.set(event.scope, TradingState.HALTED)
                commands += self._trader.flatten(event.received_at, text, event.scope)
            case "halt" | "reduce" | "observe":
                self._book.trading_states.set(event.scope, _VERBS[event.verb])
                commands += self._trader.cancel_entries(text, event.scope)
            case "block":
                self._book.trading_states.set(event.scope, TradingState.HALTED)
            case "accept":
                commands += self._accept(event)
            case _:
                assert_never(event.verb)
        return commands

    def _resume(self, event: OperatorCommanded) -> list[Command]:
        """What a limit has latched is not ended in passing: that takes `reset`."""
        latched = self._book.breakers.latched.get(event.scope, [])
        if not latched:
            self._book.trading_states.reset(event.scope)
            return []
        rules = ", ".join(latch.rule for latch in latched)
        text = f"{event.scope}: not resumed, latched by {rules}; only reset ends that"
        return [Notify(level="warning", code="resume_refused", text=text)]

    def _accept(self, event: OperatorCommanded) -> list[Command]:
        """The next complete report that still shows this quantity is settled to it."""
        kind, _, symbol = event.scope.partition(":")
        seen = self._book.breaks.get(symbol)
        if kind != INSTRUMENT or seen is None:
            text = f"{event.scope}: there is no break to accept, open ones: {', '.join(self._book.breaks) or 'none'}"
            return [Notify(level="warning", code="accept_refused", text=text)]
        self._book.accepts[symbol] = seen.broker_quantity
        reason = f"{event.actor} accepts {seen.broker_quantity:g} {symbol}"
        return [AskBroker(reasons=(reason,))] if self._book.is_connected else []
