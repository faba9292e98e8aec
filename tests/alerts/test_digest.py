"""One message after the close, and only one."""

from daemon.alerts.digest import DayDigest
from tests.alerts.builders import said


def a_beat(market_at, session="2013-10-08", **changes):
    return {
        "verdict": "ok",
        "causes": [],
        "state": "ACTIVE",
        "session": session,
        "closes_at": f"{session}T20:00:00+00:00",
        "market_at": market_at,
        "positions": [],
        "round_trips": 3,
        "day_profit": -120.5,
        "equity": 999_879.5,
        "slippage": 4.25,
        "uptime_s": 5400,
        "reconnects": 1,
        **changes,
    }


def test_the_digest_comes_with_the_first_beat_after_the_close():
    digest = DayDigest()
    assert digest.on_beat(a_beat("2013-10-08T19:59:50+00:00")) is None
    told = said(digest.on_beat(a_beat("2013-10-08T20:00:00+00:00")))
    assert (told.code, told.severity) == ("day_digest", "digest")
    assert digest.on_beat(a_beat("2013-10-08T20:00:10+00:00")) is None


def test_it_names_profit_slippage_breaches_and_uptime():
    digest = DayDigest()
    digest.count("filled")
    digest.count("filled")
    digest.count("rejected")
    told = said(digest.on_beat(a_beat("2013-10-08T20:00:00+00:00", positions=[{"symbol": "SPY", "quantity": 10}])))
    assert told.text.splitlines() == [
        "session 2013-10-08: ok, ACTIVE",
        "round trips 3, fills 2",
        "day profit -120.50, equity +999,879.50, slippage +4.25",
        "positions: SPY +10",
        "told: rejected 1",
        "open causes: none",
        "up for 1.5 h, reconnects 1",
    ]


def test_it_tells_of_the_session_that_ended_even_if_the_next_one_is_announced_already():
    digest = DayDigest()
    digest.on_beat(a_beat("2013-10-08T19:59:50+00:00", day_profit=50.0))
    told = said(digest.on_beat(a_beat("2013-10-08T20:00:15+00:00", session="2013-10-09", day_profit=0.0)))
    assert told.text.startswith("session 2013-10-08:")
    assert "day profit +50.00" in told.text


def test_every_session_has_its_own():
    digest = DayDigest()
    digest.count("rejected")
    digest.on_beat(a_beat("2013-10-08T20:00:00+00:00"))
    told = said(digest.on_beat(a_beat("2013-10-09T20:00:00+00:00", session="2013-10-09")))
    assert "told: nothing" in told.text


def test_a_daemon_that_knows_no_session_yet_says_nothing():
    assert DayDigest().on_beat(a_beat("2013-10-08T12:00:00+00:00") | {"session": None, "closes_at": None}) is None
