"""Daily bars over a night: decided after the close, at the broker through its restart, filled at the next open.

The daemon begins five minutes before the close, so that no stream has seen the session whole.
"""

import pytest

from tests.simulation.history import Broker, BrokerSeen, Sent
from tests.simulation.judge.judging import breaches_of
from tests.simulation.plan import Crash, Market, NetworkFault, Plan
from tests.simulation.safeguards.aimed import DAEMON
from tests.simulation.world.run import played

SEED = 20
CLOSE_S = -17.5 * 3600
"""Seconds from the open to the close before it."""


def a_night(*incidents):
    """From five minutes before the close to ten minutes after the next open, in fair weather but for these."""
    strategy = {
        "name": "held",
        "kind": "threshold.py",
        "symbols": ["SPY"],
        "params": {"long_from": 1.0},
        "allocation": 0.5,
        "sizing": {"method": "fixed_fraction", "fraction": 0.1},
        "exits": {"method": "percent", "stop_pct": 15.0, "target_pct": 0.0},
    }
    bars = DAEMON["bars"] | {"interval_s": 86_400, "warm_up": 5}
    session = DAEMON["session"] | {"flatten_before_close_s": 0}
    return Plan(
        seed=SEED,
        weather="calm",
        market=Market(
            seed=SEED, symbols=("SPY", "IBM"), first_session="2027-04-28", is_eventful=False, eve_s=300, lasts_s=600
        ),
        daemon={
            **DAEMON,
            "bars": bars,
            "session": session,
            "execution": DAEMON["execution"] | {"entries_on_reconnect": "cancel"},
            "risk": DAEMON["risk"] | {"price_age_max_s": 345_600.0},
            "runtime": {**DAEMON["runtime"], "heartbeat_every_s": 60.0, "reconcile_every_s": 60.0},
            "strategy": [strategy],
        },
        incidents=incidents,
        latency_s=(0.001, 0.02),
        shuffle=True,
        calm_s=120.0,
    )


@pytest.mark.parametrize(
    "incidents",
    [
        pytest.param((), id="nothing happens"),
        pytest.param((Crash(at_s=CLOSE_S - 60, where="step", nth=1, down_s=1800),), id="nobody there at the close"),
        pytest.param((Crash(at_s=CLOSE_S + 3600, where="step", nth=1, down_s=60),), id="killed in the evening"),
        pytest.param((Crash(at_s=-60, where="step", nth=1, down_s=30),), id="killed before the open"),
        pytest.param(
            (NetworkFault(at_s=CLOSE_S + 7200, what="reset", line="both"),), id="the line breaks in the evening"
        ),
    ],
)
def test_what_is_decided_on_a_session_is_bought_once_at_the_next_open_and_protected(incidents):
    history = played(a_night(*incidents)).history
    assert [breach.text for breach in breaches_of(history)] == []
    entries = [record for record in history if isinstance(record, Sent) and record.order.ref.endswith(":E")]
    bought = [record for record in history if isinstance(record, Broker) and record.what == "execution"]
    assert len({record.order.ref for record in entries}) == len(entries) == 1
    assert {record.record["order_ref"] for record in bought} == {entries[0].order.ref}
    assert all(record.at - entries[0].at > 0.8 * -CLOSE_S - 1800 for record in bought)
    seen = [record for record in history if isinstance(record, BrokerSeen)][-1]
    (stop,) = seen.orders
    assert (stop["order_type"], stop["remaining"]) == ("STP", seen.positions["SPY"])
