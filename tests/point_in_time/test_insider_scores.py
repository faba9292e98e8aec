from math import log, tanh

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from research.ingest.point_in_time.insider_scores import (
    ScoreRule,
    issuer_scores,
    owner_scores,
    role_weight,
)
from shared.errors import DataError
from tests.point_in_time.builders import an_order, at, orders

KNOWN = "2024-03-06 00:00"
ON_THE_DAY = ScoreRule(half_life_days=1e9)


def score(*rows, when=KNOWN, rule=ON_THE_DAY):
    return issuer_scores(orders(*rows), ["ACME"], at(when), rule)[0, 0]


def test_a_chief_executive_who_buys_for_a_million_scores_tanh_of_tanh_of_one():
    assert score(an_order()) == pytest.approx(tanh(tanh(1)))
    assert owner_scores(orders(an_order()), "ACME", at(KNOWN), ON_THE_DAY)["Ann"][0] == pytest.approx(tanh(1))


def test_a_sale_says_less_and_the_opposite():
    assert score(an_order("S")) == pytest.approx(tanh(tanh(-0.4)))


def test_size_counts_by_its_logarithm():
    half_way = an_order(shares=100, price=1_000.0)  # 100,000 dollars lie half-way from 10,000 to 1,000,000
    assert score(half_way) == pytest.approx(tanh(tanh(log(10) / log(100))))
    assert score(an_order(shares=10)) == 0


def test_nothing_is_known_before_its_time():
    assert score(an_order(), when="2024-03-05 23:59") == 0


def test_evidence_halves_with_the_half_life_and_ends():
    rule = ScoreRule(half_life_days=10, age_days_max=100)
    day = an_order(day="2024-03-01")
    later = "2024-03-10 20:00"  # in New York's summer time: ten days, in UTC, after midnight of the first
    assert score(day, when=later, rule=rule) == pytest.approx(tanh(tanh(0.5)), rel=1e-3)
    assert score(day, when="2024-07-01", rule=rule) == 0


@pytest.mark.parametrize(
    "row",
    [
        an_order("M"),
        an_order("A"),
        an_order("F"),
        an_order(is_derivative=True),
        an_order("S", is_planned=True),
        an_order(price=np.nan),
        an_order(price=0.0),
        an_order(ticker="OTHER"),
    ],
    ids=["exercise", "grant", "tax", "derivative", "10b5-1 sale", "no price", "free", "another issuer"],
)
def test_what_is_no_decision_in_the_open_market_says_nothing(row):
    assert score(row) == 0


def test_an_order_filled_in_pieces_is_one_decision():
    pieces = [an_order(shares=250, after=5_000 + count) for count in range(4)]
    assert score(*pieces) == pytest.approx(score(an_order()))


def test_several_owners_on_one_side_say_more_than_their_sum():
    pair = score(an_order(), an_order(owner="Bob"))
    assert pair == pytest.approx(tanh(2 * tanh(1) * 1.25))


def test_many_orders_of_one_owner_say_no_more_than_one():
    many = [an_order(day=f"2024-02-{day:02d}", after=day) for day in range(1, 29)]
    assert score(*many) == pytest.approx(tanh(1), rel=1e-6)


@pytest.mark.parametrize(
    ("position", "weight"),
    [
        ("Chief Executive Officer", 1.0),
        ("EVP & CFO", 1.0),
        ("Chair and CEO", 1.0),
        ("Executive Chairman", 0.9),
        ("President", 0.9),
        ("Executive Vice President", 0.75),
        ("GC and Secretary", 0.75),
        ("10% owner", 0.3),
        ("", 0.6),
    ],
)
def test_roles_have_weights(position, weight):
    assert role_weight(position) == weight


@pytest.mark.parametrize("wrong", [{"dollars_min": 0}, {"half_life_days": 0}, {"codes": ("P", "A")}])
def test_a_rule_that_cannot_be_is_refused(wrong):
    with pytest.raises(DataError, match=r"insider scores: .*allowed"):
        ScoreRule(**wrong)


ORDERS = st.lists(
    st.tuples(st.sampled_from("PS"), st.integers(1, 28), st.sampled_from(["Ann", "Bob", "Cy"]), st.integers(1, 5_000)),
    max_size=8,
)


@given(known=ORDERS, later=ORDERS)
@settings(deadline=None, max_examples=40)
def test_orders_known_later_change_no_bit_of_an_earlier_score_and_all_lie_within_one(known, later):
    first = [an_order(code, f"2024-02-{day:02d}", owner=owner, shares=size) for code, day, owner, size in known]
    more = [
        an_order(code, f"2024-02-{day:02d}", owner=owner, shares=size, known="2024-03-20")
        for code, day, owner, size in later
    ]
    asked = at("2024-03-06", "2024-03-19")
    anchor = an_order(ticker="OTHER")
    part = issuer_scores(orders(anchor, *first), ["ACME"], asked)
    whole = issuer_scores(orders(*more, anchor, *first), ["ACME"], np.append(asked, at("2024-03-25")))
    assert part.tobytes() == whole[:2].tobytes()
    assert (np.abs(whole) <= 1).all()
