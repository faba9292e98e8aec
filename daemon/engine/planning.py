"""Targets minus holdings minus working orders = intents; and an approved intent becomes a bracket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from daemon.engine.beliefs import Hours
from daemon.engine.book import Book
from daemon.engine.desk import Desk
from daemon.engine.plan import Plan
from daemon.engine.settings import EngineSettings
from shared.ids import day_text, leg_ref, plan_id
from shared.market import Instrument
from shared.orders import BracketOrder, Leg, Order, OrderIntent, OrderType, Side


def entry_intent(book: Book, strategy: str, symbol: str, reason: str) -> OrderIntent | None:
    """The entry that is missing to the target, or None.

    Nothing is added while the position points the other way, is being closed, or is as large as the target or larger.
    """
    target = book.target(strategy, symbol)
    held = book.holding(strategy, symbol)
    if held * target < 0 or abs(held) >= abs(target):
        return None
    for plan in book.plans_of(strategy, symbol):
        if book.exits_working(plan):
            return None
    buys, sells = book.working_entries(strategy, symbol)
    if (sells and target > 0) or (buys and target < 0):
        return None
    missing = target - held - (buys - sells)
    if missing * target <= 0:
        return None
    return OrderIntent(
        strategy=strategy,
        symbol=symbol,
        side=Side.BUY if missing > 0 else Side.SELL,
        quantity=abs(missing),
        reduces=False,
        reason=reason,
    )


def exit_quantities(book: Book, strategy: str, symbol: str) -> Iterator[tuple[Plan, int]]:
    """How many shares of which plan to close so that the holding is not above the target: oldest plan first."""
    target = book.target(strategy, symbol)
    held = book.holding(strategy, symbol)
    keep = abs(target) if held * target > 0 else 0
    if abs(held) <= keep:
        return
    plans = [plan for plan in book.plans_of(strategy, symbol) if plan.open_quantity > 0]
    surplus = abs(held) - keep - sum(book.exits_working(plan) for plan in plans)
    for plan in plans:
        quantity = min(surplus, plan.open_quantity - book.exits_working(plan))
        if quantity > 0:
            surplus -= quantity
            yield plan, quantity


def entry_price(settings: EngineSettings, instrument: Instrument, side: Side, price: float) -> float:
    """What the entry is expected to pay at most: the last price, or the marketable limit around it, on tick."""
    if settings.entry == "market":
        return price
    return instrument.round_to_tick(price * (1 + side.sign * settings.limit_offset_bps / 10_000))


def new_plan(book: Book, desk: Desk, intent: OrderIntent, price: float) -> Plan | None:
    """The next plan of this strategy, instrument and session; None when no valid stop can be told."""
    prices = desk.exit_prices(intent.symbol, intent.side, price)
    if prices is None or book.hours is None:
        return None
    key = f"{day_text(book.hours.session)}:{intent.strategy}:{intent.symbol}"
    number = book.plan_numbers.get(key, 0) + 1
    book.plan_numbers[key] = number
    percent, amount = desk.trail(intent.symbol, price)
    return Plan(
        plan_id=plan_id(intent.strategy, book.hours.session, intent.symbol, number),
        strategy=intent.strategy,
        symbol=intent.symbol,
        side=intent.side,
        stop_price=prices[0],
        take_profit_price=prices[1],
        trail_percent=percent,
        trail_amount=amount,
    )


def good_till(settings: EngineSettings, hours: Hours | None, now: datetime) -> datetime | None:
    """When an entry ends by itself at the broker, should our cancel never reach it: no stale order fills hours later.

    Not beyond the session that runs. None between sessions, as with daily bars: the order is then good for the next
    session, as a day order.
    """
    if hours is None or hours.closes_at <= now:
        return None
    if settings.is_daily:
        return hours.closes_at
    end = now + timedelta(seconds=settings.entry_timeout_s + settings.good_till_slack_s)
    return min(end, hours.closes_at)


def bracket_of(plan: Plan, quantity: int, limit_price: float | None, good_till: datetime | None = None) -> BracketOrder:
    """Entry and protection of a plan: children good till cancelled, in one OCA group named by the plan."""
    entry = Order(
        ref=leg_ref(plan.plan_id, Leg.ENTRY),
        symbol=plan.symbol,
        side=plan.side,
        quantity=quantity,
        order_type=OrderType.MARKET if limit_price is None else OrderType.LIMIT,
        limit_price=limit_price,
        tif="DAY" if good_till is None else "GTD",
        good_till=good_till,
    )
    take_profit = None
    if plan.take_profit_price is not None:
        take_profit = Order(
            ref=leg_ref(plan.plan_id, Leg.TAKE_PROFIT),
            symbol=plan.symbol,
            side=plan.side.opposite,
            quantity=quantity,
            order_type=OrderType.LIMIT,
            limit_price=plan.take_profit_price,
            tif="GTC",
            oca_group=plan.oca_group,
        )
    return BracketOrder(
        entry=entry, stop_loss=stop_order(plan, leg_ref(plan.plan_id, Leg.STOP_LOSS), quantity), take_profit=take_profit
    )


def stop_order(plan: Plan, ref: str, quantity: int) -> Order:
    """A protective stop of the plan under `ref`; a trailing one begins at the best stop the plan has reached."""
    return Order(
        ref=ref,
        symbol=plan.symbol,
        side=plan.side.opposite,
        quantity=quantity,
        order_type=OrderType.TRAIL if plan.is_trailing else OrderType.STOP,
        stop_price=plan.stop_price,
        tif="GTC",
        oca_group=plan.oca_group,
        trail_amount=plan.trail_amount,
        trail_percent=plan.trail_percent,
    )


def exit_order(plan: Plan, quantity: int) -> Order:
    """A market order that closes `quantity` shares; it shares the OCA group of the plan's protection."""
    return Order(
        ref=leg_ref(plan.plan_id, Leg.EXIT, plan.next_number(Leg.EXIT)),
        symbol=plan.symbol,
        side=plan.side.opposite,
        quantity=quantity,
        order_type=OrderType.MARKET,
        oca_group=plan.oca_group,
    )


def overfill_order(plan: Plan, quantity: int) -> Order:
    """Buys or sells back what exits filled beyond the position; outside the OCA group, which is done."""
    return Order(
        ref=leg_ref(plan.plan_id, Leg.EXIT, plan.next_number(Leg.EXIT)),
        symbol=plan.symbol,
        side=plan.side,
        quantity=quantity,
        order_type=OrderType.MARKET,
    )


def entry_is_overdue(settings: EngineSettings, hours: Hours | None, sent_at: datetime, now: datetime) -> bool:
    """Whether a resting entry's time is up; with daily bars once the session is over that came after it."""
    if settings.is_daily:
        return hours is not None and sent_at < hours.closes_at <= now
    return (now - sent_at).total_seconds() >= settings.entry_timeout_s
