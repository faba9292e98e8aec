"""Splits: a position that jumped by a simple ratio, its resting orders gone, without an execution (TWS.md 4.51).

IB cancels good-till-cancelled orders on a split instead of adjusting them (TWS.md 3.20). A stop at the old price would
fire at once or never, so nothing is placed until a person has said that it is a split (`accept`). Then the plans keep
their cost: quantity times ratio, prices divided by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from daemon.engine.book import PROTECTIVE, Book
from daemon.engine.desk import Desk
from daemon.engine.locks import Break, Lock, SplitTaken
from daemon.engine.plan import Plan
from daemon.engine.settlement import SETTLED, end_break, executed_since, is_of_others, signed
from shared.commands import Command, Notify
from shared.corporate_actions import RATIOS
from shared.events import BrokerReported, PricesRescaled
from shared.ids import exec_stem
from shared.market import Instrument, Universe
from shared.orders import Fill, Leg, Position, WorkingOrder

_FINEST = 1_000
_SAME_COST = 0.05  # the broker's cost has commissions in it
_VERY_COST = 0.01  # where the cost alone tells the ratio


def split_ratio(ours: int, theirs: float) -> Fraction | None:
    """The ratio that makes `theirs` of `ours` (signed shares), a fraction of a share sold; None if there is none."""
    if ours == 0 or theirs * ours <= 0:
        return None
    gap, nearest = min((abs(abs(theirs) - abs(ours) * ratio), ratio) for ratio in RATIOS)
    return nearest if gap < 1 else None


def ratio_shown(book: Book, report: BrokerReported, symbol: str, theirs: float) -> Fraction | None:
    """The ratio that fits where no stop of ours has outlived it and nothing else explains the jump; else None.

    A cost that has the same ratio says so whatever is under way: no execution moves it like that, and it says so alone
    where somebody has traded beside: what he has left may by chance fit another ratio, and once a split is told, or due
    by the table, no quantity alone makes it another one. Else, for a late figure has the cost of before, no order of
    ours is under way, no stop rests, nothing has filled since book and broker agreed, and what others have is not it.
    Fewer shares at the cost they had are no reverse split: the rest was sold. What is less than a share beside ours may
    be a stranger's.
    """
    ours = book.position(symbol)
    costs = [line.average_cost for line in report.positions if line.symbol == symbol]
    shown = [book.orders.get(order.ref) for order in report.open_orders if order.symbol == symbol]
    stops = [order for order in shown if order is not None and order.leg in PROTECTIVE]  # of others the end has crossed
    if any(_has_outlived_it(book, stop) for stop in stops):
        return None
    due = _ratio_that_is_due(book, symbol)
    if due is not None and theirs * ours.quantity > 0 and has_cost_of(due, ours, costs):
        return due
    ratio, told = split_ratio(ours.quantity, theirs), _ratio_that_was_shown(book, symbol)
    by_cost = _ratio_of_cost(book, symbol, theirs, costs) if told is None else None
    if ratio is None:
        return by_cost
    if abs(theirs) < abs(ours.quantity) and has_cost_of(Fraction(1), ours, costs):
        return None
    if by_cost is not None:
        return by_cost
    if told not in (None, ratio) and (has_cost_of(told, ours, costs) or not has_cost_of(ratio, ours, costs)):
        return None
    if has_cost_of(ratio, ours, costs):
        return ratio
    is_under_way = any(order.leg in (Leg.ENTRY, Leg.EXIT) for order in book.orders_in(symbol))
    if stops or is_under_way or abs(theirs - ours.quantity) < 1:
        return None
    since = book.agreed.get(symbol)
    is_traded = since is not None and is_of_others(book, symbol, theirs, report, since)
    return None if is_traded or _may_be_late(book, symbol, theirs) else ratio


def _may_be_late(book: Book, symbol: str, theirs: float) -> bool:
    """Whether an execution since book and broker agreed may explain the figure.

    Plans on both sides have no cost by which a split could be told: there it is late only if it is what was held before
    one of these executions.
    """
    since, held = book.agreed.get(symbol), book.position(symbol).quantity
    fills = executed_since(book, symbol, since)
    if since is None or len({plan.side for plan in book.plans_in(symbol) if plan.open_quantity > 0}) == 1:
        return since is None or bool(fills)
    for fill in fills:
        held -= signed(fill)
        if abs(theirs - held) < 1:
            return True
    return False


def _executed_behind(book: Book, symbol: str, ratio: Fraction, theirs: float) -> list[Fill]:
    """Our last executions if they took place behind the split: that alone makes the shares of after the broker's.

    A split takes the orders that rest; one that was still on its way then executes in shares of after (TWS.md 4.51).
    """
    held, behind = book.position(symbol).quantity, list[Fill]()
    for fill in executed_since(book, symbol, book.agreed.get(symbol)):
        if abs(held * ratio + sum(map(signed, behind)) - theirs) < 1:
            return behind
        held -= signed(fill)
        behind.append(fill)
    return behind if abs(held * ratio + sum(map(signed, behind)) - theirs) < 1 else []


def _ratio_of_cost(book: Book, symbol: str, theirs: float, costs: list[float]) -> Fraction | None:
    """The ratio by which the cost has moved, and the shares the other way, whatever ratio theirs fit.

    Somebody has traded beside the split, and no report had shown that. Cost and shares of before are those that were
    shown with a break that stood already, else the book's.
    """
    ours, seen = book.position(symbol), book.breaks.get(symbol)
    held, before = float(ours.quantity), ours.average_price
    if seen is not None and seen.average_cost:
        held, before = seen.broker_quantity or held, seen.average_cost
    for cost in costs:
        ratio = min(RATIOS, key=lambda each: abs(before / float(each) - cost))
        is_same_way = (ratio > 1) == (abs(theirs) > abs(held)) and theirs * held > 0
        if is_same_way and abs(before / float(ratio) - cost) <= _VERY_COST * cost:
            return ratio
    return None


def _has_outlived_it(book: Book, stop: WorkingOrder) -> bool:
    """Whether a split would have taken the stop: one that was put back since its plan lost the last proves nothing.

    That loss belongs to this split only if no person has taken one over since.
    """
    plan = book.plans[stop.plan]
    taken_at = book.split_taken_at(plan.symbol)
    lost_at = [at for at in plan.failed_protections if taken_at is None or at > taken_at]
    return all(at > stop.sent_at for at in lost_at)


def has_cost_of(ratio: Fraction, ours: Position, costs: list[float]) -> bool:
    """Whether one of these costs is what ours has become by the ratio."""
    price = ours.average_price / float(ratio)
    return any(abs(cost - price) <= _SAME_COST * price for cost in costs)


def proposal(book: Book, instrument: Instrument, ratio: Fraction) -> str:
    """What a person should know before accepting: the ratio, and the stop that would be placed."""
    plans = [plan for plan in book.plans_in(instrument.symbol) if plan.open_quantity > 0]
    stops = [_scaled(plan.stop_price, ratio, instrument) for plan in plans]
    told = ", ".join("none" if stop is None else f"{stop:g}" for stop in stops)
    does = f"places it at {told}" if stops else "gives back what exits sold too many"
    return (
        f"{instrument.symbol}: looks like a split of {_text(ratio)}; the position has NO STOP until a person accepts: "
        f"accept instrument:{instrument.symbol} {does}"
    )


def split_taken(book: Book, symbol: str, zone: str, now: datetime) -> SplitTaken:
    """A person takes the split over that waits there: of which shares an execution is that is told later still.

    The table's day begins at midnight of the exchange's `zone`; without a table it was there when it was first seen.
    """
    seen, ex_date = book.breaks.get(symbol), book.rescaled.get(symbol)
    happened_at = book.in_broker_time(now)
    if seen is not None:
        happened_at = seen.began_at or book.in_broker_time(seen.since)
    if symbol in book.unsplit and ex_date is not None:
        midnight = datetime(ex_date.year, ex_date.month, ex_date.day, tzinfo=ZoneInfo(zone))
        happened_at = midnight.astimezone(UTC)
    return SplitTaken(happened_at=happened_at, taken_at=now)


def apply_split(book: Book, universe: Universe, symbol: str, theirs: float, taken: SplitTaken) -> bool:
    """Give the plans their new quantities and prices; False (and nothing done) if no ratio fits.

    Where somebody has traded since the broker showed the split, together they hold what it made of them alone.
    """
    ratio = _ratio_that_was_shown(book, symbol) or split_ratio(book.position(symbol).quantity, theirs)
    if not theirs:  # nothing is left that could show it, and the prices have it already
        ratio = ratio or _ratio_that_is_due(book, symbol)
    if ratio is None:
        return False
    behind, instrument = _executed_behind(book, symbol, ratio, theirs), universe.instruments[universe.index(symbol)]
    book.count(behind, -1)
    _scale_all(book, instrument, ratio, theirs - sum(map(signed, behind)), behind)
    book.count(reversed(behind), 1)
    book.prices.forget(universe.index(symbol))  # the prices of before say nothing of now
    book.unsplit.pop(symbol, None)
    book.splits[symbol] = [*book.splits.get(symbol, []), replace(taken, ratio=float(ratio))]
    return True


def _scale_all(book: Book, instrument: Instrument, ratio: Fraction, theirs: float, behind: list[Fill]) -> None:
    ours = book.position(instrument.symbol).quantity
    theirs = theirs if abs(ours * ratio - theirs) < 1 else float(ours * ratio)
    plans = [plan for plan in book.plans_in(instrument.symbol) if plan.open_quantity]
    for plan, shares in zip(plans, _whole_shares(plans, ratio, theirs), strict=True):
        _scale(plan, ratio, shares, instrument)
        book.touch(plan)
    _scale_what_is_over(book, instrument, ratio, {exec_stem(fill.exec_id) for fill in behind})


def _ratio_that_was_shown(book: Book, symbol: str) -> Fraction | None:
    lock = book.locks.get(symbol)
    told = None if lock is None else lock.split_ratio
    return None if told is None else Fraction(told).limit_denominator(_FINEST)


def _ratio_that_is_due(book: Book, symbol: str) -> Fraction | None:
    due = book.unsplit.get(symbol)
    return None if due is None else Fraction(due).limit_denominator(_FINEST)


def shows_split(book: Book, symbol: str, seen: Break) -> bool:
    """Whether the break is what a split leaves: by its looks, now or before somebody traded, or because one is due."""
    is_shown = seen.kind == "corporate_action" or _ratio_that_was_shown(book, symbol) is not None
    return is_shown or symbol in book.unsplit


def take_over_splits(book: Book, universe: Universe, symbols: Iterable[str], zone: str, now: datetime) -> list[Command]:
    """A person wants out of these: of what has split there all that the broker shows is to be closed.

    The shares of before are a part of them, or more than there are, and the rest would be nobody's.
    """
    commands: list[Command] = []
    for symbol in symbols:
        seen = book.breaks.get(symbol)
        if seen is None or not shows_split(book, symbol, seen):
            continue
        if apply_split(book, universe, symbol, seen.broker_quantity, split_taken(book, symbol, zone, now)):
            commands.append(_end_split(book, symbol, seen))
    return commands


def _end_split(book: Book, symbol: str, seen: Break) -> Notify:
    """The plans have their new shares; what somebody has traded beside them stays a break, and is nobody's to close."""
    ours, lock = book.position(symbol).quantity, book.locks.get(symbol)
    if abs(seen.broker_quantity - ours) < 1:
        end_break(book, symbol, seen)
    elif lock is not None:
        lock.end_split()
        seen.kind = lock.kind
    text = f"{symbol}: book set to the broker's for a flatten: split taken over, {seen.broker_quantity:g} shares"
    if symbol in book.breaks:
        text += f" of which {ours} are ours"
    return Notify(level="critical", code=SETTLED, text=text)


def _scale_what_is_over(book: Book, instrument: Instrument, ratio: Fraction, behind: set[str]) -> None:
    """What is told late of before counts in shares of before, and may bring a plan back that is over.

    So does what is booked, but for the stems of what was executed `behind` the split.
    """
    for plan in [*book.plans.values(), *book.retired.values()]:
        if plan.symbol == instrument.symbol and plan.open_quantity == 0 and book.entry_of(plan) is None:
            _scale(plan, ratio, 0, instrument)
    book.index.retired_epoch += 1
    for stem, fill in book.fills.items():
        if fill.symbol == instrument.symbol and stem not in behind:
            book.split_since[stem] = book.split_since.get(stem, 1.0) * float(ratio)


def _whole_shares(plans: list[Plan], ratio: Fraction, theirs: float) -> list[int]:
    """What each plan holds afterwards; whole shares that fractions add up to are the last plan's of their side.

    Together they are what the broker holds but for less than a share, and never more where all are on one side. What
    exits of a plan sold too many stays on that side.
    """
    sides = [1 if plan.signed_quantity > 0 else -1 for plan in plans]
    shares = [int(abs(plan.open_quantity) * ratio) for plan in plans]
    is_one_side = len(set(sides)) == 1
    left = int(theirs) if is_one_side else theirs
    left -= sum(side * share for side, share in zip(sides, shares, strict=True))
    for place, side in reversed(list(enumerate(sides))):
        more = max(int(side * left), -shares[place] if is_one_side else 0)
        shares[place] += more
        left -= side * more
    return [side * plan.side.sign * share for side, plan, share in zip(sides, plans, shares, strict=True)]


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
    symbol, taken_at = event.symbol, book.split_taken_at(event.symbol)
    held = book.position(symbol).quantity
    is_taken = taken_at is not None and (book.last_row_at is None or taken_at > book.last_row_at)
    if not is_held(book, symbol) or is_taken:
        return []
    book.unsplit[symbol] = book.unsplit.get(symbol, 1.0) * event.ratio
    if book.has_split(symbol):
        return []
    cause = (
        f"{symbol}: splits {_text(Fraction(event.ratio).limit_denominator(_FINEST))}, {held} shares of before are held"
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
        lock.end_split()
        del book.unsplit[symbol]


def is_held(book: Book, symbol: str) -> bool:
    """Whether a plan holds shares of it, long or short, or its exits have sold too many."""
    return any(plan.open_quantity for plan in book.plans_in(symbol))


def _scale(plan: Plan, ratio: Fraction, open_quantity: int, instrument: Instrument) -> None:
    """A fraction of a share goes with its cost: what is left has cost what it did, and what was earned is kept."""
    price = plan.average_price / float(ratio)
    earned = plan.closed_value - plan.closed * plan.average_price
    plan.opened = max(int(plan.opened * ratio), open_quantity)
    plan.closed = plan.opened - open_quantity
    plan.opened_value, plan.closed_value = plan.opened * price, plan.closed * price + earned
    plan.stop_price = _scaled(plan.stop_price, ratio, instrument)
    plan.take_profit_price = _scaled(plan.take_profit_price, ratio, instrument)
    if plan.trail_amount is not None:
        plan.trail_amount = _scaled(plan.trail_amount, ratio, instrument)


def _scaled(price: float | None, ratio: Fraction | None, instrument: Instrument) -> float | None:
    return None if price is None or ratio is None else instrument.round_to_tick(price / float(ratio))


def _text(ratio: Fraction | None) -> str:
    return "?" if ratio is None else f"{ratio.numerator}:{ratio.denominator}"
