"""Sessions (F13, F14, F15): entries by the exchange's calendar, flat before an early close, the weekly login."""

from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from tests.scenarios.floor import CALM, UP, prices

CUTOFF = {"entry_before_close_s": 600, "flatten_before_close_s": 0}


def instant(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("calendar", "opens"),
    [
        ("XNYS", "2026-03-06 14:30"),  # the last day of winter time in New York
        ("XNYS", "2026-03-09 13:30"),  # summer time in New York, three weeks before London
        ("XLON", "2026-03-27 08:00"),
        ("XLON", "2026-03-30 07:00"),
        ("XLON", "2026-10-26 08:00"),  # winter time in London, a week before New York
        ("XNYS", "2026-10-26 13:30"),
        ("XNYS", "2026-11-02 14:30"),
        ("XTKS", "2026-03-10 00:00"),  # in New York it is still the evening before
    ],
)
async def test_f13_no_entry_before_the_exchange_opens_and_one_as_soon_as_it_does(floor_with, calendar, opens):
    """F13, lumibot #247, Superalgos #5280: hours by hand from the exchanges' own calendars, in UTC."""
    floor = await floor_with(prices(CALM, UP), opens_at=instant(opens) - 20)
    await floor.start(session={"calendar": calendar, "entry_before_close_s": 600})
    await floor.play(3)
    assert floor.entries() == []
    assert "is outside" in floor.notices("entry_denied")[0]
    await floor.play(2)
    assert len(floor.entries()) == 1


CLOSES = pytest.mark.parametrize(
    ("calendar", "closes"),
    [
        ("XTKS", "2024-11-01 06:00"),  # 15:00 in Tokyo
        ("XTKS", "2025-07-01 06:30"),  # 15:30 since 2024-11-05
        ("XLON", "2026-03-30 15:30"),
        ("XNYS", "2026-03-09 20:00"),
    ],
)


@CLOSES
async def test_f13_an_entry_is_taken_up_to_the_cutoff_before_the_close(floor_with, calendar, closes):
    """F13, trading-skills #331: Tokyo's close moved by half an hour in November 2024."""
    floor = await floor_with(prices(CALM, UP), opens_at=instant(closes) - 620)
    await floor.start(session={"calendar": calendar, **CUTOFF})
    await floor.play(3)
    assert len(floor.entries()) == 1


@CLOSES
async def test_f13_no_entry_is_taken_after_the_cutoff(floor_with, calendar, closes):
    floor = await floor_with(prices(*[CALM] * 4, UP), opens_at=instant(closes) - 620)
    await floor.start(session={"calendar": calendar, **CUTOFF})
    await floor.play(6)
    assert floor.entries() == []
    assert "is outside" in floor.notices("entry_denied")[0]


async def _held_at(floor_with, day):
    """Bought at 12:53 New York; then the clock goes to 12:55."""
    floor = await floor_with(prices(CALM, CALM, UP), opens_at=instant(f"{day} 17:53"))
    await floor.start(session={"entry_before_close_s": 360, "flatten_before_close_s": 300})
    await floor.play(4)
    await floor.until(lambda: floor.shares == 98 and floor.stops() == 98)
    await floor.play(21)
    return floor


@pytest.mark.parametrize("day", ["2026-11-27", "2026-12-24"])
async def test_f14_on_a_half_day_all_is_flat_five_minutes_before_one_o_clock(floor_with, day):
    """F14: New York closes at 13:00 (18:00 UTC) after Thanksgiving and on Christmas Eve."""
    floor = await _held_at(floor_with, day)
    await floor.until(lambda: floor.shares == 0 and floor.resting() == [])
    sold = floor.gateway.ledger.executions[-1]
    assert instant(f"{day} 17:55") <= sold.at < instant(f"{day} 18:00")


async def test_f14_at_the_same_hour_of_a_whole_day_nothing_is_closed(floor_with):
    floor = await _held_at(floor_with, "2026-11-25")
    await floor.agreed()
    assert floor.shares == 98


async def test_f15_the_weekly_login_is_one_message_and_heals_by_itself(floor_with):
    """F15, TWS.md 4.17: bought on Friday; on Sunday the gateway waits for a person until Monday."""
    floor = await floor_with(prices(CALM, CALM, UP), opens_at=instant("2026-11-20 14:30"))
    await floor.start(session={"flatten_before_close_s": 0})
    await floor.play(4)
    await floor.until(lambda: floor.stops() == 98)
    with capture_logs() as said:
        floor.gateway.faults.inject("wait_for_login", for_s=86_400.0)
        await floor.until(lambda: not floor.book.is_connected)
        floor.daemon._organs.clock.not_before(datetime(2026, 11, 22, 7, 0, tzinfo=UTC))  # Sunday 02:00 in New York
        await floor.until(lambda: [line for line in said if line["event"] == "login_needed"], 20)
        await floor.until(lambda: sum(line["event"] == "heartbeat" for line in said[_first_login(said) :]) >= 10, 20)
    assert [line["log_level"] for line in said if line["event"] == "login_needed"] == ["critical"]
    beat = [line for line in said if line["event"] == "heartbeat"][-1]
    assert (beat["connection"], beat["reconciled"]) == ("down", False)
    assert "not known" in said[_first_login(said)]["text"]
    floor.clock.advance_to(instant("2026-11-22 07:01"))
    floor.gateway.controls.admit_connections()
    await floor.agreed(40)
    assert floor.shares == floor.stops() == 98


def _first_login(said):
    return [line["event"] for line in said].index("login_needed")
