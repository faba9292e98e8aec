"""The real daemon on the real wire: in one process with a simulated gateway whose clock the test moves.

SPY's price is the test's script, five seconds a step; the strategy is long from 101 on. A decision is made every five
seconds. Time that the daemon measures on the wall (answers, reports, protection) is shortened to tenths of a second.
"""

import asyncio
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from brokers.simulated.gateway.runtime.clock import ManualClock
from brokers.simulated.gateway.server import SimulatedGateway
from daemon.control.control_socket import socket_path
from daemon.control.socket_client import ask_daemon
from daemon.engine.assembly import build_engine
from daemon.runtime.ib_broker import ib_broker
from daemon.runtime.lifecycle import journal_path
from daemon.runtime.wiring import assemble
from shared.commands import CancelOrder, Flatten, Notify, PlaceBracket, ReplaceStop
from shared.config import Config
from shared.events import ConnectionRestored, OperatorCommanded
from shared.io.journal import Journal, JournalReader
from shared.messages import decode_command, decode_event
from tests.brokers.simulated.gateway.scripted_market import OPENS_AT, STEP_S, ScriptedMarket, flat
from tests.fakes.limits import LIFTED, PERSON

WITHIN_S = 10.0
STRATEGY = Path(__file__).with_name("threshold.py")
CALM, UP = 100.0, 102.0


def prices(*levels, steps=400):
    """Each level for one step, the last one for ever."""
    return [flat(level) for level in (*levels, *[levels[-1]] * (steps - len(levels)))]


def a_config(folder, port, **changes):
    """A daemon for SPY on paper at the gateway's port; a changed section is given as a dict."""
    shutil.copy(STRATEGY, folder / "threshold.py")
    data = {
        "broker": {"port": port, "follow_gateway_clock": True, "connect_timeout_s": 2.0, "request_timeout_s": 1.0},
        "session": {
            "calendar": "XNYS",
            "entry_after_open_s": 0,
            "entry_before_close_s": 900,
            "flatten_before_close_s": 300,
        },
        "universe": {"symbols": ["SPY"]},
        "bars": {"interval_s": 5, "warm_up": 0, "row_grace_s": 0.1},
        "strategy": [
            {
                "name": "t",
                "kind": "threshold.py",
                "params": {"long_from": 101.0},
                "allocation": 1.0,
                "sizing": {"method": "fixed_fraction", "fraction": 0.01},
                "exits": {"method": "percent", "stop_pct": 1.0, "target_pct": 5.0},
            }
        ],
        "execution": {
            "entry": "market",
            "limit_offset_bps": 5.0,
            "entry_timeout_s": 120.0,
            "acknowledge_within_s": 0.5,
        },
        "risk": {
            "max_order_quantity": 10_000,
            "max_order_notional": 1_000_000.0,
            "max_position_quantity": 10_000,
            "max_position_notional": 1_000_000.0,
            "max_gross_exposure": 1.0,
            "price_collar_pct": 10.0,
            "price_jump_pct_max": 20.0,
            "price_age_max_s": 60.0,
            "protect_within_s": 1.0,
            **LIFTED,
            **PERSON,
        },
        "runtime": {"heartbeat_every_s": 0.2, "reconcile_every_s": 0.5},
    }
    for key, change in changes.items():
        before = data.get(key)
        data[key] = {**before, **change} if isinstance(before, dict) and isinstance(change, dict) else change
    return Config.model_validate(data).based_at(folder)


class Floor:
    """One gateway, one daemon, one journal; `gateway.ledger` is the oracle."""

    def __init__(self, folder, gateway, clock, opens_at=OPENS_AT):
        self.folder, self.gateway, self.clock, self.opens_at = folder, gateway, clock, opens_at
        self.steps_played = 0
        self.daemon: Any = None
        self.broker: Any = None
        self.config: Any = None
        self._run: Any = None

    # ------------------------------------------------------------------ the daemon

    async def start(self, *, reconciled=True, **changes):
        """Start the daemon on the folder's journal, as systemd would."""
        self.config = a_config(self.folder, self.gateway.port, **changes)
        journal = Journal.create(journal_path(self.config), self.config.mode)

        def build_broker(config, listener, clock):
            self.broker = ib_broker(config, listener, clock)
            return self.broker

        self.daemon = assemble(self.config, journal, build_engine, build_broker)
        self._run = asyncio.create_task(self.daemon.run(until_close=False))
        if reconciled:
            await self.back()

    async def back(self, within_s=WITHIN_S):
        """The daemon is connected, has compared everything, and bars stream."""
        await self.until(lambda: self.daemon.is_streaming and self.book.is_reconciled, within_s)

    async def command(self, verb, scope="account"):
        """A person's order through the loop; returns once it is durable and carried out."""
        now = self.daemon._organs.clock.now()
        event = OperatorCommanded(received_at=now, verb=verb, scope=scope, actor="a test")
        await self.daemon._organs.loop.submit(event)

    async def kill(self):
        """End the daemon as SIGKILL would: nothing is said to the broker any more."""
        self._run.cancel()
        with suppress(asyncio.CancelledError):
            await self._run
        self._run = None

    async def cut(self):
        """Every connection ends; returns once the daemon is back, which may take milliseconds."""
        before = len(self.events(ConnectionRestored))
        self.gateway.controls.drop()
        await self.until(lambda: len(self.events(ConnectionRestored)) > before)
        await self.back()

    async def died(self, within_s=WITHIN_S):
        """Wait until the daemon has ended of itself; returns of what."""
        async with asyncio.timeout(within_s):
            await asyncio.wait([self._run])
        run, self._run = self._run, None
        return run.exception()

    async def stop(self):
        """End it in good order; returns how it ended."""
        self.daemon.request_stop("SIGTERM")
        ending = await asyncio.wait_for(self._run, 30)
        self._run = None
        return ending

    async def close(self):
        if self._run is not None:
            await self.kill()

    @property
    def book(self):
        return self.daemon.engine.book

    def is_quiet(self):
        """Nothing waits to be handled, nor for room on the wire: steps are played faster than TWS takes messages."""
        session = self.broker._session if self.broker is not None else None
        return self._run is None or (self.daemon.is_idle and not (session is not None and session.waiting_orders()))

    async def order(self, verb, scope="account"):
        """A person's order over the control socket; returns the daemon's reply once it is done."""
        path = socket_path(self.config)
        return await asyncio.to_thread(ask_daemon, path, verb=verb, scope=scope, wait_s=WITHIN_S)

    # ------------------------------------------------------------------ the market

    async def play(self, steps=1):
        """Let the market go on by so many steps, one by one, and the daemon follow each.

        A daemon that has just started has asked for its bars before the first step is played, and the gateway has
        heard it: a bar of before would never come.
        """
        await self.settled()
        for _ in range(steps):
            self.steps_played += 1
            at = self.opens_at + STEP_S * self.steps_played
            self.clock.advance_to(at)
            async with asyncio.timeout(WITHIN_S):
                await self.gateway.session.played_to(at)
            if self._run is not None and self.daemon.is_streaming:
                seen = datetime.fromtimestamp(at, UTC)
                await self.until(lambda seen=seen: (self.book.last_row_at or seen) >= seen)
            await self.settled()

    async def play_until(self, holds, within_s=30.0):
        """Let the market go on, a step every twentieth of a second, until the condition holds."""
        async with asyncio.timeout(within_s):
            while not holds():
                self.clock.advance_to(self.clock.now() + STEP_S)
                await asyncio.sleep(0.05)

    async def settled(self):
        """What has been said so far has been heard, on both sides, and its consequences too."""
        for _ in range(2):
            if self._run is not None and self.daemon.is_up:
                with suppress(Exception):
                    await self.broker.server_time()
            await self.until(self.is_quiet)

    async def until(self, holds, within_s=WITHIN_S):
        """Let both work until the condition holds; a daemon that has died says of what."""
        async with asyncio.timeout(within_s):
            while not holds():
                if self._run is not None and self._run.done():
                    self._run.result()
                await asyncio.sleep(0.005)

    # ------------------------------------------------------------------ what came of it

    @property
    def shares(self):
        """What the broker's own ledger says is held of SPY."""
        return self.gateway.ledger.quantity("SPY")

    def resting(self, leg=None):
        """Open orders at the broker whose reference ends in that leg, as (leg, side, quantity left)."""
        orders = self.gateway.session.desk.open_orders()
        return [order for order in orders if leg is None or order.request.order_ref.rpartition(":")[2].startswith(leg)]

    def stops(self):
        """Shares that resting stops at the broker cover."""
        return sum(order.remaining for order in [*self.resting("S"), *self.resting("P")])

    def agrees(self):
        """Book and broker hold the same, every share of it has a resting stop, and nothing is in doubt."""
        held = self.book.positions().get("SPY")
        mine = held.quantity if held else 0
        return (
            self.book.is_reconciled
            and mine == self.shares
            and self.stops() == abs(self.shares)
            and not self.book.unknown_orders()
        )

    async def agreed(self, within_s=WITHIN_S):
        """Wait until book and broker agree."""
        try:
            await self.until(self.agrees, within_s)
        except TimeoutError:
            held = self.book.positions()
            raise AssertionError(
                f"broker holds {self.shares} behind {self.stops()} shares of stops, the book {held}; "
                f"reconciled {self.book.is_reconciled}, unknown {self.book.unknown_orders()}, locks {self.book.locks}"
            ) from None

    async def agreed_since_its_fills(self):
        """Wait for a report that shows SPY as the book holds it, asked for after the last fill."""
        await self.until(lambda: self.book.agreed["SPY"] > max(fill.filled_at for fill in self.book.fills.values()))

    def entries(self):
        """The references of the entries the daemon has commanded."""
        return [ref for ref in self.sent() if ref.endswith(":E")]

    def sent(self):
        """The references of the orders the daemon has commanded, in order, changes of a working stop included."""
        with JournalReader.open(journal_path(self.config)) as journal:
            commands = [decode_command(each) for record in journal.records() for each in record.commands]
        brackets = [command.bracket.entry.ref for command in commands if isinstance(command, PlaceBracket)]
        return brackets + [command.order.ref for command in commands if isinstance(command, ReplaceStop | Flatten)]

    def filled_at_broker(self):
        """Shares that the broker's ledger says were filled, by order reference."""
        filled: dict[str, float] = {}
        for execution in self.gateway.ledger.executions:
            filled[execution.order_ref] = filled.get(execution.order_ref, 0) + execution.quantity
        return filled

    def notices(self, code):
        """The texts of the engine's notices with that code, in the journal's order."""
        with JournalReader.open(journal_path(self.config)) as journal:
            commands = [decode_command(each) for record in journal.records() for each in record.commands]
        return [command.text for command in commands if isinstance(command, Notify) and command.code == code]

    def cancels(self, ref):
        """How often the daemon has asked for the cancel of that order."""
        with JournalReader.open(journal_path(self.config)) as journal:
            commands = [decode_command(each) for record in journal.records() for each in record.commands]
        return sum(isinstance(command, CancelOrder) and command.ref == ref for command in commands)

    def events(self, kind):
        """The journalled events of that kind."""
        with JournalReader.open(journal_path(self.config)) as journal:
            return [decode_event(payload) for payload in journal.events_of_kind(kind.__name__)]


async def a_floor(stack, folder, script, *, opens_at=OPENS_AT, lasts_s=6.5 * 3600, **settings):
    """A floor on a scripted market; `stack` closes both ends."""
    market = ScriptedMarket(script, lasts_s=lasts_s, opens_at=opens_at)
    clock = ManualClock(opens_at - 60)
    gateway = await stack.enter_async_context(SimulatedGateway(market, clock, port=0, **settings))
    floor = Floor(folder, gateway, clock, opens_at)
    stack.push_async_callback(floor.close)
    return floor
