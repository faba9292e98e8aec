from datetime import date, timedelta
from math import sqrt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from research.ingest.point_in_time.known_by import sessions_between
from research.ingest.universe.build import Sources, UniverseRules, build_universe, counts
from research.ingest.universe.liquidity import volatility_tiers
from research.ingest.universe.spells import Spell
from shared.errors import DataError
from shared.io.bar_store import load_bars
from tests.point_in_time.builders import DATA, needs_data
from tests.universe.builders import DAY, NEXT, SESSIONS, a_list, a_panel, gone_after, of, splits, wave

RULES = UniverseRules()


def built(closes, volumes=None, rules=RULES, day=DAY, **sources):
    return build_universe(day, a_panel(closes, volumes), rules, Sources(**sources))


def test_a_liquid_share_is_in_with_its_figures():
    row = of(built({"ACME": wave(20.0, 0.01)}), "ACME")
    assert (row["included"], row["reasons"], row["tier"]) == (True, "", 1)
    assert row["close"] == pytest.approx(20 * np.exp(0.01 * ((len(SESSIONS) - 1) % 2)))
    assert row["dollar_volume"] == pytest.approx(20e6 * np.exp(0.01), rel=0.011)
    steps = np.array([0.01, -0.01] * 31 + [0.01])
    assert row["volatility"] == pytest.approx(steps.std(ddof=1) * sqrt(252), rel=1e-6)


@pytest.mark.parametrize(
    ("closes", "volume", "reasons"),
    [
        (wave(4.0), 1e6, "price below minimum"),
        (wave(20.0), 1_000, "dollar volume below minimum"),
        (wave(1.0), 1_000, "price below minimum; dollar volume below minimum"),
        (gone_after(-4), 1e6, "no longer printing"),
        (gone_after(-30), 1e6, "no longer printing; too few sessions"),
        (wave(20.0), 0, "no bars; dollar volume below minimum"),
        (np.nan, 1e6, "no bars"),
    ],
    ids=["cheap", "illiquid", "both", "delisted", "long gone", "never traded", "absent"],
)
def test_every_reason_is_named(closes, volume, reasons):
    row = of(built({"ACME": closes, "CALM": wave()}, {"ACME": volume}), "ACME")
    assert row["included"] is False
    assert row["reasons"] == reasons.replace("no bars; dollar volume below minimum", "no bars")


def test_a_delisted_share_is_in_on_the_days_it_traded():
    closes = {"GONE": gone_after(-20), "CALM": wave()}
    assert of(built(closes, day=SESSIONS[-21]), "GONE")["included"] is True
    assert of(built(closes), "GONE")["included"] is False


def test_silent_sessions_up_to_the_limit_are_forgiven():
    assert of(built({"ACME": gone_after(-3), "CALM": wave()}), "ACME")["included"] is True


def test_a_list_and_an_index_add_reasons_and_symbols_without_bars():
    listed = a_list("ACME", "BRK-B", "NOBARS")
    members = (Spell("BRK.B", date(2010, 2, 16)), Spell("LATER", NEXT), Spell("ACME", date(2000, 1, 1), DAY))
    found = built({"ACME": wave(), "BRK.B": wave(), "OTHER": wave()}, listed=listed, members=members)
    assert found["symbol"].tolist() == ["ACME", "BRK.B", "NOBARS", "OTHER"]
    assert found["reasons"].tolist() == [
        "not in the index",
        "",
        "no bars; not in the index",
        "not on NYSE or Nasdaq; not in the index",
    ]
    assert of(found, "BRK.B")["exchange"] == "NYSE"
    assert counts(found) == {"not on NYSE or Nasdaq": 1, "no bars": 1, "not in the index": 3}


def test_a_list_later_than_the_day_is_refused():
    with pytest.raises(DataError, match=f"tickers of {NEXT}, allowed: a list of {DAY} or before"):
        built({"ACME": wave()}, listed=a_list("ACME"), listed_on=NEXT)


def split_wave(*changes):
    """Closes of 20 before, in the new units after each (row, new shares per old)."""
    closes = wave()
    for row, ratio in changes:
        closes[row:] /= ratio
    return closes


def test_repeated_reverse_splits_make_a_zombie_and_one_does_not():
    rows = ((20, 0.1), (60, 0.25))
    twice = splits(*(("ACME", SESSIONS[row], ratio) for row, ratio in rows))
    closes = {"ACME": split_wave(*rows)}
    assert of(built(closes, actions=twice), "ACME")["reasons"] == "repeated reverse splits"
    assert of(built(closes, actions=twice, day=SESSIONS[59], rules=UniverseRules(window_sessions=50)), "ACME")[
        "included"
    ]


def test_forward_splits_are_no_reverse_splits_and_no_volatility():
    rows = ((60, 7.0), (90, 2.0))
    actions = splits(*(("ACME", SESSIONS[row], ratio) for row, ratio in rows))
    closes = {"ACME": split_wave(*rows) * 14, "CALM": wave()}
    found = built(closes, actions=actions)
    assert of(found, "ACME")["reverse_splits"] == 0
    assert of(found, "ACME")["volatility"] == pytest.approx(of(found, "CALM")["volatility"])
    assert of(built(closes), "ACME")["volatility"] > 3 * of(found, "ACME")["volatility"]


def test_a_reverse_split_that_the_prices_do_not_show_is_not_believed():
    twice = splits(("ACME", SESSIONS[20], 0.1), ("ACME", SESSIONS[60], 0.1))
    assert of(built({"ACME": wave()}, actions=twice), "ACME")["reverse_splits"] == 0


def test_a_reverse_split_of_tomorrow_is_not_known():
    row = len(SESSIONS) - 10
    closes = {"ACME": split_wave((row, 0.1), (row + 5, 0.1))}
    actions = splits(*(("ACME", SESSIONS[at], 0.1) for at in (row, row + 5)))
    before = built(closes, actions=actions, day=SESSIONS[row + 4])
    assert of(before, "ACME")["reverse_splits"] == 1


def test_bars_of_the_company_that_had_the_ticker_before_do_not_count():
    taken_over = SESSIONS[-10]
    spells = (Spell("CB", date(2015, 1, 1), taken_over, 20171), Spell("CB", taken_over, None, 896159))
    row = of(built({"CB": wave(), "CALM": wave()}, spells=spells), "CB")
    assert (row["instrument"], row["reasons"]) == (f"CB@{taken_over}", "too few sessions; dollar volume below minimum")


def test_tiers_go_from_calm_to_wild_and_equals_share_one():
    tiers = volatility_tiers(np.array([0.5, 0.1, np.nan, 0.3, 0.2, 0.4]), 5)
    assert tiers.tolist() == [5, 1, 0, 3, 2, 4]
    assert volatility_tiers(np.array([0.2, 0.2, 0.2, 0.2]), 2).tolist() == [1, 1, 1, 1]


def test_only_the_included_have_a_tier():
    found = built({"CHEAP": wave(1.0, 0.5), "CALM": wave(), "WILD": wave(20.0, 0.1)})
    assert dict(zip(found["symbol"], found["tier"], strict=True)) == {"CALM": 1, "CHEAP": 0, "WILD": 3}


@pytest.mark.parametrize(
    "wrong", [{"price_min": -1}, {"tiers": 0}, {"window_sessions": 10}, {"printed_sessions_min": 0}]
)
def test_rules_that_cannot_be_are_refused(wrong):
    with pytest.raises(DataError, match=r"universe: .*allowed: nothing below 0"):
        UniverseRules(**wrong)


@given(cut=st.integers(70, len(SESSIONS) - 1), jumps=st.lists(st.floats(0.1, 10), min_size=4, max_size=4))
@settings(deadline=None, max_examples=15)
def test_the_future_changes_nothing_of_a_universe(cut, jumps):
    symbols = ["A", "B", "C", "D"]
    day = SESSIONS[cut - 1]
    past = {symbol: wave(4.0 + 3 * at, 0.01 * (at + 1)) for at, symbol in enumerate(symbols)}
    future = {symbol: closes.copy() for symbol, closes in past.items()}
    for closes, jump in zip(future.values(), jumps, strict=True):
        closes[cut:] *= jump
    later = splits(("A", SESSIONS[10], 0.5), ("A", SESSIONS[cut], 0.1))
    one = built(past, day=day, actions=splits(("A", SESSIONS[10], 0.5)))
    two = built(future, day=day, actions=later, members=None)
    pd.testing.assert_frame_equal(one, two)


@needs_data
def test_the_universe_of_2015_loses_its_delisted_one_after_another():
    panel = load_bars(DATA / "daily" / "universe_2015_2016.parquet")
    days = (date(2015, 9, 30), date(2016, 11, 30))
    early, late = (build_universe(day, panel, RULES, Sources()) for day in days)
    silent = [counts(found)["no longer printing"] for found in (early, late)]
    assert silent[0] < silent[1]
    assert of(early, "ANAC")["included"] is True
    assert "no longer printing" in of(late, "ANAC")["reasons"]


@needs_data
def test_a_month_after_ace_took_chubbs_ticker_its_bars_are_too_few():
    """In this table CB is the old Chubb until 2016-01-14 and ACE, renamed Chubb Limited, from then on."""
    panel = load_bars(DATA / "daily" / "universe_2015_2016.parquet", symbols=["CB"])
    taken_over = date(2016, 1, 15)
    spells = (Spell("CB", date(2015, 1, 1), taken_over, 20171), Spell("CB", taken_over, None, 896159))
    days = (date(2016, 1, 14), date(2016, 2, 16), date(2016, 6, 30))
    found = [of(build_universe(day, panel, RULES, Sources(spells=spells)), "CB") for day in days]
    assert [row["instrument"] for row in found] == ["CB@2015-01-01", "CB@2016-01-15", "CB@2016-01-15"]
    assert [row["reasons"] for row in found] == ["", "too few sessions; dollar volume below minimum", ""]


def test_sessions_of_the_builders_are_those_of_the_exchange():
    assert sessions_between(SESSIONS[0], DAY + timedelta(days=4))[: len(SESSIONS)] == SESSIONS
