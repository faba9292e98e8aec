"""Many days in one process of the daemon: what a day adds and no night takes away grows without end (I22).

Of the history only the world's own findings are kept, or the history would be what grows. Memory is that of the whole
interpreter, gateway and world included: it bounds the daemon's from above.
"""

from __future__ import annotations

import asyncio
import gc
import os
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tests.simulation.history import Checked, ProcessEnded, Settings
from tests.simulation.plan import Plan
from tests.simulation.world.run import Outcome, played_by
from tests.simulation.world.site import Site

GROWTH_PCT_MAX = 5.0
SETTLED_AFTER_DAYS = 5
"""From then on memory is compared: until a week with its weekend is over, something new is loaded each day."""
EVENING_S = 30.0
"""So long after each close a look is taken: all is flat, and nothing was traded for minutes."""
_STATM = Path("/proc/self/statm")
_MB = 1e6


class Evening(Struct, frozen=True, kw_only=True):
    """What was counted once a day, in megabytes and pieces; `process` is the number of the daemon's process."""

    at: float
    memory_mb: float
    tasks: int
    process: int
    fills: int


def soaked(plan: Plan) -> Outcome:
    """Play a plan of many sessions. Its history: the settings, each evening's figures, and what is wrong with them."""
    evenings: list[Evening] = []
    looking: list[asyncio.Task[None]] = []

    def watch(site: Site) -> None:
        site.recorder.keeps = (Settings, ProcessEnded, Checked)
        looking.append(site.loop.create_task(_look(site, evenings), name="evenings"))

    outcome = played_by(plan, watch)
    if looking[0].done() and not looking[0].cancelled():
        looking[0].result()
    return replace(outcome, history=[*outcome.history, *found_in(evenings)])


def found_in(evenings: list[Evening]) -> list[Checked]:
    """Each evening against the first one that counts: memory within GROWTH_PCT_MAX, tasks as many, the same process."""
    found = []
    for day, evening in enumerate(evenings, start=1):
        first = evenings[min(SETTLED_AFTER_DAYS, day) - 1]
        grown_pct = 100.0 * (evening.memory_mb / first.memory_mb - 1.0)
        text = (
            f"day {day}: {evening.memory_mb:.1f} MB ({grown_pct:+.1f} % since day {min(SETTLED_AFTER_DAYS, day)}), "
            f"{evening.tasks} tasks (then {first.tasks}), {evening.fills} executions so far, process {evening.process}"
        )
        good = {
            "memory": grown_pct < GROWTH_PCT_MAX,
            "task": evening.tasks <= first.tasks and evening.process == first.process,
        }
        for what, is_good in good.items():
            found.append(Checked(at=evening.at, what=what, invariant="I22", is_good=is_good, detail=text))
    return found


async def _look(site: Site, evenings: list[Evening]) -> None:
    for day in site.days:
        await asyncio.sleep(day.closes_at + EVENING_S - site.now())
        gc.collect()
        process = site.lives.process
        evenings.append(
            Evening(
                at=site.now(),
                memory_mb=_resident_mb(),
                tasks=len(process.tasks) if process is not None else 0,
                process=process.number if process is not None else 0,
                fills=sum(len(ledger.reports) for ledger in site.gateway.session.accounts),
            )
        )


def _resident_mb() -> float:
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / _MB
