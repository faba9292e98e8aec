"""An empty journal and the broker's bare word: the book that comes out protects and counts the same shares.

The broker's word is made from the engine that lost its memory, whatever chance did to it before: partial fills, legs
cancelled and put back, exits at work, settled and adopted positions.
"""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from daemon.engine.book import PROTECTIVE
from shared.commands import PlaceBracket
from shared.orders import Fill, Leg, OrderStatus
from tests.engine.builders import (
    a_completed,
    a_report,
    a_started,
    accepted,
    an_open_order,
    at,
    bars,
    cancelled,
    disconnected,
    filled,
    fired,
    handle_all,
    of_kind,
    run_started,
    says,
)

VIEWS = st.sampled_from([1.0, -1.0, 0.0, 0.5])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("view"), VIEWS, VIEWS),
        st.tuples(st.just("fill"), st.integers(0, 30), st.integers(1, 300)),
        st.tuples(st.just("cancel"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("grace"), st.just(0), st.just(0)),
    ),
    min_size=3,
    max_size=25,
)


class Past:
    """An engine that lives through chance and accepts everything at once, until its memory is lost."""

    def __init__(self):
        self.engine = a_started()
        self.second = 60
        self.perm_id = 0
        self.ended: dict[str, str] = {}

    def handle(self, event):
        for _ in self.engine.handle(event):
            pending = [r for r, o in self.engine.book.orders.items() if o.status is OrderStatus.PENDING]
            for ref in pending:
                self.perm_id += 1
                self.engine.handle(accepted(ref, self.second, self.perm_id))

    def live(self, number):
        orders = list(self.engine.book.orders.values())
        return orders[number % len(orders)] if orders else None

    def step(self, kind, first, second):
        self.second += 60
        if kind == "view":
            says(self.engine, SPY=first, IBM=second)
            self.handle(bars(self.second, SPY=100.0, IBM=185.0))
        elif kind == "grace":
            for plan in list(self.engine.book.plans):
                self.handle(fired(f"protect:{plan}", self.second))
        else:
            self.touch(kind, self.live(first), second)

    def touch(self, kind, order, quantity):
        if order is None:
            return
        ref = order.order.ref
        open_quantity = self.engine.book.plans[order.plan].open_quantity
        most = order.remaining if order.leg is Leg.ENTRY else min(order.remaining, max(open_quantity, 0))
        if kind == "cancel":
            self.ended[ref] = "Cancelled"
            self.handle(cancelled(ref, self.second))
        elif most > 0:
            self.handle(filled(self.execution(order, min(quantity, most))))
            if ref not in self.engine.book.orders:
                self.ended[ref] = "Filled"

    def execution(self, order, quantity):
        return Fill(
            ref=order.order.ref,
            exec_id=f"0001.{self.second}.01.01",
            symbol=order.order.symbol,
            side=order.order.side,
            quantity=quantity,
            price=100.0,
            filled_at=at(self.second),
            perm_id=order.perm_id,
        )

    def word(self, seconds):
        """Open and ended orders, executions and positions: all that a broker knows."""
        book = self.engine.book
        fills = tuple(book.fills.values())
        ends = [
            a_completed(ref, end, sum(fill.quantity for fill in fills if fill.ref == ref), _symbol_of(ref))
            for ref, end in self.ended.items()
            if ref not in book.orders
        ]
        lines = [
            replace(an_open_order(order.order, order.perm_id or 1), status="Submitted")
            for order in book.orders.values()
        ]
        held = {symbol: position.quantity for symbol, position in book.positions().items()}
        return a_report(seconds, open_orders=lines, completed_orders=ends, fills=fills, positions=held)


def _symbol_of(ref):
    return ref.split(":")[3].rpartition("-")[0]


def protection_of(engine):
    """Per plan that holds something: signed shares, average, and the stops behind them."""
    book = engine.book
    return {
        key: (
            plan.signed_quantity,
            plan.average_price,
            sorted(
                (order.order.ref, order.remaining, order.order.stop_price)
                for order in book.orders_of(key)
                if order.leg in PROTECTIVE
            ),
            book.exits_working(plan),
        )
        for key, plan in book.plans.items()
        if plan.open_quantity
    }


def held_by(engine):
    return {key: plan.signed_quantity for key, plan in engine.book.plans.items() if plan.open_quantity}


def entries_of(engine):
    return {ref: order.remaining for ref, order in engine.book.orders.items() if order.leg is Leg.ENTRY}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_a_book_rebuilt_from_the_brokers_word_protects_the_same_shares(steps):
    past = Past()
    for step in steps:
        past.step(*step)
    engine = a_started()
    engine.handle(past.word(past.second + 100))
    assert protection_of(engine) == protection_of(past.engine)
    assert entries_of(engine) == entries_of(past.engine)
    assert engine.book.locks == {}


@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_the_same_word_again_and_again_holds_the_same_shares_and_enters_nothing(steps):
    """I6, I13: recovery twice is recovery once; at most a missing stop is put back."""
    past = Past()
    for step in steps:
        past.step(*step)
    engine = a_started()
    engine.handle(past.word(past.second + 100))
    before = held_by(engine)
    again = handle_all(engine, [past.word(past.second + 103), past.word(past.second + 106)])
    assert held_by(engine) == before == held_by(past.engine)
    assert of_kind(again, PlaceBracket) == []


@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_a_memory_that_was_kept_and_the_brokers_word_agree(steps):
    """I5: with the journal there is nothing to settle, to lock or to enter."""
    past = Past()
    for step in steps:
        past.step(*step)
    word = past.word(past.second + 100)
    handle_all(past.engine, [disconnected(past.second + 10), run_started(past.second + 20, "r2")])
    past.engine.book.is_connected, past.engine.book.connected_at = True, at(past.second + 30)
    before = held_by(past.engine)
    commands = past.engine.handle(word)
    assert held_by(past.engine) == before
    assert past.engine.book.locks == {}
    assert of_kind(commands, PlaceBracket) == []
