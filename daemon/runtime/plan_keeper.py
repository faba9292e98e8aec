"""No trading without the plan of the session, where `[nightly] plan = "require"` says so.

At the start a plan that is missing, torn, foreign or stale refuses the run. In a run the next session's plan is looked
for from the change of session on; if none is good shortly before the open, the engine is told why (it takes no entries
then), and told again when one has come. A plan once taken holds for its session, whatever becomes of the file.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from daemon.runtime.clock import MarketClock
from daemon.runtime.inbox import Inbox
from shared.config import Config
from shared.day_plan import DayPlan
from shared.errors import ConfigError, DataError
from shared.events import DayPlanChecked
from shared.io.plan_file import foreign_fault, plan_path, read_plan, stale_fault
from shared.sessions import session_at_or_after

LOOK_EVERY_S = 60.0
DUE_BEFORE_OPEN_S = 300.0
"""Market seconds before the open at which a session without a plan is said to have none."""


class PlanKeeper:
    """Reads the plan file; `wall` tells how old it is, the market's clock for which session it must be."""

    def __init__(self, config: Config, clock: MarketClock, inbox: Inbox, wall: Callable[[], datetime]) -> None:
        self._config = config
        self._clock = clock
        self._inbox = inbox
        self._wall = wall
        self._taken: date | None = None
        self._told: tuple[date, str] | None = None

    def at_start(self) -> DayPlanChecked:
        """The plan of the session that runs or comes next, for the engine.

        Raises:
            ConfigError: there is none to trade by; the line says why.
        """
        now = self._clock.now()
        session = session_at_or_after(self._config.session.calendar, now).session
        plan = _sound(self._config)
        if fault := self._stale(plan, session):
            raise ConfigError(fault)
        self._taken = session
        return _taken(plan, now)

    async def run(self) -> None:
        """Look for each next session's plan, for ever."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Tell the engine what has become known of the plan since the last look."""
        now = self._clock.now()
        hours = session_at_or_after(self._config.session.calendar, now)
        if hours.session == self._taken:
            return
        try:
            plan = _sound(self._config)
            fault = self._stale(plan, hours.session)
        except ConfigError as error:
            plan, fault = None, str(error)
        if plan is not None and not fault:
            self._taken = hours.session
            self._inbox.put(_taken(plan, now))
        elif now >= hours.opens_at - timedelta(seconds=DUE_BEFORE_OPEN_S) and (hours.session, fault) != self._told:
            self._told = (hours.session, fault)
            self._inbox.put(DayPlanChecked(received_at=now, session=hours.session, fault=fault))

    def _stale(self, plan: DayPlan, session: date) -> str:
        age_s_max = self._config.nightly.plan_age_max_s
        return stale_fault(plan_path(self._config), plan, session, self._wall(), age_s_max)


def check_plan(config: Config) -> None:
    """Refuse, before anything is opened, what no clock is needed to see: a plan that is missing, torn or foreign.

    Raises:
        ConfigError: with the line that says so. Nothing where no plan is required.
    """
    if config.nightly.plan == "require":
        _sound(config)


def _sound(config: Config) -> DayPlan:
    path = plan_path(config)
    try:
        plan = read_plan(path)
        fault = foreign_fault(path, plan, config)
    except DataError as error:
        raise ConfigError(str(error)) from None
    if fault:
        raise ConfigError(fault)
    return plan


def _taken(plan: DayPlan, now: datetime) -> DayPlanChecked:
    return DayPlanChecked(
        received_at=now,
        session=plan.session,
        limits=plan.limits,
        targets=plan.targets,
        insider_scores=plan.insider_scores,
    )
