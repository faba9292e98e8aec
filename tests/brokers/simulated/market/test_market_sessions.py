"""Sessions that chain, blocks in any order, and markets of up to a thousand names."""

import datetime as dt
import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

from brokers.simulated.market.chance import Chance
from brokers.simulated.market.character import CALM, LIVELY
from brokers.simulated.market.levels import Levels
from brokers.simulated.market.listings import LISTINGS, con_id_of, listings_of, symbols_of
from brokers.simulated.market.stretches import Stretches
from brokers.simulated.market.synthetic import SyntheticMarket
from shared.errors import DataError

DAY_S = 86_400
SYMBOLS = ("SPY", "TSLA", "SIM001")
FIELDS = ("open", "high", "low", "close", "volume", "bid", "ask", "bid_size", "ask_size")


def a_market(symbols=SYMBOLS, **options):
    return SyntheticMarket(**({"seed": 7, "symbols": symbols, "history_sessions": 5} | options))


def played(market, name="close"):
    return np.array([getattr(step, name) for step in market.steps()])


def digest(market):
    """Of everything that a session says."""
    whole = hashlib.sha256()
    for step in market.steps():
        whole.update(b"".join(getattr(step, name).tobytes() for name in FIELDS) + repr(step.events).encode())
    return whole.hexdigest()


# ---- chaining


def test_the_next_session_is_the_next_trading_day_over_weekends_and_holidays():
    wednesday = a_market(session=dt.date(2026, 11, 25))
    friday = wednesday.next_session()
    monday = friday.next_session()
    assert (friday.session, friday.is_early_close) == (dt.date(2026, 11, 27), True)
    assert (monday.session, monday.is_early_close) == (dt.date(2026, 11, 30), False)
    assert friday.symbols == monday.symbols == SYMBOLS


@pytest.mark.parametrize("character", [CALM, LIVELY], ids=["calm", "lively"])
def test_what_was_played_is_the_history_of_the_next_session(character):
    today = a_market(character=character, session=dt.date(2026, 12, 30))
    tomorrow = today.next_session()
    closes = played(today)[:, 1]
    bars = tomorrow.history("TSLA", end_at=tomorrow.opens_at, duration_s=DAY_S, bar_s=5)
    assert bars.close.tolist() == closes[~np.isnan(closes)].tolist()


def test_a_session_opens_an_overnight_gap_from_where_the_last_one_closed():
    today = a_market()
    last = played(today)[-1]
    first = played(today.next_session(), "open")[0]
    gap = np.abs(np.log(first / last))
    assert (gap > 0).any()
    assert (gap < 0.06).all()


def test_years_chain_too():
    december = a_market(session=dt.date(2027, 12, 31))
    january = december.next_session()
    assert january.session == dt.date(2028, 1, 3)
    assert np.abs(np.log(played(january, "open")[0] / played(december)[-1])).max() < 0.08
    before = a_market(session=dt.date(2024, 12, 31))
    assert np.abs(np.log(played(before.next_session(), "open")[0] / played(before)[-1])).max() < 0.08


def test_a_day_is_the_same_whichever_session_is_played():
    question = {"end_at": dt.datetime(2026, 11, 17, 21, tzinfo=dt.UTC).timestamp(), "duration_s": DAY_S, "bar_s": 60}
    seen = [a_market(session=dt.date(2026, 11, day)).history("SPY", **question) for day in (17, 18, 20)]
    assert seen[0].close.tolist() == seen[1].close.tolist() == seen[2].close.tolist()


def test_each_listing_stands_at_its_price_at_the_anchored_open():
    market = SyntheticMarket(seed=99)
    assert next(iter(market.steps())).open.tolist() == [LISTINGS[symbol].start_price for symbol in market.symbols]


# ---- half days


def test_a_half_day_has_2520_steps_and_trades_about_half_as_much():
    half = a_market(session=dt.date(2026, 11, 27))
    steps = list(half.steps())
    assert len(steps) == 2520
    assert half.closes_at == dt.datetime(2026, 11, 27, 18, tzinfo=dt.UTC).timestamp() == steps[-1].starts_at + 5
    assert [event.kind for event in steps[-1].events] == ["close"] * 3
    usual = [one.daily_volume for one in listings_of(SYMBOLS)]
    assert np.nansum([step.volume for step in steps], axis=0) / usual == pytest.approx(np.full(3, 0.54), rel=0.15)


def test_history_after_a_half_day_ends_with_its_own_close():
    monday = a_market(session=dt.date(2026, 11, 30))
    minutes = monday.history("SPY", end_at=monday.opens_at, duration_s=DAY_S, bar_s=60)
    assert len(minutes.close) == 210
    day = monday.history("SPY", end_at=monday.opens_at, duration_s=DAY_S, bar_s=DAY_S)
    assert day.close[0] == minutes.close[-1]


# ---- blocks


def stretches(character=CALM):
    listings = listings_of(SYMBOLS)
    chance = Chance(7)
    return Stretches(chance, listings, Levels(chance, listings, character))


@pytest.mark.parametrize("character", [CALM, LIVELY], ids=["calm", "lively"])
def test_a_block_is_the_same_whatever_was_asked_before(character):
    day = dt.date(2026, 11, 18)
    whole = stretches(character).of(day, range(26), [0, 1, 2])
    asked = stretches(character)
    late, early = asked.of(day, range(20, 21), [2]), asked.of(day, range(3, 5), [1, 0])
    at_late, at_early = slice(20 * 180, 21 * 180), slice(3 * 180, 5 * 180)
    assert all(np.array_equal(getattr(late, n)[0], getattr(whole, n)[2, at_late], equal_nan=True) for n in FIELDS)
    assert all(np.array_equal(getattr(early, n)[0], getattr(whole, n)[1, at_early], equal_nan=True) for n in FIELDS)
    assert all(np.array_equal(getattr(early, n)[1], getattr(whole, n)[0, at_early], equal_nan=True) for n in FIELDS)


def test_each_block_begins_where_the_one_before_ended():
    whole = stretches().of(dt.date(2026, 11, 18), range(26), [0])
    assert whole.open[0, 180::180].tolist() == whole.close[0, 179:-1:180].tolist()


@pytest.mark.parametrize("character", [CALM, LIVELY], ids=["calm", "lively"])
def test_the_same_seed_is_the_same_session_to_the_byte_and_another_is_not(character):
    assert digest(a_market(character=character)) == digest(a_market(character=character))
    assert digest(a_market(character=character)) != digest(a_market(character=character, seed=8))


# ---- statistics


def log_middles(market):
    """At the end of each quarter of an hour, where thin names have a quote too."""
    return np.log((played(market, "bid") + played(market, "ask"))[179::180] / 2)


def test_the_variance_of_a_path_is_that_of_its_listing_at_every_scale():
    middles = log_middles(a_market(symbols=symbols_of(200)))[4:-4]  # noon, where the curve is flat
    quarter_hours, half_hours = np.diff(middles, axis=0), np.diff(middles[::2], axis=0)
    assert half_hours.var() / quarter_hours.var() == pytest.approx(2.0, rel=0.1)


def test_names_with_a_beta_move_together_and_the_more_the_larger_it_is():
    symbols = symbols_of(424)
    moves = np.diff(log_middles(a_market(symbols=symbols)), axis=0)
    share = np.array([one.beta / one.annual_volatility for one in listings_of(symbols)])[24:]
    correlation = np.corrcoef(moves.T)[0, 24:]
    assert correlation.mean() > 0.2
    assert np.corrcoef(share, correlation)[0, 1] > 0.3


def test_displayed_sizes_are_whole_lots_and_larger_in_busier_names():
    market = a_market(symbols=("SPY", "GS"))
    sizes = np.concatenate([played(market, "bid_size"), played(market, "ask_size")])
    assert (sizes % 100 == 0).all()
    assert sizes.min() == 100
    assert sizes[:, 0].mean() > 2 * sizes[:, 1].mean()


# ---- a thousand names


def test_a_thousand_instruments_play():
    symbols = symbols_of(1000)
    steps = a_market(symbols=symbols, history_sessions=1).steps()
    first = next(steps)
    assert first.close.shape == (1000,)
    assert len(first.events) == 1000
    assert ((first.bid < first.ask) & (first.bid > 0)).all()
    cents = np.array([first.open, first.high, first.low, first.close, first.bid, first.ask]) * 100
    assert np.abs(cents - np.round(cents)).max() < 1e-6
    alone = next(a_market(symbols=(symbols[-1],), history_sessions=1).steps())
    assert [getattr(alone, name)[0] for name in FIELDS] == [getattr(first, name)[-1] for name in FIELDS]


def test_a_thousand_contract_ids_are_distinct():
    assert len({con_id_of(symbol) for symbol in symbols_of(1000)}) == 1000


def test_made_up_listings_are_well_formed_and_more_than_a_thousand_are_refused():
    assert symbols_of(2) == ("SPY", "QQQ")
    assert symbols_of(26)[-2:] == ("SIM001", "SIM002")
    assert listings_of(["SIM042"]) == listings_of(["SIM042"]) != listings_of(["SIM043"])
    assert 15 <= listings_of(["SIM042"])[0].start_price <= 300
    with pytest.raises(DataError, match="1001 symbols, allowed are 1 to 1000"):
        symbols_of(1001)
    with pytest.raises(DataError, match=r"unknown symbols SIM000, NOPE, known are SPY.* and SIM001 to SIM999"):
        listings_of(["SIM000", "SPY", "NOPE"])


WHOLE_SESSION = """
import json, sys
from brokers.simulated.gateway.server import SimulatedGateway
from brokers.simulated.market.listings import symbols_of
from brokers.simulated.market.synthetic import SyntheticMarket

played = sum(1 for _ in SyntheticMarket(symbols=symbols_of(500)).steps())
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
heavy = [name for name in ("pandas", "pyarrow", "numba", "exchange_calendars") if name in sys.modules]
print(json.dumps({"played": played, "peak_mb": int(peak.split()[1]) / 1024, "heavy": heavy}))
"""


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_a_process_that_plays_500_instruments_stays_below_150_mb_and_imports_no_pandas():
    told = subprocess.run([sys.executable, "-c", WHOLE_SESSION], capture_output=True, text=True, check=True)
    facts = json.loads(told.stdout)
    assert facts["played"] == 4680
    assert facts["peak_mb"] < 150
    assert facts["heavy"] == []
