"""All runs of a campaign: drawn, played in processes of their own, judged.

The answer depends on seeds and weather alone, not on how many processes there were or which run came after which.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

import msgspec
from msgspec import Struct

from shared.io.whole_file import write_whole
from tests.simulation.campaign.day import Day, judged
from tests.simulation.campaign.forked import Course, Limits, Lost, forked
from tests.simulation.campaign.interruption import Interruption
from tests.simulation.campaign.toolkit import Outcome, Toolkit
from tests.simulation.history import Record, lines_of
from tests.simulation.plan import Plan, Weather


class Campaign(Struct, frozen=True, kw_only=True):
    """`seeds` of one weather. After `budget_s` of real time no further day begins."""

    seeds: range
    weather: Weather
    limits: Limits
    budget_s: float | None = None


class SingleRun(Struct, frozen=True, kw_only=True):
    """A run that is no draw of the campaign's, but a value at hand."""

    seed: int
    weather: Weather
    play: Callable[[], Outcome]

    @classmethod
    def of(cls, plan: Plan, toolkit: Toolkit) -> Self:
        return cls(seed=plan.seed, weather=plan.weather, play=lambda: toolkit.play(plan))


class Result(Struct, frozen=True, kw_only=True):
    """The days in the order of their seeds, and how the campaign ended."""

    days: tuple[Day, ...]
    ended: Literal["done", "budget", "interrupted"]
    took_s: float


class Watch(Struct, frozen=True):
    """Who looks on: `day` hears each day when it is done, `tick` several times a second."""

    day: Callable[[Day], None] = lambda _: None
    tick: Callable[[], None] = lambda: None


def carried_out(campaign: Campaign, toolkit: Toolkit, watch: Watch | None = None) -> Result:
    """Play every seed. Ctrl-C and SIGTERM end it; what is done by then is the answer."""
    watch = watch or Watch()
    began_s = time.monotonic()

    def is_over() -> bool:
        return campaign.budget_s is not None and time.monotonic() - began_s >= campaign.budget_s

    def played(seed: int) -> bytes:
        return msgspec.msgpack.encode(judged(lambda: toolkit.play(toolkit.draw(seed, campaign.weather)), toolkit))

    days: dict[int, Day] = {}
    with Interruption() as interruption:
        course = Course(interruption, is_over, watch.tick, toolkit.sweep)
        answers = forked(campaign.seeds, played, campaign.limits, course)
        for seed, answer in answers:
            days[seed] = day_of(seed, campaign.weather, answer)
            watch.day(days[seed])
    return Result(
        days=tuple(days[seed] for seed in sorted(days)),
        ended="done" if len(days) == len(campaign.seeds) else "interrupted" if interruption.has_come else "budget",
        took_s=time.monotonic() - began_s,
    )


def one_run(run: SingleRun, toolkit: Toolkit, wall_s: float, history: Path | None = None) -> Result:
    """Play it in a process of its own, and write its history as JSON lines if asked."""

    def keep(records: list[Record]) -> None:
        if history is not None:
            write_whole(history, lines_of(records).decode())

    def played(run: SingleRun) -> bytes:
        return msgspec.msgpack.encode(judged(run.play, toolkit, keep))

    began_s = time.monotonic()
    with Interruption() as interruption:
        course = Course(interruption, on_end=toolkit.sweep)
        answers = forked([run], played, Limits(jobs=1, batch=1, wall_s=wall_s), course)
        days = tuple(day_of(run.seed, run.weather, answer) for _, answer in answers)
    return Result(days=days, ended="done" if days else "interrupted", took_s=time.monotonic() - began_s)


def day_of(seed: int, weather: Weather, answer: bytes | Lost) -> Day:
    """What a child has said of its run."""
    if isinstance(answer, Lost):
        return Day(seed=seed, weather=weather, lost=answer.why)
    return msgspec.msgpack.decode(answer, type=Day)
