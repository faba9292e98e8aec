"""The plan of the next session: what is wanted as of this close, which limits hold, and what both were made from."""

from __future__ import annotations

import os
from datetime import date

from research.nightly.bars import bars_hash, begins_with_the_store, first_session, no_bars, remembered_bars
from research.nightly.live_day import equity_before
from research.nightly.night import Night
from research.nightly.step import Job, Outcome
from shared.config import Config
from shared.day_plan import DayPlan, LimitValue
from shared.errors import DataError, NotFound
from shared.io.fingerprints import code_hash, config_hash, panel_hash
from shared.io.journal_place import read_journal
from shared.io.plan_file import account_hash, plan_path, plan_text, read_plan, sealed, write_plan
from shared.io.whole_file import write_whole

FILE = "plan.json"
_SIGNED_OFF = ("owner", "reviewed_on", "reason", "groups_file")


class PlanStep:
    """Writes the plan where the daemon looks for it, and a copy into the night's folder.

    It needs an audit without difference: an engine whose decisions cannot be made again is no ground for a plan.
    """

    name = "plan"
    needs = ("refresh", "features", "audit", "replay")

    def inputs(self, job: Job) -> dict[str, str]:
        if no_bars(job.night):
            return {"bars": "none"}
        return {
            "bars": bars_hash(job.night),
            "config": config_hash(job.night.config),
            "code": code_hash(job.night.config),
            "equity": f"{_equity(job.night)!r}",
            "account": account_hash(job.night.config),
            "for": f"{job.night.next_session}",
            **_memory(job.night),
            **_insiders_read(job.night.config),
        }

    def run(self, job: Job) -> Outcome:
        from research.nightly.targets import planned_targets

        if nothing := no_bars(job.night):
            return Outcome(status="skipped", said=f"skipped, {nothing}; nightly.data is empty")
        if later := _later_plan(job.night):
            return Outcome(status="skipped", said=f"skipped, the plan for {later} stands and is not gone back from")
        config, equity, panel = job.night.config, _equity(job.night), remembered_bars(job.night)
        start = None if begins_with_the_store(job.night) else first_session(job.night)
        scores = _insider_scores(job.night)
        plan = DayPlan(
            session=job.night.next_session,
            as_of=job.night.session,
            made_at=job.begun_at,
            mode=config.mode,
            account_hash=account_hash(config),
            config_hash=config_hash(config),
            code_hash=code_hash(config),
            data_hash=job.records["replay"].inputs["bars"],
            equity=equity,
            targets=planned_targets(config, panel, start, equity, scores),
            limits=limits_of(config),
            insider_scores=scores,
        )
        write_whole(job.night.folder / FILE, plan_text(sealed(plan)), mode=0o600)
        write_plan(plan_path(config), plan)
        return Outcome(
            said=f"{len(plan.targets)} targets for {plan.session}, as of the close of {plan.as_of}"
            f"{_scored(config, scores)}",
            files=(FILE, os.path.relpath(plan_path(config), job.night.folder)),
            facts={"targets": len(plan.targets), "session": f"{plan.session}"},
        )


def limits_of(config: Config) -> dict[str, LimitValue]:
    """The limits in force, by their names in [risk]."""
    whole = config.risk.model_dump()
    return {name: value for name, value in whole.items() if name not in _SIGNED_OFF}


def _memory(night: Night) -> dict[str, str]:
    """Where a live start goes on from all stored bars, they are what the targets are made from."""
    return {"memory": panel_hash(remembered_bars(night))} if begins_with_the_store(night) else {}


def _insiders_read(config: Config) -> dict[str, str]:
    if not config.insiders.scale:
        return {}
    from research.ingest.point_in_time.filed_insiders import content_hash

    return {"insiders": content_hash(config.base_dir / config.insiders.table)}


def _insider_scores(night: Night) -> dict[str, float]:
    if not night.config.insiders.scale:
        return {}
    from research.ingest.point_in_time.sized_by_insiders import scores_at

    return scores_at(night.config, [night.hours.closes_at])[0]


def _scored(config: Config, scores: dict[str, float]) -> str:
    if not config.insiders.scale:
        return ""
    unknown = len(config.universe.symbols) - len(scores)
    return f"; insider scores of {len(scores)} symbols, {unknown} without one are not scaled"


def _equity(night: Night) -> float:
    """What the broker last reported in the session; the starting cash of [replay] where nothing was."""
    try:
        with read_journal(night.config) as journal:
            told = equity_before(journal, night.journal_until)
    except NotFound:
        told = None
    return night.config.replay.starting_cash if told is None else told


def _later_plan(night: Night) -> date | None:
    """The session of a plan that stands for a later one than this night's; None if there is none."""
    try:
        session = read_plan(plan_path(night.config)).session
    except DataError:
        return None
    return session if session > night.next_session else None
