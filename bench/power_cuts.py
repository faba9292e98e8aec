"""What kills and power cuts leave of the journal: recorded days, their crash states opened one after the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import structlog

from bench.result import Comparison, Measured
from tests.simulation.power.enumeration import Enumerated, enumerated, restarts, told, upgraded
from tests.simulation.power.operations import Recording

DAYS, MINUTES, RESTARTS = 3, 60, 12
STATES_ASKED = 25_000
KILLS_SHARE = 5
"""One state in so many is a kill's."""


def compare_power_cuts(states: int, seed: int) -> Comparison:
    """Open so many states, shared out evenly; raises RuntimeError with the first breaches if there is one."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    started = time.perf_counter()
    found = list(_enumerations(states, seed))
    took_s = time.perf_counter() - started
    breaches = [str(breach) for each in found for breach in each.breaches]
    if breaches:
        raise RuntimeError("\n".join([f"{len(breaches)} breaches at least:", *breaches]))
    kills, cuts = sum(each.kills for each in found), sum(each.cuts for each in found)
    return Comparison(
        title=f"crash states of the journal: {DAYS} days, an upgrade, {RESTARTS} starts after a crash; seed {seed}",
        measured=(
            Measured("states after a kill, opened", "", kills),
            Measured("states after a power cut, opened", "", cuts),
            Measured("states there are after a kill", "", sum(each.kills_there for each in found)),
            Measured("states there are after a power cut", "", sum(each.cuts_there for each in found)),
            Measured("different journals, recovered twice each", "", sum(each.contents for each in found)),
            Measured("acknowledged rows lost, other breaches", "", 0),
            Measured("took", "s", took_s),
        ),
        ratio=(kills + cuts) / STATES_ASKED,
        ratio_says=f"of the {STATES_ASKED:,} states asked (5,000 after a kill, 20,000 after a power cut)",
    )


def _enumerations(states: int, seed: int) -> Iterator[Enumerated]:
    """The upgrade wholly, a tenth for the starts after a crash, the rest for the days."""
    yield enumerated(upgraded(), kills_max=states, cuts_max=states, seed=seed)
    days = [told(MINUTES, seed + number) for number in range(DAYS)]
    for again in restarts(days[0], RESTARTS, seed):
        yield _sampled(again, states // (10 * RESTARTS), seed)
    for day in days:
        yield _sampled(day, states // DAYS, seed)


def _sampled(recording: Recording, states: int, seed: int) -> Enumerated:
    kills = states // KILLS_SHARE
    return enumerated(recording, kills_max=kills, cuts_max=states - kills, seed=seed)
