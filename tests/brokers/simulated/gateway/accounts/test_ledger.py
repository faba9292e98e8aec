import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brokers.simulated.gateway.accounts.ledger import Execution, Ledger


def an_execution(side, quantity, price, *, number=1):
    return Execution(
        at=0.0,
        exec_id=f"a.b.{number}.01",
        perm_id=1,
        client_id=1,
        order_id=1,
        order_ref="",
        con_id=756733,
        symbol="SPY",
        side=side,
        quantity=quantity,
        price=price,
        filled=quantity,
        average_price=price,
    )


@pytest.fixture
def ledger():
    return Ledger("DU7654321", 10_000.0)


def test_the_average_cost_of_a_long_position_includes_its_commission(ledger):
    charged = ledger.book(an_execution("BUY", 10, 100.0), 1.0)
    assert ledger.positions[756733].average_cost == pytest.approx(100.1)
    assert ledger.cash == pytest.approx(10_000 - 1001)
    assert charged.realized_pnl is None


def test_the_average_cost_of_a_short_position_is_less_its_commission(ledger):
    ledger.book(an_execution("SELL", 10, 100.0), 1.0)
    assert ledger.positions[756733].average_cost == pytest.approx(99.9)
    assert ledger.quantity("SPY") == -10


def test_closing_realises_the_difference_to_cost_less_the_commission(ledger):
    ledger.book(an_execution("BUY", 10, 100.0), 1.0)
    charged = ledger.book(an_execution("SELL", 4, 105.0), 1.0)
    assert charged.realized_pnl == pytest.approx(4 * (105 - 100.1) - 1)
    assert ledger.positions[756733].average_cost == pytest.approx(100.1)


def test_covering_a_short_realises_the_fall(ledger):
    ledger.book(an_execution("SELL", 10, 100.0), 1.0)
    charged = ledger.book(an_execution("BUY", 10, 90.0), 1.0)
    assert charged.realized_pnl == pytest.approx(10 * (99.9 - 90) - 1)
    assert ledger.quantity("SPY") == 0
    assert ledger.cash == pytest.approx(10_000 + 100 - 2)


def test_a_fill_across_zero_closes_first_and_opens_the_rest_at_its_own_price(ledger):
    ledger.book(an_execution("BUY", 10, 100.0), 1.0)
    charged = ledger.book(an_execution("SELL", 15, 110.0), 1.5)
    assert charged.realized_pnl == pytest.approx(10 * (110 - 100.1) - 1.0)
    assert ledger.quantity("SPY") == -5
    assert ledger.positions[756733].average_cost == pytest.approx(110 - 0.1)


def test_a_position_is_valued_at_the_last_price_and_nan_leaves_it(ledger):
    ledger.book(an_execution("BUY", 10, 100.0), 1.0)
    ledger.mark(756733, 103.0)
    ledger.mark(756733, math.nan)
    assert ledger.stock_value == 1030.0
    assert ledger.net_liquidation == pytest.approx(10_000 + 30 - 1)
    assert (ledger.margin.initial, ledger.margin.maintenance) == (515.0, 257.5)


fills = st.lists(
    st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 500), st.integers(100, 20_000), st.integers(0, 300)),
    min_size=1,
    max_size=30,
)


@given(fills)
def test_profit_is_what_the_account_has_gained(done):
    ledger = Ledger("DU7654321", 1e6)
    for number, (side, quantity, cents, fee) in enumerate(done):
        ledger.book(an_execution(side, quantity, cents / 100, number=number), fee / 100)
    gained = ledger.net_liquidation - ledger.cash_at_start
    assert ledger.realized_pnl + ledger.unrealized_pnl == pytest.approx(gained, abs=1e-6)
