"""What the broker closes by itself, shared among the plans whose shares that were."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from daemon.engine.book import Book
from daemon.engine.book_index import is_settlement
from daemon.engine.plan import Plan
from shared.ids import exec_correction, exec_stem, leg_ref
from shared.orders import Fill, Leg

SAME_MOMENT = timedelta(seconds=5)
"""Instants of executions at two places are not in the order in which they took place."""


def liquidated(book: Book, fill: Fill) -> list[Fill]:
    """A liquidation by the broker, booked as shared among the plans it closed, oldest first.

    What exits of a plan have sold too many is a short like any other. What an exit of ours closed in the same moment or
    later was still there when the broker closed it: those shares are sold twice, and their plan has to take the second
    sale back, but for what a stranger holds of that side. What was opened later was not there, and what was opened in
    the same moment only if no stranger's shares were. More than all of that is a stranger's whom nobody knows of yet;
    so may be what looks like sold twice, and nothing is taken back for it.
    """
    until = fill.filled_at + SAME_MOMENT
    other_side = [plan for plan in book.plans_in(fill.symbol) if plan.signed_quantity * fill.side.sign < 0]
    held = [plan for plan in other_side if plan.opened_at is None or plan.opened_at <= until]
    lock = book.locks.get(fill.symbol)
    if lock is not None and lock.split_ratio and fill.filled_at >= book.in_broker_time(lock.since):
        return _liquidated_of_split(book, fill, [plan for plan in held if plan.open_quantity > 0], lock.split_ratio)
    ratio = book.shares_for(fill)  # of now, for one of the execution's
    before = [plan for plan in held if plan.opened_at is None or plan.opened_at < fill.filled_at - SAME_MOMENT]
    plans: list[tuple[Plan | None, int]] = [(plan, round(abs(plan.open_quantity) / ratio)) for plan in before]
    plans.append((None, int(-fill.side.sign * book.foreign_positions.get(fill.symbol, 0.0) / ratio)))
    plans += [(plan, round(abs(plan.open_quantity) / ratio)) for plan in held if plan not in before]
    twice, beyond = _closed_since(book, fill), fill.quantity - sum(quantity for _, quantity in plans)
    if beyond <= sum(quantity for _, quantity in twice):
        plans += twice
    name, suffix = _liquidation(fill)
    left, booked = fill.quantity + _hidden_by_a_fraction(book, fill), list[Fill]()
    for plan, quantity in plans:
        take = min(left, quantity)
        if take <= 0:
            continue
        if plan is None:
            left -= take
            continue
        ref = leg_ref(plan.plan_id, Leg.EXIT, plan.next_number(Leg.EXIT))
        share = replace(fill, ref=ref, exec_id=f"{name}.{len(booked) + 1}.{suffix}", quantity=take)
        book.book_fill(share)
        booked.append(share)
        left -= take
    return booked


def _hidden_by_a_fraction(book: Book, fill: Fill) -> int:
    """1 where the broker has closed all that is left of ours beside somebody's fraction of a share against it."""
    ours, fraction = book.position(fill.symbol).quantity, book.foreign_positions.get(fill.symbol, 0.0)
    is_against = 0 < fraction * fill.side.sign < 1 and ours * fill.side.sign < 0
    return int(is_against and abs(ours) - fill.quantity == 1)


def _liquidated_of_split(book: Book, fill: Fill, held: list[Plan], ratio: float) -> list[Fill]:
    """Nobody has accepted the split yet: the plans are in shares of before it, the execution in those of after.

    Of what is left of a plan less than a share of after is a fraction, and goes with it.
    """
    name, suffix = _liquidation(fill)
    left, booked = fill.quantity / ratio, list[Fill]()  # in shares of before
    for plan in held:
        is_whole = plan.open_quantity - round(left) < 1 / ratio
        closed = plan.open_quantity if is_whole else round(left)
        take = round(left * ratio) - round(max(left - closed, 0.0) * ratio)
        left = max(left - closed, 0.0)
        if closed <= 0 or take <= 0:
            continue
        ref = leg_ref(plan.plan_id, Leg.EXIT, plan.next_number(Leg.EXIT))
        stem = f"{name}.{len(booked) + 1}"
        book.split_since[stem] = closed / take
        price = fill.price if ratio > 1 else fill.price * ratio * closed / take  # where shares become fewer
        share = replace(fill, ref=ref, exec_id=f"{stem}.{suffix}", quantity=take, price=price)
        book.book_fill(share)
        booked.append(share)
    return booked


def _closed_since(book: Book, liquidation: Fill) -> list[tuple[Plan | None, int]]:
    """Plans of which orders of their own have closed shares since then, and how many; they may be long over."""
    closed: dict[str, tuple[Plan, int]] = {}
    for fill in list(book.fills.values()):
        is_own = not fill.is_liquidation and not is_settlement(fill) and book.ref_of(fill.ref).leg is not Leg.ENTRY
        is_same = (fill.symbol, fill.side) == (liquidation.symbol, liquidation.side)
        if is_own and is_same and fill.filled_at >= liquidation.filled_at - SAME_MOMENT:
            plan = book.plan_for(fill)
            _, before = closed.get(plan.plan_id, (plan, 0))
            closed[plan.plan_id] = plan, before + fill.quantity
    return list(closed.values())


def liquidated_less(book: Book, fill: Fill) -> list[tuple[Fill, Fill]]:
    """A correction of a liquidation takes from the plans it closed no more than it says now; (before, now) of each."""
    _, suffix = _liquidation(fill)
    left, changed = fill.quantity, list[tuple[Fill, Fill]]()
    for known in shares_of(book, fill):
        share = replace(fill, ref=known.ref, exec_id=f"{exec_stem(known.exec_id)}.{suffix}")
        share = replace(share, quantity=min(left, known.quantity))
        left -= share.quantity
        if book.book_fill(share) is not None:
            changed.append((known, share))
    return changed


def shares_of(book: Book, fill: Fill) -> list[Fill]:
    """As what a liquidation is booked: an execution of each plan that it closed shares of."""
    name, _ = _liquidation(fill)
    return [share for stem, share in book.fills.items() if stem.rpartition(".")[0] == name]


def _liquidation(fill: Fill) -> tuple[str, str]:
    """How the execIds of its shares begin and end."""
    return f"LIQUIDATED.{exec_stem(fill.exec_id)}", f"{exec_correction(fill.exec_id):02}"
