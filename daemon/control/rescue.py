"""List, cancel and flatten straight at the broker: a process of its own that needs neither loop nor journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from brokers.port import Broker
from daemon.control.control_socket import socket_path
from daemon.control.rescue_plan import exits_of, orders_in, stops_without_position
from daemon.control.rescue_view import order_line
from daemon.control.socket_client import is_listening
from daemon.runtime.clock import wall_now
from daemon.runtime.guard import check_account, check_keys
from daemon.runtime.ib_broker import ib_broker
from shared.commands import CancelOrder, Flatten
from shared.config import Config
from shared.errors import BrokerUnavailable, ClientIdTaken, ConfigError, OpenbellError, Refused
from shared.events import BrokerReported, Event, OrderRejected, OrderUnknown
from shared.market import Bar
from shared.orders import OpenOrder, Order

BESIDE = 100
"""How far the client ids are from the daemon's while it lives."""
_NEEDED = frozenset({"open_orders", "positions"})


class RescueBroker(Broker, Protocol):
    """What rescue asks of a broker beyond the daemon's port."""

    def global_cancel(self) -> None:
        """Ask for the cancel of every order of the account, whoever placed it."""


class Ids(Struct, frozen=True, kw_only=True):
    """The client ids to connect under; `daemon` says who holds the daemon's own, empty if nobody does."""

    orders: int
    data: int
    daemon: str


class Patience(Struct, frozen=True, kw_only=True):
    """Wall seconds. Positions may follow their fills late (TWS.md 4.53): nothing is closed while one is younger.

    The client id of a daemon that has just died is free once the gateway has noticed.
    """

    freed_within_s: float = 20.0
    look_every_s: float = 0.5
    gone_within_s: float = 10.0
    flat_within_s: float = 30.0
    settle_s: float = 5.0


class Outcome(Struct, frozen=True, kw_only=True):
    """What was asked for, what is left, and what the broker said against it."""

    asked: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        return not self.left


class Listener:
    """Hears the broker; only complaints are kept."""

    def __init__(self) -> None:
        self.complaints: list[str] = []

    def on_event(self, event: Event) -> None:
        if isinstance(event, OrderRejected):
            self.complaints.append(f"{event.ref}: {event.code} {event.text}")
        elif isinstance(event, OrderUnknown):
            self.complaints.append(f"{event.ref}: {event.reason}")

    def on_bar(self, symbol: str, opened_at: datetime, interval_s: int, bar: Bar) -> None:
        """Not asked for."""

    def on_quote(self, symbol: str, bid: float, ask: float, at: datetime) -> None:
        """Not asked for."""

    def on_clock(self, market_at: datetime, speed: float) -> None:
        """The wall's time stamps what little is stamped here."""


class Rescue:
    """One connection for it."""

    def __init__(self, broker: RescueBroker, listener: Listener, client_id: int, patience: Patience) -> None:
        self._broker = broker
        self._listener = listener
        self._patience = patience
        self.client_id = client_id

    async def look(self) -> BrokerReported:
        """What the broker has. Raises BrokerUnavailable where orders or positions could not be asked."""
        report = await self._broker.report()
        if unasked := sorted(_NEEDED & set(report.unanswered)):
            raise BrokerUnavailable(f"could not ask for {', '.join(unasked)}: that is not the same as none")
        return report

    async def cancel(self, orders: Sequence[OpenOrder], *, everything: bool = False) -> Outcome:
        """Cancel these orders and wait until they are gone; `everything` = all of the account in one message.

        Raises:
            Refused: some belong to another client id and `everything` was not asked for.
        """
        if everything:
            self._broker.global_cancel()
        else:
            self._refuse_others(orders)
            for order in orders:
                await self._broker.execute(CancelOrder(ref=order.ref))
        wanted = {order.perm_id: order for order in orders}
        left = await self._gone(wanted)
        return Outcome(
            asked=tuple(f"cancel {order_line(order)}" for order in orders),
            left=tuple(order_line(order) for order in left),
            complaints=self._complaints(left),
        )

    async def flatten(self, symbols: Sequence[str], *, everything: bool = False) -> Outcome:
        """Cancel what works in these instruments, then close what is held; an instrument whose orders stay is left.

        Raises:
            Refused: as `cancel`; or a stop stands before no position, which may be told late.
        """
        before = await self._settled(symbols)
        if bare := stops_without_position(before, symbols):
            raise Refused(
                f"{', '.join(bare)}: a stop works there, but the broker tells no position, which may lag; nothing was "
                "sent; look again, or cancel the stop with `rescue cancel --ref`"
            )
        working = list(before.open_orders) if everything else orders_in(before, symbols)
        pulled = await self.cancel(working, everything=everything) if working else Outcome()
        report = await self._settled(symbols)
        stuck = {order.symbol for order in orders_in(report, symbols)}
        exits = [order for symbol in symbols if symbol not in stuck for order in exits_of(report, symbol, wall_now())]
        for order in exits:
            await self._broker.execute(Flatten(order=order))
        held = await self._flat(symbols) if exits or stuck else {}
        left = [f"{quantity:+g} {symbol}" for symbol, quantity in held.items()]
        return Outcome(
            asked=(*pulled.asked, *(described_exit(order) for order in exits)),
            left=(*pulled.left, *left),
            complaints=tuple(self._listener.complaints) if left else pulled.complaints,
        )

    def _refuse_others(self, orders: Sequence[OpenOrder]) -> None:
        others = [order for order in orders if order.client_id != self.client_id]
        if not others:
            return
        held_by = ", ".join(sorted({str(order.client_id) for order in others}))
        raise Refused(
            f"{len(others)} of {len(orders)} orders belong to client id {held_by}, we are {self.client_id}: only their "
            "own id may cancel them one by one; use `openbell halt`, or end the daemon first, or --all (every order of "
            "the account, protection and orders made by hand too)"
        )

    async def _gone(self, wanted: dict[int, OpenOrder]) -> list[OpenOrder]:
        """Those of the orders that still work after a while."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._patience.gone_within_s
        while True:
            left = [order for order in (await self.look()).open_orders if order.perm_id in wanted]
            if not left or loop.time() > until_s:
                return left
            await asyncio.sleep(self._patience.look_every_s)

    async def _settled(self, symbols: Sequence[str]) -> BrokerReported:
        """A look that positions had time to follow: no execution is fresh, no stop stands before nothing."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._patience.settle_s
        while True:
            report = await self.look()
            if "executions" in report.unanswered:
                raise BrokerUnavailable("could not ask for executions: whether positions are up to date is not known")
            if loop.time() > until_s or not (
                stops_without_position(report, symbols) or await self._is_fresh(report, symbols)
            ):
                return report
            await asyncio.sleep(self._patience.look_every_s)

    async def _is_fresh(self, report: BrokerReported, symbols: Sequence[str]) -> bool:
        """Whether the last execution in these instruments is younger than positions may lag."""
        newest = max((fill.filled_at for fill in report.fills if fill.symbol in symbols), default=None)
        if newest is None:
            return False
        return (await self._broker.server_time() - newest).total_seconds() <= self._patience.settle_s

    async def _flat(self, symbols: Sequence[str]) -> dict[str, float]:
        """What is still held of them after a while."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._patience.flat_within_s
        while True:
            held = {each.symbol: each.quantity for each in (await self.look()).positions if each.symbol in symbols}
            if not held or loop.time() > until_s:
                return held
            await asyncio.sleep(self._patience.look_every_s)

    def _complaints(self, left: Sequence[OpenOrder]) -> tuple[str, ...]:
        refs = {order.ref for order in left}
        return tuple(text for text in self._listener.complaints if text.partition(": ")[0] in refs)


def described_exit(order: Order) -> str:
    return f"{order.side.value} {order.quantity} {order.symbol} at the market ({order.ref})"


def chosen_ids(config: Config, wanted: int | None) -> Ids:
    """The client ids: those asked for; else the daemon's own while it is dead, ids of our own while it lives.

    Raises:
        Refused: the daemon's own id is asked for, and it lives.
    """
    section, daemon = config.broker, living_daemon(config)
    if wanted is None:
        away = BESIDE if daemon else 0
        return Ids(orders=section.client_id + away, data=section.data_client_id + away, daemon=daemon)
    if daemon and wanted in {section.client_id, section.data_client_id}:
        raise Refused(f"--client-id {wanted}: is held by the living daemon ({daemon}); use `openbell halt`, or end it")
    if wanted == section.client_id:
        return Ids(orders=wanted, data=section.data_client_id, daemon=daemon)
    return Ids(orders=wanted, data=wanted + BESIDE, daemon=daemon)


def living_daemon(config: Config) -> str:
    """Who runs on this state_dir; empty if nobody is seen. A journal that cannot be asked is no obstacle."""
    from shared.io.journal import writer_of
    from shared.io.journal_place import journal_place

    if is_listening(socket_path(config)):
        return "its control socket answers"
    try:
        writer = writer_of(journal_place(config))
    except (OpenbellError, OSError):
        return ""  # the gateway itself refuses a client id that is taken (326)
    return "" if writer is None else f"process {writer}"


@asynccontextmanager
async def connected(
    config: Config,
    ids: Ids,
    *,
    live_flag: bool = False,
    extra_symbols: Sequence[str] = (),
    patience: Patience | None = None,
) -> AsyncIterator[Rescue]:
    """A rescue at the broker, whose account is the one that may be traded.

    Raises:
        ConfigError: mode, --live and account do not agree. BrokerUnavailable: nobody answers, or the client id stays
            taken.
    """
    check_keys(config, live_flag=live_flag)
    listener, patience = Listener(), patience or Patience()
    broker = _broker(_with_symbols(config, extra_symbols), ids, listener)
    try:
        account = await _let_in(broker, 0.0 if ids.daemon else patience.freed_within_s, patience.look_every_s)
        check_account(config, account)
        yield Rescue(broker, listener, ids.orders, patience)
    finally:
        await broker.disconnect()


async def _let_in(broker: RescueBroker, within_s: float, every_s: float) -> str:
    """Connect; the account. A taken client id is asked for again."""
    clock = asyncio.get_running_loop().time
    until_s = clock() + within_s
    while True:
        try:
            return await broker.connect()
        except ClientIdTaken:
            if clock() >= until_s:
                raise
        await asyncio.sleep(every_s)


def _broker(config: Config, ids: Ids, listener: Listener) -> RescueBroker:
    """Without quotes: what a rescue sends goes at the market."""
    section = config.broker.model_copy(update={"client_id": ids.orders, "data_client_id": ids.data, "quotes": False})
    return ib_broker(config.model_copy(update={"broker": section}), listener, wall_now)


def _with_symbols(config: Config, extra: Sequence[str]) -> Config:
    """The configuration with instruments beyond its universe."""
    new = [symbol for symbol in dict.fromkeys(extra) if symbol not in config.universe.symbols]
    if any(not symbol or not symbol.isprintable() for symbol in new):
        raise ConfigError("--symbol: must be a symbol such as SPY")
    universe = config.universe.model_copy(update={"symbols": (*config.universe.symbols, *new)})
    return config.model_copy(update={"universe": universe})
