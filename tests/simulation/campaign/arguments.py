"""The words of the command line as values. Every fault is one line: what, the value, what is allowed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
from msgspec import Struct

from shared.errors import NotFound, Refused
from tests.simulation.campaign.forked import Limits
from tests.simulation.campaign.summary import Asked, Kind
from tests.simulation.plan import Plan, Weather, decoded

BATCH_MAX, BATCHES_A_JOB = 20, 4
"""So many days in one process: a fork costs little against them, and what leaks has no time to grow. Fewer where there
are few days, so that no process waits long for the last one."""
SEED_MAX = 2**53
"""Seeds stay numbers in every JSON reader."""
_DURATION = re.compile(r"(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


class Words(Struct, frozen=True, kw_only=True):
    """The options as they were written; None where one was not given."""

    weather: Weather
    seeds: str
    replay: int | None = None
    plan: Path | None = None
    determinism: str | None = None
    soak: int | None = None
    jobs: int | None = None
    shrink: bool = False
    history: Path | None = None
    budget: str | None = None
    day_limit: str
    as_json: bool = False


class Wishes(Struct, frozen=True, kw_only=True):
    """What is asked for. `plan` is that of a file."""

    asked: Asked
    weather: Weather
    limits: Limits
    plan: Plan | None = None
    budget_s: float | None = None
    history: Path | None = None
    shrink_into: Path | None = None
    as_json: bool = False


def understood(words: Words) -> Wishes:
    """What the words ask for.

    Raises:
        ValueError: a word is wrong.
        NotFound: there is no such plan.
        Refused: a file would be overwritten.
    """
    kind = _kind(words)
    plan = None if words.plan is None else _plan(words.plan)
    _check_history(words, is_single=kind in {"replay", "plan", "soak"})
    seeds = _seeds(words, plan)
    asked = Asked(
        kind=kind,
        weather=plan.weather if plan else words.weather,
        seeds=seeds,
        plan=str(words.plan or ""),
        sessions=words.soak or 1,
    )
    wall_s = seconds_of("--day-limit", words.day_limit) * asked.sessions
    jobs = words.jobs or len(os.sched_getaffinity(0))
    return Wishes(
        asked=asked,
        weather=words.weather,
        limits=Limits(jobs=jobs, batch=_batch(len(seeds), jobs), wall_s=wall_s),
        plan=plan,
        budget_s=None if words.budget is None else seconds_of("--budget", words.budget),
        history=words.history,
        shrink_into=Path() if words.shrink else None,
        as_json=words.as_json,
    )


def _batch(days: int, jobs: int) -> int:
    return min(BATCH_MAX, max(1, days // (BATCHES_A_JOB * jobs)))


def _kind(words: Words) -> Kind:
    """At most one option says what is played, and the others must go with it."""
    kinds: dict[Kind, object] = {
        "replay": words.replay,
        "plan": words.plan,
        "determinism": words.determinism,
        "soak": words.soak,
    }
    given: list[Kind] = [kind for kind, value in kinds.items() if value is not None]
    if len(given) > 1:
        raise ValueError(f"--{given[0]} and --{given[1]} exclude each other")
    kind: Kind = given[0] if given else "campaign"
    if words.shrink and kind in {"determinism", "soak"}:
        raise ValueError(f"--shrink and --{kind} exclude each other: there is no broken day to make smaller")
    if words.budget is not None and kind != "campaign":
        raise ValueError(f"--budget and --{kind} exclude each other: it is for campaigns of many seeds")
    return kind


def _seeds(words: Words, plan: Plan | None) -> range:
    if words.determinism is not None:
        return seeds_of("--determinism", words.determinism)
    if plan is not None:
        return range(plan.seed, plan.seed + 1)
    if words.replay is not None:
        return range(words.replay, words.replay + 1)
    seeds = seeds_of("--seeds", words.seeds)
    return seeds if words.soak is None else seeds[:1]


def _plan(path: Path) -> Plan:
    try:
        return decoded(path.read_bytes())
    except FileNotFoundError:
        raise NotFound(f"openbell simulate: --plan {path}: no such file") from None
    except OSError as fault:
        raise ValueError(f"--plan {path}: {fault.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise ValueError(f"--plan {path} is no plan: {fault}; --shrink writes such files") from None


def _check_history(words: Words, *, is_single: bool) -> None:
    path = words.history
    if path is None:
        return
    if not is_single:
        raise ValueError("--history is for a single run, allowed with --replay or --plan")
    if not path.parent.is_dir():
        raise ValueError(f"--history {path}: {path.parent} is no folder")
    if path.exists() or path.is_symlink():
        raise Refused(f"openbell simulate: --history {path} is there already and would be overwritten")


def seeds_of(option: str, text: str) -> range:
    """`0:1000` (the end is not played) or one seed, `17`. Raises ValueError."""
    found = re.fullmatch(r"(\d{1,16})(?::(\d{1,16}))?", text)
    if found is None:
        raise ValueError(_no_range(option, text))
    first = int(found[1])
    end = int(found[2]) if found[2] is not None else first + 1
    if not first < end <= SEED_MAX:
        raise ValueError(_no_range(option, text))
    return range(first, end)


def seconds_of(option: str, text: str) -> float:
    """`90s`, `20m`, `1h30m` in seconds. Raises ValueError."""
    found = _DURATION.fullmatch(text)
    seconds = (
        0 if found is None else sum(int(n or 0) * unit for n, unit in zip(found.groups(), (3600, 60, 1), strict=True))
    )
    if not seconds:
        raise ValueError(f"{option} {text!r} is no duration, allowed: hours, minutes and seconds, as 90s, 20m or 1h30m")
    return float(seconds)


def _no_range(option: str, text: str) -> str:
    allowed = "FIRST:END with 0 <= FIRST < END <= 2^53, as 0:1000, or one seed"
    return f"{option} {text!r} is no range of seeds, allowed: {allowed}"
