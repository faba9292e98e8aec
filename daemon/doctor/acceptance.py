"""A rehearsal at the user's own paper account: one far order from birth to death, compared at every step.

A bracket for one share, 30 % below the market, is placed, compared, changed, found again after a reconnect and
cancelled; at the end nothing is left and no position has moved. Each step is a card; after the first that fails the
rest is skipped, and what was placed is cancelled all the same.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from brokers.port import Broker, BrokerListener, Clock
from daemon.doctor.check import Level, Line
from daemon.runtime.clock import MarketClock
from daemon.runtime.guard import check_account
from shared.commands import CancelOrder, PlaceBracket, ReplaceStop
from shared.config import Config
from shared.errors import BrokerUnavailable, ConfigError, OpenbellError
from shared.events import BrokerReported, Event, OrderRejected
from shared.ids import leg_ref, plan_id
from shared.market import Bar, Instrument
from shared.orders import BracketOrder, Leg, OpenOrder, Order, OrderType, Side

STRATEGY = "doctor"
_ENTRY, _STOP, _MOVED_STOP, _TARGET = 0.7, 0.6, 0.62, 1.3
_SETTLED_S, _POLL_S = 10.0, 0.2
BuildBroker = Callable[[Config, BrokerListener, Clock], Broker]


class _Listener:
    """Follows a simulated gateway's clock and keeps why an order was refused."""

    def __init__(self, clock: MarketClock) -> None:
        self._clock = clock
        self.refusals: list[str] = []

    def on_event(self, event: Event) -> None:
        if isinstance(event, OrderRejected):
            self.refusals.append(event.text)

    def on_bar(self, symbol: str, opened_at: datetime, interval_s: int, bar: Bar) -> None:
        """Bars are not subscribed."""

    def on_quote(self, symbol: str, bid: float, ask: float, at: datetime) -> None:
        """Quotes are not subscribed."""

    def on_clock(self, market_at: datetime, speed: float) -> None:
        self._clock.follow(market_at, speed)


async def rehearse_orders(config: Config, build_broker: BuildBroker) -> list[Line]:
    """The cards, in order. Paper only.

    Raises:
        ConfigError: the mode is live.
    """
    if config.mode != "paper":
        raise ConfigError('--acceptance: mode is "live", the rehearsal is for paper accounts only')
    clock = MarketClock(may_follow=config.broker.follow_gateway_clock, monotonic=asyncio.get_running_loop().time)
    listener = _Listener(clock)
    rehearsal = _Rehearsal(config, build_broker(config, listener, clock.now), listener, clock)
    try:
        return await rehearsal.run()
    finally:
        await rehearsal.clean_up()


class _Rehearsal:
    def __init__(self, config: Config, broker: Broker, listener: _Listener, clock: MarketClock) -> None:
        self._config = config
        self._broker = broker
        self._listener = listener
        self._clock = clock
        self._instrument: Instrument = config.universe_of().instruments[0]
        self._before: dict[str, float] = {}
        self._price = math.nan
        self._plan = ""
        self._perm_ids: dict[str, int] = {}

    async def run(self) -> list[Line]:
        cards: list[Line] = []
        for name, step in self._steps():
            if cards and cards[-1].level is not Level.OK:
                cards.append(Line(name=name, level=Level.SKIP, text="an earlier step failed"))
                continue
            cards.append(await _card(name, step))
        return cards

    def _steps(self) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        return [
            ("connect", self._connect),
            ("report", self._report),
            ("price", self._last_price),
            ("place_bracket", self._place),
            ("modify_stop", self._modify),
            ("reconnect", self._reconnect),
            ("cancel", self._cancel),
            ("nothing_left", self._nothing_left),
        ]

    async def clean_up(self) -> None:
        """Cancel whatever of ours still works, then leave."""
        with suppress(BrokerUnavailable):
            if self._broker.is_connected:
                for ref in await self._ours():
                    await self._broker.execute(CancelOrder(ref=ref, reasons=("end of the rehearsal",)))
                await self._broker.server_time()
        await self._broker.disconnect()

    # --- the steps: what each returns is the text of its card ---------------------------------------------------

    async def _connect(self) -> str:
        account = await self._broker.connect()
        check_account(self._config, account)
        return "a paper account was reported"

    async def _report(self) -> str:
        report = await self._asked()
        self._before = {held.symbol: held.quantity for held in report.positions}
        return f"{len(report.positions)} positions, {len(report.open_orders)} open orders, {len(report.fills)} fills"

    async def _last_price(self) -> str:
        interval_s = self._config.bars.interval_s
        rows = await self._broker.warm_up(interval_s=interval_s, bars=20, before=self._clock.now())
        closes = [float(row.row.close[0]) for row in rows if not math.isnan(row.row.close[0])]
        _require(bool(closes), f"no price of {self._instrument.symbol} in the last 20 bars")
        self._price = closes[-1]
        return f"{self._instrument.symbol} at {self._price:,.2f}"

    async def _place(self) -> str:
        now = self._clock.now()
        self._plan = plan_id(
            STRATEGY, now.date(), self._instrument.symbol, now.hour * 3600 + now.minute * 60 + now.second
        )
        entry = self._order(Leg.ENTRY, Side.BUY, OrderType.LIMIT, limit=self._at(_ENTRY))
        bracket = BracketOrder(
            entry=entry,
            stop_loss=self._stop(_STOP),
            take_profit=self._order(Leg.TAKE_PROFIT, Side.SELL, OrderType.LIMIT, limit=self._at(_TARGET)),
        )
        await self._broker.execute(PlaceBracket(bracket=bracket, reasons=("rehearsal",)))
        orders = await self._until(lambda ours: len(ours) == 3)  # noqa: PLR2004 - entry, stop, target
        sent = [bracket.entry, bracket.stop_loss, bracket.take_profit]
        wrong = [order.ref for order in sent if order is not None and not _same(order, orders[order.ref])]
        _require(not wrong, f"came back otherwise than sent: {', '.join(wrong)}")
        self._perm_ids = {ref: order.perm_id for ref, order in orders.items()}
        return f"three legs work, the entry at {entry.limit_price:,.2f}"

    async def _modify(self) -> str:
        stop = self._stop(_MOVED_STOP)
        await self._broker.execute(ReplaceStop(order=stop, reasons=("rehearsal",)))
        orders = await self._until(lambda ours: stop.ref in ours and _same(stop, ours[stop.ref]))
        _require(orders[stop.ref].perm_id == self._perm_ids[stop.ref], "the changed stop is another order")
        return f"the stop moved to {stop.stop_price:,.2f} and is still one order"

    async def _reconnect(self) -> str:
        await self._broker.disconnect()
        await self._broker.connect()
        orders = await self._until(lambda ours: len(ours) == len(self._perm_ids))
        found = {ref: order.perm_id for ref, order in orders.items()}
        _require(found == self._perm_ids, f"other orders than before: {found}")
        return "the same three orders were found again"

    async def _cancel(self) -> str:
        entry = leg_ref(self._plan, Leg.ENTRY)
        await self._broker.execute(CancelOrder(ref=entry, reasons=("rehearsal",)))
        await self._until(lambda ours: not ours)
        return "the entry was cancelled, and its legs with it"

    async def _nothing_left(self) -> str:
        report = await self._asked()
        after = {held.symbol: held.quantity for held in report.positions}
        _require(after == self._before, f"positions moved from {self._before} to {after}")
        return "no order is left, no position has moved"

    # --- leaves -------------------------------------------------------------------------------------------------

    async def _asked(self) -> BrokerReported:
        report = await self._broker.report()
        _require(not report.unanswered, f"not answered: {', '.join(report.unanswered)}")
        return report

    async def _ours(self) -> dict[str, OpenOrder]:
        report = await self._broker.report()
        return {order.ref: order for order in report.open_orders if self._plan and order.ref.startswith(self._plan)}

    async def _until(self, holds: Callable[[dict[str, OpenOrder]], bool]) -> dict[str, OpenOrder]:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + _SETTLED_S
        while not holds(ours := await self._ours()):
            _require(not self._listener.refusals, f"refused: {'; '.join(self._listener.refusals)}")
            states = ", ".join(f"{ref} {order.status}" for ref, order in ours.items()) or "no order of ours"
            _require(loop.time() < until_s, f"not so after {_SETTLED_S:g} s: {states}")
            await asyncio.sleep(_POLL_S)
        return ours

    def _at(self, share: float) -> float:
        return self._instrument.round_to_tick(self._price * share)

    def _stop(self, share: float) -> Order:
        return self._order(Leg.STOP_LOSS, Side.SELL, OrderType.STOP, stop=self._at(share))

    def _order(
        self, leg: Leg, side: Side, order_type: OrderType, *, limit: float | None = None, stop: float | None = None
    ) -> Order:
        return Order(
            ref=leg_ref(self._plan, leg),
            symbol=self._instrument.symbol,
            side=side,
            quantity=1,
            order_type=order_type,
            limit_price=limit,
            stop_price=stop,
            oca_group="" if leg is Leg.ENTRY else self._plan,
        )


class _StepFailedError(Exception):
    """A card that did not turn out well; the text says why."""


async def _card(name: str, step: Callable[[], Awaitable[str]]) -> Line:
    try:
        return Line(name=name, level=Level.OK, text=await step())
    except (_StepFailedError, OpenbellError) as error:
        return Line(name=name, level=Level.FAIL, text=str(error))


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise _StepFailedError(otherwise)


def _same(sent: Order, told: OpenOrder) -> bool:
    return (sent.side, sent.quantity, sent.order_type.value, sent.limit_price, sent.stop_price) == (
        told.side,
        told.quantity,
        told.order_type,
        told.limit_price,
        told.stop_price,
    )
