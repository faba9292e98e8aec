"""Executions that no broker will tell any more, put into the book as settlement fills.

A gateway tells executions only since midnight (DESIGN.md 7). What is missing from before is concluded from positions:
a settlement fill has an execId of its own, computed from day, order reference, quantity and cause, so that the same
conclusion has the same name; its price is an estimate and every one is told. Should the real execution turn up after
all, the settlement gives way to it share by share, so that nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from itertools import accumulate, combinations
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from daemon.engine.book import Book
from daemon.engine.book_index import SETTLEMENT, is_settlement
from daemon.engine.liquidations import SAME_MOMENT, shares_of
from daemon.engine.locks import Break
from daemon.engine.plan import Plan
from shared.events import BrokerReported
from shared.ids import exec_correction, exec_stem, leg_ref, parse_ref
from shared.orders import Fill, Leg

DENIED_FOR = timedelta(minutes=5)
"""TWS renews an account's figures every three minutes (TWS.md 3.28): what it denies for longer is gone."""
SETTLED = "settled"
"""The code under which a settlement is told."""
ADOPTED = "adopted"
"""The strategy name of plans that were not ours."""


def midnight_before(now: datetime, zone: str) -> datetime:
    """The last midnight of the gateway's zone: executions from before it are out of reach."""
    local = now.astimezone(ZoneInfo(zone))
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)


def is_out_of_reach(book: Book, symbol: str, midnight: datetime) -> bool:
    """Whether what is missing must have been executed before `midnight`.

    The executions since midnight are all told and booked, and broker and book agreed about this holding before it:
    what happened in between can only have happened before midnight. A holding that agreed or filled today cannot be
    judged so, nor one that never agreed.
    """
    agreed = book.agreed.get(symbol)
    filled = [fill.filled_at for fill in book.fills.values() if fill.symbol == symbol]
    if agreed is None or agreed >= midnight or any(at >= midnight for at in filled):
        return False
    return all(plan.opened_at is None or plan.opened_at <= agreed for plan in open_plans(book, symbol))


def is_shortfall(book: Book, symbol: str, theirs: float) -> bool:
    """Whether the broker holds less than the book and not the other way round: settling it can only shrink plans."""
    plans = open_plans(book, symbol)
    sides = {plan.side for plan in plans}
    ours = sum(plan.signed_quantity for plan in plans)
    return len(sides) == 1 and 0 <= theirs * _sign(ours) < abs(ours)


def is_foreign(book: Book, symbol: str, theirs: float) -> bool:
    """Whether the broker holds all that our own plans hold: what differs is foreign, or was and was adopted."""
    plans = [plan for plan in open_plans(book, symbol) if plan.strategy != ADOPTED]
    ours = sum(plan.open_quantity for plan in plans)
    return all(plan.side.sign * theirs > 0 for plan in plans) and abs(theirs) >= ours


def may_come_back(book: Book, symbol: str, seen: Break, report: BrokerReported) -> bool:
    """Whether fewer shares than were adopted may be a figure that lags (TWS.md 4.53), and their stop has to stay.

    Not where executions of somebody else account for it, made or taken back since, but for less than a share (a split
    leaves such), nor once it has been denied for DENIED_FOR. What exits sold too many the broker has told execution by
    execution: no figure without it denies it for good.
    """
    ours = book.position(symbol).quantity
    lacking = ours - seen.broker_quantity
    is_executed = any(plan.open_quantity < 0 < plan.signed_quantity * lacking for plan in book.plans_in(symbol))
    if not (is_executed or 0 <= seen.broker_quantity * _sign(ours) < abs(ours)):
        return False
    opened = [plan.opened_at for plan in open_plans(book, symbol) if plan.opened_at is not None]
    since = book.agreed.get(symbol, max(opened, default=book.in_broker_time(seen.since)))
    is_accounted_for = is_of_others(book, symbol, seen.broker_quantity, report, since)
    return not is_accounted_for and (is_executed or report.received_at - seen.since < DENIED_FOR)


def lags_until(book: Book, symbol: str, seen: Break, report: BrokerReported) -> datetime | None:
    """Until when the figure may be the one of before executions (TWS.md 4.53), ours or others'; None: it is not.

    What others have executed lately may be in it or not; so may it have been when both agreed. Not where their
    executions account for it. Where ours are lacking it is believed once it has been shown for DENIED_FOR, where only
    others' are once the first of them is as old.
    """
    lately = book.in_broker_time(seen.since) - DENIED_FOR
    if others_account_for(book, symbol, seen, report):
        return None
    since = min(book.agreed.get(symbol, lately), lately) - SAME_MOMENT  # it may go back behind one both agreed on
    others = [fill for fill in others_fills(book, report, (symbol,)) if fill.filled_at >= since - DENIED_FOR]
    others.sort(key=lambda fill: fill.filled_at)
    until = seen.since + DENIED_FOR
    if report.received_at < until and _lacks_ours(book, symbol, seen.broker_quantity, since, others):
        return until
    lacking = _lacked_of_others(seen.broker_quantity - book.position(symbol).quantity, others)
    age = None if lacking is None else book.in_broker_time(report.received_at) - lacking.filled_at
    return None if age is None or age >= DENIED_FOR else report.received_at + DENIED_FOR - age


def _lacks_ours(book: Book, symbol: str, theirs: float, since: datetime, others: list[Fill]) -> bool:
    """Whether it was the position before some of our executions since then, with any of the others' in it."""
    held, beside = float(book.position(symbol).quantity), _runs(others)
    for fill in executed_since(book, symbol, since):
        if is_settlement(fill):
            continue
        held -= signed(fill) * book.shares_for(fill)
        if any(abs(theirs - held - part) < 1 for part in beside):
            return True
    return False


def executed_since(book: Book, symbol: str, since: datetime | None) -> list[Fill]:
    """Our executions since then, the last one first; what was booked since both agreed is younger whatever its time."""
    booked = book.booked.get(symbol, len(book.fills))
    fills = [
        fill
        for number, fill in enumerate(book.fills.values())
        if fill.symbol == symbol and (since is None or fill.filled_at > since or number >= booked)
    ]
    return sorted(fills, key=lambda fill: fill.filled_at, reverse=True)


def _lacked_of_others(surplus: float, others: list[Fill]) -> Fill | None:
    """Of what others have executed, in its order, the first that a figure with so many more shares does not show."""
    for count in range(len(others) - 1, 0, -1):
        totals = [0, *accumulate(signed(fill) for fill in others[:count])]
        if any(abs(surplus - (totals[-1] - before)) < 1 for before in totals[:-1]):
            return others[count]
    return None


def _runs(fills: list[Fill]) -> list[int]:
    """What executions that follow each other come to, from any one to any later one; and 0 for none of them."""
    totals = [0, *accumulate(map(signed, fills))]
    return list(dict.fromkeys([0, *(after - before for before, after in combinations(totals, 2))]))


def is_of_others(book: Book, symbol: str, theirs: float, report: BrokerReported, since: datetime) -> bool:
    """Whether what others have executed since both agreed (by the broker's clock) makes the book's figure theirs.

    What was told by then may have been in that figure or, in the same moment, not yet; the clocks may be apart by more
    than was last measured, so one of the two has to fit.
    """
    known, fills = book.strangers.get(symbol), others_fills(book, report, (symbol,))
    news = sum(_news_of(fill, known) for fill in fills)
    told = [fill for fill in fills if known is None or (exec_stem(fill.exec_id) in known and not _news_of(fill, known))]
    lately = [fill for fill in told if fill.filled_at >= since - SAME_MOMENT]
    late = sum(signed(fill) - book.restated.get(symbol, {}).get(exec_stem(fill.exec_id), 0) for fill in lately)
    gap = theirs - book.position(symbol).quantity
    return abs(gap - news - late) < 1 or abs(gap - news) < 1


def others_account_for(book: Book, symbol: str, seen: Break, report: BrokerReported) -> bool:
    """Whether executions of somebody else make the book's figure the broker's: none of ours are lacking in it."""
    since = book.agreed.get(symbol, book.in_broker_time(seen.since) - DENIED_FOR)
    return is_of_others(book, symbol, seen.broker_quantity, report, since)


def keep(book: Book, settled: list[Fill]) -> None:
    """Settlements that give way to no order of ours, whenever it left or says that it has executed."""
    for fill in settled:
        book.sent_before[exec_stem(fill.exec_id)] = []


def _news_of(fill: Fill, known: dict[str, int] | None) -> int:
    """What is new since both agreed, and what a correction changes, whatever time it has (TWS.md 3.23)."""
    if known is None:
        return 0
    before = known.get(exec_stem(fill.exec_id), 0)
    is_known = exec_stem(fill.exec_id) in known
    return signed(fill) - before if not is_known or exec_correction(fill.exec_id) > 1 else 0


def others_fills(book: Book, report: BrokerReported, symbols: Collection[str]) -> list[Fill]:
    """What somebody else has executed in these instruments, as far as the broker tells it and we have not booked it."""
    wanted = frozenset(symbols)
    told = [fill for fill in report.fills if fill.symbol in wanted and parse_ref(fill.ref) is None]
    return [replace(fill, quantity=fill.quantity - _booked_of(book, fill)) for fill in told]


def expect_of_others(book: Book, report: BrokerReported) -> None:
    """What a hand has traded since both agreed may be what the broker has liquidated: it is told before his figures."""
    for symbol in dict.fromkeys(fill.symbol for fill in report.fills if fill.is_liquidation):
        by_hand = [fill for fill in others_fills(book, report, (symbol,)) if not fill.is_liquidation]
        news = sum(_news_of(fill, book.strangers.get(symbol)) for fill in by_hand)
        if abs(news) > abs(book.foreign_positions.get(symbol, 0.0)):
            book.foreign_positions[symbol] = float(news)


def _booked_of(book: Book, fill: Fill) -> int:
    """How much of a liquidation has closed shares of our plans."""
    return sum(share.quantity for share in shares_of(book, fill)) if fill.is_liquidation else 0


def signed(fill: Fill) -> int:
    """Its shares, negative if they were sold."""
    return fill.side.sign * fill.quantity


def agree(book: Book, symbols: Collection[str], report: BrokerReported) -> None:
    """Broker and book hold the same of them, with what others had executed by then: what is missing came since."""
    agreed_at = book.in_broker_time(report.asked_at)
    fills = others_fills(book, report, symbols)
    restated = _restated(book, [fill for fill in fills if fill.filled_at >= agreed_at - SAME_MOMENT])
    for symbol in symbols:
        book.agreed[symbol], book.booked[symbol], book.strangers[symbol] = agreed_at, len(book.fills), {}
        book.restated[symbol] = {}
    for fill in fills:
        book.strangers[fill.symbol][exec_stem(fill.exec_id)] = signed(fill)
    for fill, shares in restated:
        book.restated[fill.symbol][exec_stem(fill.exec_id)] = shares


def _restated(book: Book, fills: list[Fill]) -> list[tuple[Fill, int]]:
    """Which of others' executions are corrected, and what they were: the figure may be of before that."""
    restated: list[tuple[Fill, int]] = []
    for fill in fills:
        known = book.strangers.get(fill.symbol, {}) | book.restated.get(fill.symbol, {})
        if exec_correction(fill.exec_id) > 1 and exec_stem(fill.exec_id) in known:
            restated.append((fill, known[exec_stem(fill.exec_id)]))
    return restated


def lacking_of_others(book: Book, report: BrokerReported, symbols: Collection[str]) -> set[str]:
    """Those of which somebody else's new executions come to something: a figure of nothing is older than they."""
    news = dict.fromkeys(symbols, 0)
    for fill in others_fills(book, report, symbols):
        news[fill.symbol] += _news_of(fill, book.strangers.get(fill.symbol))
    return {symbol for symbol, shares in news.items() if shares}


def open_plans(book: Book, symbol: str) -> list[Plan]:
    """Plans of the instrument that hold something, oldest first."""
    return [plan for plan in book.plans_in(symbol) if plan.open_quantity > 0]


def end_break(book: Book, symbol: str, seen: Break) -> None:
    """The break is over; its lock stays until reports are clean, but denies no shares any more.

    A split that is due, and that the broker does not show yet, still waits for a person.
    """
    book.breaks.pop(symbol, None)
    book.foreign_positions.pop(symbol, None)
    book.foreign_costs.pop(symbol, None)
    lock = book.locks.get(symbol)
    if lock is not None:
        lock.end_split()
        lock.kind = "split_due" if symbol in book.unsplit else lock.kind
        lock.broker_quantity, lock.cause = None, f"{seen.text}; settled"


def settle_shortfall(book: Book, seen: Break, symbol: str, price: float | None, now: datetime) -> list[Fill]:
    """Close in the book what the broker does not hold: its shares count for our own plans first, the oldest before.

    Where plans stand on both sides, those of the side that has too many lose, the others keep what they have. `price`
    is what a share is worth by the last believable one; without it the plan's average is taken and the result is 0.
    """
    missing, settled = -surplus(book, symbol, seen.broker_quantity), list[Fill]()
    plans = [plan for plan in open_plans(book, symbol) if plan.side.sign * missing > 0]
    left = max(sum(plan.open_quantity for plan in plans) - abs(missing), 0)
    for plan in sorted(plans, key=lambda plan: plan.strategy == ADOPTED):
        keep = min(plan.open_quantity, left)
        left -= keep
        if keep < plan.open_quantity:
            ref = leg_ref(plan.plan_id, Leg.EXIT, plan.next_number(Leg.EXIT))
            exit_price = price or plan.average_price
            settled.append(_book(book, plan, ref, plan.open_quantity - keep, price=exit_price, seen=seen, now=now))
    return settled


def surplus(book: Book, symbol: str, theirs: float) -> int:
    """Signed whole shares that the broker holds beyond the book's."""
    return _whole(theirs) - book.position(symbol).quantity


def claim(book: Book, seen: Break, symbol: str, now: datetime) -> list[Fill]:
    """Surplus that own plans account for.

    Their exits closed too many, and somebody has brought that back, or their stops rest at the broker for more shares
    than the book knows filled.
    """
    left, claimed = surplus(book, symbol, seen.broker_quantity), []
    for plan in list(book.plans_in(symbol)):
        waiting = book.protected_quantity(plan) - plan.open_quantity
        take = min(waiting, plan.side.sign * left)
        if take > 0 and book.entry_of(plan) is None:
            left -= plan.side.sign * take
            price = seen.average_cost if seen.average_cost > 0 else plan.average_price
            claimed.append(_book(book, plan, leg_ref(plan.plan_id, Leg.ENTRY), take, price=price, seen=seen, now=now))
    return claimed


def open_adopted(book: Book, plan: Plan, quantity: int, price: float, *, seen: Break, now: datetime) -> Fill:
    """The entry of a plan that was not ours: what the broker already holds."""
    book.add_plan(plan)
    return _book(book, plan, leg_ref(plan.plan_id, Leg.ENTRY), quantity, price=price, seen=seen, now=now)


def give_way(book: Book, fill: Fill) -> list[Fill]:
    """Take back from settlements what this execution, older than they, now tells itself; the corrections booked.

    An order that had not left when one was concluded has executed later, whatever the clocks say.
    """
    corrections: list[Fill] = []
    if not book.index.settlements:
        return corrections
    known = book.fills.get(exec_stem(fill.exec_id))
    left = (fill.quantity - (known.quantity if known else 0)) * book.shares_for(fill)  # in shares of now
    settlements = [book.fills[stem] for stem in book.index.settlements]
    for settled in [held for held in settlements if held.symbol == fill.symbol]:
        ratio = book.shares_for(settled)
        take = min(int(left / ratio), settled.quantity)
        if take <= 0 or settled.side is not fill.side or _is_younger(book, fill, settled):
            continue
        number = exec_correction(settled.exec_id) + 1
        exec_id = f"{exec_stem(settled.exec_id)}.{number:02}"
        correction = replace(settled, exec_id=exec_id, quantity=settled.quantity - take)
        book.book_fill(correction)
        corrections.append(correction)
        left -= take * ratio
    return corrections


def _is_younger(book: Book, fill: Fill, settled: Fill) -> bool:
    sent = book.sent_before.get(exec_stem(settled.exec_id))
    is_known = fill.ref in book.orders or fill.ref in book.closed_orders
    is_sent_since = sent is not None and is_known and fill.ref not in sent
    return is_sent_since or fill.filled_at > settled.filled_at


def _book(book: Book, plan: Plan, ref: str, quantity: int, *, price: float, seen: Break, now: datetime) -> Fill:  # noqa: PLR0913 - one execution's facts
    side = plan.side if book.ref_of(ref).leg is Leg.ENTRY else plan.side.opposite
    number = 1 + sum(is_settlement(fill) and fill.ref == ref for fill in book.fills.values())
    stem = f"{SETTLEMENT}.{now:%Y%m%d}.{ref}.{quantity}.{seen.kind}.{number}"
    fill = Fill(
        ref=ref,
        exec_id=f"{stem}.01",
        symbol=plan.symbol,
        side=side,
        quantity=quantity,
        price=price,
        filled_at=book.in_broker_time(seen.since),
    )
    book.book_fill(fill)
    refs = [*book.orders, *book.closed_orders]
    book.sent_before[stem] = [sent for sent in refs if book.ref_of(sent).plan.rpartition("-")[0] == plan.symbol]
    return fill


def _whole(quantity: float) -> int:
    """Whole shares, towards zero."""
    return int(quantity)


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)
