"""Plans that hold an instrument long and short at once: a broken quantity is taken off the side that has too many."""

import pytest

from daemon.engine.book import Book
from daemon.engine.locks import Break
from daemon.engine.plan import Plan
from shared.orders import Side
from tests.engine.builders import a_fill, a_universe, at


@pytest.mark.parametrize(
    ("theirs", "short", "long"),
    [(-208, 230, 22), (-200, 224, 24), (-240, 230, 0), (10, 14, 24), (30, 0, 24), (-206.5, 230, 23)],
)
def test_the_broker_denies_shares_of_the_side_alone_that_has_too_many(theirs, short, long):
    """brutal 6851: beside a short plan two of 758 shares were denied because a hand had bought two: a part was sold."""
    book = Book.empty(a_universe())
    for strategy, side, held in (("s", Side.SELL, 230), ("t", Side.BUY, 24)):
        plan_id = f"OB1:{strategy}:20131008:SPY-1"
        plan = Plan(
            plan_id=plan_id, strategy=strategy, symbol="SPY", side=side, stop_price=None, take_profit_price=None
        )
        book.add_plan(plan)
        book.book_fill(a_fill(f"{plan_id}:E", held, exec_id=f"0001.{held}.01.01", side=side))
    book.breaks["SPY"] = Break(
        kind="quantity_break",
        text="",
        since=at(70),
        seen_at=at(70),
        broker_quantity=theirs,
        average_cost=100.0,
        executions=2,
    )
    assert [book.believable(plan) for plan in book.plans.values()] == [short, long]
