"""Carries commands out, once the journal has them: orders, timers, questions, messages to people."""

from __future__ import annotations

from typing import assert_never

import structlog

from brokers.port import Broker
from daemon.runtime.clock import MarketClock
from daemon.runtime.inbox import Inbox
from daemon.runtime.notices import Notices
from daemon.runtime.reports import Reporter
from daemon.runtime.timers import Timers
from shared.commands import (
    AskBroker,
    CancelOrder,
    Command,
    Flatten,
    Notify,
    OrderCommand,
    PlaceBracket,
    ReplaceStop,
    SetTimer,
)
from shared.errors import BrokerUnavailable
from shared.events import OrderUnknown

_log = structlog.get_logger("openbell")


class Executor:
    """An order command that could not be sent comes back as OrderUnknown: it may or may not have left."""

    def __init__(
        self, *, broker: Broker, reporter: Reporter, timers: Timers, inbox: Inbox, clock: MarketClock,
        notices: Notices,
    ) -> None:  # fmt: skip
        self._broker = broker
        self._reporter = reporter
        self._timers = timers
        self._inbox = inbox
        self._clock = clock
        self._notices = notices

    async def execute(self, commands: list[Command]) -> None:
        """Carry the commands out in their order."""
        for command in commands:
            match command:
                case PlaceBracket() | CancelOrder() | ReplaceStop() | Flatten():
                    await self._send(command)
                case AskBroker():
                    self._reporter.ask()
                case SetTimer():
                    self._timers.set(command)
                case Notify():
                    self._notices.tell(command)
                case _:
                    assert_never(command)

    async def _send(self, command: OrderCommand) -> None:
        """Send first, tell afterwards: the journal has it already, and a log line takes longer than a frame."""
        try:
            await self._broker.execute(command)
            _log.info("sent", **described(command))
        except BrokerUnavailable as error:
            _log.warning("not_sent", why=str(error), **described(command))
            for ref in refs_of(command):
                unknown = OrderUnknown(received_at=self._clock.now(), ref=ref, reason=f"could not be sent: {error}")
                self._inbox.put(unknown)


def refs_of(command: OrderCommand) -> tuple[str, ...]:
    """The references of all orders whose fate hangs on the command."""
    match command:
        case PlaceBracket(bracket=bracket):
            legs = (bracket.entry, bracket.stop_loss, bracket.take_profit)
            return tuple(leg.ref for leg in legs if leg is not None)
        case ReplaceStop(order=order) | Flatten(order=order):
            return (order.ref,)
        case CancelOrder(ref=ref):
            return (ref,)
        case _:
            assert_never(command)


def described(command: OrderCommand) -> dict[str, object]:
    """The command as flat facts for a log line or a table."""
    facts: dict[str, object] = {"command": type(command).__name__}
    match command:
        case PlaceBracket(bracket=bracket):
            order, target = bracket.entry, bracket.take_profit
            facts["stop_price"] = bracket.stop_loss.stop_price
            facts["target_price"] = target.limit_price if target is not None else None
        case ReplaceStop(order=order) | Flatten(order=order):
            facts["stop_price"] = order.stop_price
        case CancelOrder(ref=ref):
            return {**facts, "ref": ref, "reasons": list(command.reasons)}
        case _:
            assert_never(command)
    return {
        **facts,
        "ref": order.ref,
        "symbol": order.symbol,
        "side": order.side.value,
        "quantity": order.quantity,
        "limit_price": order.limit_price,
        "reasons": list(command.reasons),
    }
