"""Splits: a position that jumped by a simple ratio, its resting orders gone, without an execution (TWS.md 4.51).

IB cancels good-till-cancelled orders on a split instead of adjusting them (TWS.md 3.20). A stop at the old price would
fire at once or never, so nothing is placed until a person has said that it is a split (`accept`). Then the plans keep
their cost: quantity times ratio, prices divided by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from fractions import Fraction

from daemon.engine.book import PROTECTIVE, Book
from daemon.engine.desk import Desk
from daemon.engine.locks import Break, Lock
from daemon.engine.plan import Plan
from daemon.engine.settlement import SETTLED, end_break
from shared.commands import Command, Notify
from shared.corporate_actions import RATIOS
from shared.events import BrokerReported, PricesRescaled
from shared.market import Instrument, Universe
from shared.orders import Leg

_SAME_COST = 0.05  # the broker's cost has commissions in it


def split_ratio(ours: int, theirs: float) -> Fraction | None:
    """The ratio that makes `theirs` of `ours` (signed shares), a fraction of a share sold; None if there is none."""
    if ours == 0 or theirs * ours <= 0:
        return None
    gap, nearest = min((abs(abs(theirs) - abs(ours) * ratio), ratio) for ratio in RATIOS)
    return nearest if gap < 1 else None


def looks_like_split(book: Book, report: BrokerReported, symbol: str, theirs: float) -> bool:
    """Whether a ratio fits, no stop of ours rests there any more, and nothing else explains the jump.

    A cost that has the same ratio says so whatever is under way: no execution moves it like that. Else, for a late
    figure has the cost of before, no order of ours is under way and none has filled since book and broker agreed. Fewer
    shares at the cost they had are no reverse split: the rest was sold. What is less than a share beside ours may be a
    stranger's.
    """
    ours = book.position(symbol)
    ratio = split_ratio(ours.quantity, theirs)
    if ratio is None:
        return False
    costs = [line.average_cost for line in report.positions if line.symbol == symbol]
    if abs(theirs) < abs(ours.quantity) and any(_is_near(cost, ours.average_price) for cost in costs):
        return False
    shown = (book.orders.get(order.ref) for order in report.open_orders if order.symbol == symbol)
    if any(order is not None and order.leg in PROTECTIVE for order in shown):
        return False  # the end of one that is over in the book has crossed the report
    if any(_is_near(cost, ours.average_price / float(ratio)) for cost in costs):
        return True
    if abs(theirs - ours.quantity) < 1 or any(order.leg in (Leg.ENTRY, Leg.EXIT) for order in book.orders_in(symbol)):
        return False
    since = book.agreed.get(symbol)
    filled = [fill.filled_at for fill in book.fills.values() if fill.symbol == symbol]
    return since is not None and all(at <= since for at in filled)


def _is_near(cost: float, price: float) -> bool:
    return abs(cost - price) <= _SAME_COST * price


def proposal(book: Book, instrument: Instrument, theirs: float) -> str:
    """What a person should know before accepting: the ratio, and the stop that would be placed."""
    ratio = split_ratio(book.position(instrument.symbol).quantity, theirs)
    plans = [plan for plan in book.plans_in(instrument.symbol) if plan.open_quantity > 0]
    stops = [_scaled(plan.stop_price, ratio, instrument) for plan in plans if ratio is not None]
    told = ", ".join("none" if stop is None else f"{stop:g}" for stop in stops)
    return (
        f"{instrument.symbol}: looks like a split of {_text(ratio)}; the position has NO STOP until a person accepts: "
        f"accept instrument:{instrument.symbol} places it at {told}"
    )


def apply_split(book: Book, universe: Universe, symbol: str, theirs: float, now: datetime) -> bool:
    """Give the plans their new quantities and prices; False (and nothing done) if no ratio fits."""
    ratio, column = split_ratio(book.position(symbol).quantity, theirs), universe.index(symbol)
    if ratio is None:
        return False
    plans = [plan for plan in book.plans_in(symbol) if plan.open_quantity > 0]
    for plan, shares in zip(plans, _whole_shares(plans, ratio, theirs), strict=True):
        _scale(plan, ratio, shares, universe.instruments[column])
        book.touch(plan)
    _scale_what_is_over(book, universe.instruments[column], ratio)
    book.prices.forget(column)  # the prices of before say nothing of now
    book.unsplit.pop(symbol, None)
    book.splits_taken[symbol] = now
    return True


def shows_split(book: Book, symbol: str, seen: Break) -> bool:
    """Whether the break is what a split leaves: by its looks, or because one is due."""
    return seen.kind == "corporate_action" or symbol in book.unsplit


def take_over_splits(book: Book, universe: Universe, symbols: Iterable[str], now: datetime) -> list[Command]:
    """A person wants out of these: of what has split there all that the broker shows is to be closed.

    The shares of before are a part of them, or more than there are, and the rest would be nobody's.
    """
    commands: list[Command] = []
    for symbol in symbols:
        seen = book.breaks.get(symbol)
        if seen is None or not shows_split(book, symbol, seen):
            continue
        if apply_split(book, universe, symbol, seen.broker_quantity, now):
            end_break(book, symbol, seen)
            text = (
                f"{symbol}: book set to the broker's for a flatten: split taken over, {seen.broker_quantity:g} shares"
            )
            commands.append(Notify(level="critical", code=SETTLED, text=text))
    return commands


def _scale_what_is_over(book: Book, instrument: Instrument, ratio: Fraction) -> None:
    """A correction of an execution of before counts in shares of before, and may bring a plan back that is over."""
    for plan in [*book.plans.values(), *book.retired.values()]:
        if plan.symbol == instrument.symbol and plan.opened > 0 and plan.open_quantity == 0:
            _scale(plan, ratio, 0, instrument)
    book.index.retired_epoch += 1
    for stem, fill in book.fills.items():
        if fill.symbol == instrument.symbol:
            book.split_since[stem] = book.split_since.get(stem, 1.0) * float(ratio)


def _whole_shares(plans: list[Plan], ratio: Fraction, theirs: float) -> list[int]:
    """What each plan holds afterwards; whole shares that fractions add up to are the last plan's of their side.

    Together they are what the broker holds but for less than a share, and never more where all are on one side.
    """
    shares = [int(plan.open_quantity * ratio) for plan in plans]
    is_one_side = len({plan.side for plan in plans}) == 1
    left = int(theirs) if is_one_side else theirs
    left -= sum(plan.side.sign * share for plan, share in zip(plans, shares, strict=True))
    for place in reversed(range(len(plans))):
        sign = plans[place].side.sign
        more = max(int(sign * left), -shares[place] if is_one_side else 0)
        shares[place] += more
        left -= sign * more
    return shares


def rescale(event: PricesRescaled, book: Book, universe: Universe, desks: Iterable[Desk]) -> list[Command]:
    """Take the ratio out of every price that is remembered; what is held is the broker's report's to say.

    Shares that a split changes and that nobody has accepted yet are stopped until then, also while the broker still
    shows the old ones: their stop is in the prices of before.
    """
    symbol, ex_date = event.symbol, event.ex_date
    if ex_date is not None:
        if symbol in book.rescaled and ex_date <= book.rescaled[symbol]:
            return []  # told before
        book.rescaled[symbol] = ex_date
    column = universe.index(symbol)
    book.prices.rescale(column, event.ratio)
    if book.returns is not None:
        book.returns.rescale(column, event.ratio)
    for desk in desks:
        desk.rescale(symbol, event.ratio)
    return _await_split(event, book) if event.changes_shares else []


def _await_split(event: PricesRescaled, book: Book) -> list[Command]:
    symbol, taken_at = event.symbol, book.splits_taken.get(event.symbol)
    held = book.position(symbol).quantity
    is_taken = taken_at is not None and (book.last_row_at is None or taken_at > book.last_row_at)
    if not is_held(book, symbol) or is_taken:
        return []
    book.unsplit[symbol] = book.unsplit.get(symbol, 1.0) * event.ratio
    if book.has_split(symbol):
        return []
    cause = (
        f"{symbol}: splits {_text(Fraction(event.ratio).limit_denominator(1_000))}, {held} shares of before are held"
    )
    book.locks[symbol] = Lock(cause=cause, since=event.received_at, kind="split_due")
    text = (
        f"{cause}: no order is sent until the broker shows what has become of them and a person accepts that; if there "
        f"is no such split, reset instrument:{symbol}"
    )
    return [Notify(level="warning", code="split_due", text=text)]


def drop_due_split(book: Book, symbol: str) -> None:
    """A person says that there is none: what is held is what it was. Its lock heals with clean reports."""
    lock = book.locks.get(symbol)
    if lock is not None and lock.kind == "split_due":
        lock.kind = "quantity_break"
        del book.unsplit[symbol]


def is_held(book: Book, symbol: str) -> bool:
    """Whether a plan holds shares of it, long or short."""
    return any(plan.open_quantity > 0 for plan in book.plans_in(symbol))


def _scale(plan: Plan, ratio: Fraction, open_quantity: int, instrument: Instrument) -> None:
    plan.opened = max(round(plan.opened * ratio), open_quantity)
    plan.closed = plan.opened - open_quantity
    plan.stop_price = _scaled(plan.stop_price, ratio, instrument)
    plan.take_profit_price = _scaled(plan.take_profit_price, ratio, instrument)
    if plan.trail_amount is not None:
        plan.trail_amount = _scaled(plan.trail_amount, ratio, instrument)


def _scaled(price: float | None, ratio: Fraction | None, instrument: Instrument) -> float | None:
    return None if price is None or ratio is None else instrument.round_to_tick(price / float(ratio))


def _text(ratio: Fraction | None) -> str:
    return "?" if ratio is None else f"{ratio.numerator}:{ratio.denominator}"
