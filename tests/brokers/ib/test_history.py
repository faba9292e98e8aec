"""Past bars: what is asked, and the rows that come of the answers."""

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from ib_insync import BarData as IbBar

from brokers.ib.history import bar_size_of, duration_of, instant_text, rows_of
from shared.errors import BrokerUnavailable, ConfigError, DataError
from tests.brokers.ib.peers import Notebook, ScriptedTws, ib_broker

OPEN = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
BEFORE = OPEN + timedelta(minutes=3)


def a_bar(minute: int, close: float = 10.0, date: Any = "", **values):
    start = OPEN + timedelta(minutes=minute)
    prices: dict[str, Any] = {
        "open": close,
        "high": close + 1,
        "low": close - 1,
        "close": close,
        "volume": 100.0,
    }
    told: Any = date or str(int(start.timestamp()))
    return IbBar(date=told, **(prices | values))


def no_close(session: date) -> datetime:
    raise AssertionError(session)


def minutes(*answers, bars: int = 10, interval_s: int = 60):
    return rows_of(answers, interval_s=interval_s, bars=bars, before=BEFORE, closes_at=no_close)


def test_rows_are_aligned_by_the_end_of_the_bar_with_nan_where_one_is_missing():
    rows = minutes([a_bar(0), a_bar(1, 11), a_bar(2)], [a_bar(0, 20), a_bar(2, 21)])
    assert [row.closed_at for row in rows] == [OPEN + timedelta(minutes=n) for n in (1, 2, 3)]
    assert rows[0].row.close.tolist() == [10.0, 20.0]
    assert rows[1].row.close[0] == 11.0
    assert math.isnan(rows[1].row.close[1])


def test_a_bar_that_has_not_ended_or_lies_ahead_is_not_history():
    rows = minutes([a_bar(1), a_bar(2), a_bar(3), a_bar(60 * 24)])
    assert [row.closed_at for row in rows] == [OPEN + timedelta(minutes=2), BEFORE]


def test_only_the_last_rows_are_given_oldest_first_whatever_the_order_of_the_answer():
    rows = minutes([a_bar(2, 12), a_bar(0, 10), a_bar(1, 11)], bars=2)
    assert [row.row.close[0] for row in rows] == [11.0, 12.0]


@pytest.mark.parametrize(
    "wrong",
    [{"low": -1.0}, {"high": 5.0}, {"close": math.nan}, {"open": 0.0}, {"high": math.inf}, {"open": 50.0}],
)
def test_a_bar_that_cannot_be_is_no_bar(wrong):
    assert len(minutes([a_bar(0, **wrong), a_bar(1)])) == 1


def test_a_pause_filled_with_the_last_price_is_no_bar():
    pause = {"open": 10.0, "high": 10.0, "low": 10.0, "volume": 0.0}
    assert minutes([a_bar(0, **pause)]) == []


def test_an_untold_volume_is_nan():
    (row,) = minutes([a_bar(0, volume=-1.0)])
    assert math.isnan(row.row.volume[0])


def test_smaller_bars_make_up_an_interval():
    (row,) = minutes([a_bar(0, 10), a_bar(1, 14, low=3.0)], interval_s=120)
    values = [float(part[0]) for part in (row.row.open, row.row.high, row.row.low, row.row.close, row.row.volume)]
    assert values == [10.0, 15.0, 3.0, 14.0, 200.0]


def test_the_first_hour_of_new_york_ends_on_the_hour():
    end = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
    (row,) = rows_of([[a_bar(0)]], interval_s=3600, bars=5, before=end, closes_at=no_close)
    assert row.closed_at == end


def test_a_daily_bar_of_a_date_that_is_no_session_is_no_bar():
    def closes(session: date) -> datetime | None:
        return datetime(2026, 11, 19, 21, tzinfo=UTC) if session == date(2026, 11, 19) else None

    bars = [a_bar(0, date="20261119"), a_bar(0, date="20261115")]
    (row,) = rows_of([bars], interval_s=86_400, bars=5, before=BEFORE, closes_at=closes)
    assert row.closed_at == datetime(2026, 11, 19, 21, tzinfo=UTC)


def test_a_date_that_is_no_epoch_is_refused():
    with pytest.raises(DataError, match="20261120  10:00:00"):
        minutes([a_bar(0, date="20261120  10:00:00")])


@pytest.mark.parametrize(
    ("interval_s", "size_s"),
    [(5, 5), (30, 5), (60, 60), (120, 60), (300, 300), (1800, 900), (7200, 3600), (86_400, 86_400)],
)
def test_an_interval_is_asked_for_in_the_largest_bars_that_divide_it(interval_s, size_s):
    assert bar_size_of(interval_s) == size_s


@pytest.mark.parametrize("interval_s", [0, -60, 7])
def test_an_interval_without_bars_is_a_mistake_of_the_configuration(interval_s):
    with pytest.raises(ConfigError, match="multiples of 5"):
        bar_size_of(interval_s)


@pytest.mark.parametrize(
    ("interval_s", "bars", "duration"),
    [(60, 60, "3720 S"), (60, 2000, "7 D"), (86_400, 60, "62 D"), (86_400, 500, "2 Y"), (5, 100, "510 S")],
)
def test_the_duration_covers_the_bars(interval_s, bars, duration):
    assert duration_of(interval_s, bars) == duration


def test_the_end_is_named_in_utc():
    assert instant_text(datetime.fromisoformat("2026-11-20T10:00:00-05:00")) == "20261120-15:00:00"


@pytest.fixture
async def tws():
    async with ScriptedTws() as server:
        yield server


async def asked(tws, script):
    broker = ib_broker(tws.port, Notebook())
    await broker.connect()
    tws.answers["20"] = script
    try:
        return await broker.warm_up(interval_s=60, bars=5, before=BEFORE)
    finally:
        await broker.disconnect()


async def test_no_data_is_no_rows(tws):
    script = ["4|2|{1}|162|Historical Market Data Service error message:HMDS query returned no data: SPY||"]
    assert await asked(tws, script) == []


@pytest.mark.parametrize(
    "said",
    [
        "162|Historical Market Data Service error message:Historical data request pacing violation",
        "162|Trading TWS session is connected from a different IP address",
        "200|No security definition has been found for the request",
        "366|No historical data query found for ticker id",
    ],
)
async def test_a_refused_history_is_not_an_empty_one(tws, said):
    with pytest.raises(BrokerUnavailable, match=f"history of SPY: {said[:3]}"):
        await asked(tws, [f"4|2|{{1}}|{said}||"])


async def test_a_warning_about_the_question_does_not_end_it(tws):
    start = int(OPEN.timestamp())
    script = [
        "4|2|{1}|2174|Warning: no time zone||",
        f"17|{{1}}|a|b|1|{start}|680.0|681.0|679.0|680.5|1200|680.1|40|",
    ]
    (row,) = await asked(tws, script)
    assert row.closed_at == OPEN + timedelta(minutes=1)
    assert row.row.close.tolist() == [680.5]


async def test_a_history_that_cannot_be_read_is_not_an_empty_one(tws):
    with pytest.raises(BrokerUnavailable, match="historicalData could not be read"):
        await asked(tws, ["17|{1}|a|b|1|1763649000|six hundred|"])
