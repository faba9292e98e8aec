"""Looks at both sides now and then and writes down what each holds for true."""

from __future__ import annotations

import asyncio
from typing import Any

from brokers.simulated.gateway.server import SimulatedGateway
from daemon.runtime.holdings import trading_state
from tests.simulation.history import BookSeen, BrokerSeen
from tests.simulation.world.lives import Lives
from tests.simulation.world.network import Network
from tests.simulation.world.recorder import Recorder

EVERY_S = 30.0
_AGAIN_S, _TRIES = 0.25, 8


class Observer:
    """A look is taken when nothing is under way; if that does not come for two seconds, all the same (`is_quiet`
    False).
    """

    def __init__(self, gateway: SimulatedGateway, lives: Lives, network: Network, recorder: Recorder) -> None:
        self._gateway, self._lives, self._network, self._recorder = gateway, lives, network, recorder

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.look()

    async def look(self) -> None:
        """One look, soon."""
        for _ in range(_TRIES):
            if self._is_quiet():
                break
            await asyncio.sleep(_AGAIN_S)
        self._see_broker()
        self._see_book(is_quiet=self._is_quiet())

    def _is_quiet(self) -> bool:
        daemon = self._lives.daemon
        return not self._network.bytes_under_way() and (daemon is None or daemon.is_idle)

    def _see_broker(self) -> None:
        session, recorder = self._gateway.session, self._recorder
        held = [position for position in session.ledger.positions.values() if position.quantity]
        recorder.add(
            BrokerSeen(
                at=recorder.now(),
                cash=session.ledger.cash,
                positions={position.symbol: position.quantity for position in held},
                average_prices={position.symbol: position.average_cost for position in held},
                orders=tuple(_order(order) for order in session.desk.open_orders()),
                is_connected=session.is_connected,
                net_liquidation=session.ledger.net_liquidation,
            )
        )

    def _see_book(self, *, is_quiet: bool) -> None:
        daemon, process, recorder = self._lives.daemon, self._lives.process, self._recorder
        if daemon is None or process is None:
            return
        book = daemon.engine.book
        held = book.positions()
        recorder.add(
            BookSeen(
                at=recorder.now(),
                process=process.number,
                is_up=daemon.is_up,
                is_reconciled=book.is_reconciled,
                is_quiet=is_quiet,
                state=trading_state(book),
                positions={symbol: float(position.quantity) for symbol, position in held.items()},
                average_prices={symbol: position.average_price for symbol, position in held.items()},
                working=tuple(book.orders),
                unknown=tuple(order.order.ref for order in book.unknown_orders()),
                locks=tuple(book.locks),
                cash=None if book.account is None else book.account.cash,
                tasks=len(process.tasks),
            )
        )


def _order(order: Any) -> dict[str, Any]:
    return {
        "ref": order.request.order_ref,
        "perm_id": order.perm_id,
        "symbol": order.stock.symbol,
        "side": order.request.side,
        "remaining": order.remaining,
        "order_type": order.request.order_type,
        "status": order.status,
        "limit_price": order.limit_price,
        "stop_price": order.stop_price,
    }
