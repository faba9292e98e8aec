"""A night over which held shares split, with `[bars] actions`: the whole daemon against the gateway, killed around it.

SPY splits two for one. The strategy is long from 200 on: at 284 before and at half of that after, which is the same to
it as long as its prices are told in the units it began with. A daemon that saw the split as a crash would sell.
"""

from datetime import date

import pytest

from daemon.engine.book import PROTECTIVE
from shared.events import BarsClosed, OrderFilled, PricesRescaled
from shared.io.journal import JournalReader
from shared.messages import decode_event
from tests.costs.builders import HEADER
from tests.simulation.history import Checked, ProcessEnded
from tests.simulation.judge.judging import breaches_of
from tests.simulation.plan import Crash, Market, Operator, Plan
from tests.simulation.safeguards.aimed import DAEMON
from tests.simulation.world.disk import JOURNAL
from tests.simulation.world.run import played_by

SEED = 20
EVE, EX_DATE, RATIO = "2027-04-28", date(2027, 4, 29), 2.0
OPENS_AFTER_MIDNIGHT_S = 9.5 * 3600
LONG_FROM = 200.0
ACCEPTED_S = -30.0
"""The gateway splits a minute before the open; half a minute later a person accepts it."""


def a_night(*incidents):
    """From five minutes before the close to ten minutes after the next open; the journal is audited."""
    strategy = {
        "name": "held",
        "kind": "threshold.py",
        "params": {"long_from": LONG_FROM},
        "allocation": 0.5,
        "sizing": {"method": "fixed_fraction", "fraction": 0.1},
        "exits": {"method": "percent", "stop_pct": 15.0, "target_pct": 0.0},
    }
    return Plan(
        seed=SEED,
        weather="calm",
        market=Market(seed=SEED, symbols=("SPY", "IBM"), first_session=EVE, is_eventful=True, eve_s=300, lasts_s=600),
        daemon={
            **DAEMON,
            "bars": {**DAEMON["bars"], "actions": "actions.csv"},
            "runtime": {**DAEMON["runtime"], "heartbeat_every_s": 120.0, "reconcile_every_s": 60.0},
            "strategy": [strategy],
        },
        incidents=(Operator(at_s=ACCEPTED_S, verb="accept", scope="instrument:SPY"), *incidents),
        latency_s=(0.001, 0.02),
        shuffle=True,
        calm_s=120.0,
    )


class Night:
    """The run of a plan: its history, and what the journal holds at its end."""

    def __init__(self, plan, kill_at=""):
        self._kill_at, self._is_killed = kill_at, False
        self.events = []
        self.held = {}
        self.stops = []
        self.history = played_by(plan, self._watch).history

    def _watch(self, site):
        """Give the daemon its table, and kill it at the first `kill_at` of a write that finds the split told."""
        (site.lives.config.base_dir / "actions.csv").write_text(f"{HEADER}SPY,{EX_DATE},0,{RATIO:g}\n")
        before, end = site.disk.on_write, site._end

        def on_write(moment):
            daemon = site.lives.daemon
            if moment == self._kill_at and not self._is_killed and daemon is not None and daemon.engine.book.rescaled:
                self._is_killed = True
                site.lives.kill()
                site.lives.start_in(20.0)
            else:
                before(moment)

        async def ending():
            book = site.lives.daemon.engine.book
            self.held = {symbol: each.quantity for symbol, each in book.positions().items()}
            self.stops = [
                (each.order.quantity, each.order.stop_price)
                for each in book.orders.values()
                if each.order.symbol == "SPY" and each.leg in PROTECTIVE
            ]
            await end()
            with JournalReader.open(site.lives.folder / JOURNAL) as journal:
                self.events = [decode_event(record.payload) for record in journal.records()]

        site.disk.on_write, site._end = on_write, ending

    def told(self):
        return [event for event in self.events if isinstance(event, PricesRescaled)]


MIDNIGHT_S = -OPENS_AFTER_MIDNIGHT_S
NIGHTS = [
    pytest.param((), "", 0, id="nobody dies"),
    pytest.param((), "before_commit", 1, id="killed before the split is durable"),
    pytest.param((), "after_commit", 1, id="killed once the split is durable"),
    pytest.param((), "sync", 1, id="killed while the split is written"),
    pytest.param(
        (Crash(at_s=MIDNIGHT_S - 600, where="step", nth=1, down_s=1200),), "", 1, id="nobody there at midnight"
    ),
    pytest.param((Crash(at_s=-55, where="step", nth=1, down_s=10),), "", 1, id="killed between split and person"),
    pytest.param(
        (Crash(at_s=ACCEPTED_S, where="after_commit", nth=1, down_s=5),), "", 1, id="killed as a person accepts"
    ),
    pytest.param((Crash(at_s=1, where="before_commit", nth=3, down_s=5),), "", 1, id="killed at the first rows"),
]


@pytest.mark.parametrize(("incidents", "kill_at", "deaths"), NIGHTS)
def test_shares_that_split_overnight_are_kept_protected_and_no_crash_to_the_strategy(incidents, kill_at, deaths):
    night = Night(a_night(*incidents), kill_at)
    assert [breach.text for breach in breaches_of(night.history)] == []
    assert len([one for one in night.history if isinstance(one, ProcessEnded) and one.how == "killed"]) == deaths
    assert [(event.symbol, event.ratio, event.ex_date) for event in night.told()] == [("SPY", RATIO, EX_DATE)]
    first_row = next(
        event for event in night.events if isinstance(event, BarsClosed) and event.closed_at.date() == EX_DATE
    )
    assert night.events.index(night.told()[0]) < night.events.index(first_row)
    assert first_row.row.close[0] < LONG_FROM
    bought = next(event.fill for event in night.events if isinstance(event, OrderFilled) and event.fill.symbol == "SPY")
    assert night.held["SPY"] == RATIO * bought.quantity
    ((shares, stop_price),) = night.stops
    assert shares == night.held["SPY"]
    assert stop_price == pytest.approx(0.85 * bought.price / RATIO, abs=0.01)
    audits = [one for one in night.history if isinstance(one, Checked) and one.what == "audit"]
    assert [one.is_good for one in audits] == [True] * (deaths + 1)
