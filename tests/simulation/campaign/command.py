"""What `openbell simulate` does once its words are understood: play, sum up, print; the exit code says how it went."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from daemon.runtime.json_output import json_line
from tests.simulation.campaign.arguments import Wishes
from tests.simulation.campaign.carrying_out import Campaign, Result, SingleRun, carried_out, one_run
from tests.simulation.campaign.determinism import Compared, compared, determinism_lines, determinism_of
from tests.simulation.campaign.interruption import terminated_like_interrupted
from tests.simulation.campaign.progress import ProgressBar
from tests.simulation.campaign.report import report_lines
from tests.simulation.campaign.shrinking import Shrunk, shrunk_to_file
from tests.simulation.campaign.summary import summary_of
from tests.simulation.campaign.toolkit import Toolkit

EXIT_DONE, EXIT_LOST, EXIT_BREACH, EXIT_INTERRUPTED = 0, 1, 6, 130
SHRUNK_MAX = 10
"""So many broken runs are made smaller, the lowest seeds first; each takes minutes."""


def carry_out(wishes: Wishes, toolkit: Toolkit) -> int:
    """Play what is wished for and print what came of it."""
    with terminated_like_interrupted():
        return _carried_out(wishes, toolkit)


def _carried_out(wishes: Wishes, toolkit: Toolkit) -> int:
    result = _played(wishes, toolkit)
    shrunk, is_interrupted = _shrunk(wishes, result, toolkit)
    facts = summary_of(wishes.asked, result, shrunk)
    _print(facts, report_lines, as_json=wishes.as_json)
    if is_interrupted or result.ended == "interrupted":
        return EXIT_INTERRUPTED
    if facts["breaches"]:
        return EXIT_BREACH
    return EXIT_LOST if facts["lost"] else EXIT_DONE


def compare(wishes: Wishes) -> int:
    """Play each seed twice in fresh interpreters and print whether the histories are equal."""
    found: list[Compared] = []
    is_interrupted = False
    weather, seeds = wishes.weather, wishes.asked.seeds
    with ProgressBar(f"{weather}, each twice", len(seeds)) as bar, terminated_like_interrupted():
        try:
            for each in compared(seeds, weather, wishes.limits.wall_s):
                found.append(each)
                bar.advance(is_broken=bool(each.difference))
        except KeyboardInterrupt:
            is_interrupted = True
    facts = determinism_of(found, weather, seeds)
    _print(facts, determinism_lines, as_json=wishes.as_json)
    if is_interrupted:
        return EXIT_INTERRUPTED
    return EXIT_DONE if facts["held"] else EXIT_BREACH


def _played(wishes: Wishes, toolkit: Toolkit) -> Result:
    asked = wishes.asked
    with ProgressBar(asked.weather, len(asked.seeds)) as bar:
        if asked.kind != "campaign":
            return one_run(_single(wishes, toolkit), toolkit, wishes.limits.wall_s, wishes.history)
        campaign = Campaign(seeds=asked.seeds, weather=wishes.weather, limits=wishes.limits, budget_s=wishes.budget_s)
        return carried_out(campaign, toolkit, bar.watch)


def _single(wishes: Wishes, toolkit: Toolkit) -> SingleRun:
    if wishes.plan is not None:
        return SingleRun.of(wishes.plan, toolkit)
    seed, weather = wishes.asked.seeds.start, wishes.weather
    if wishes.asked.kind == "soak":
        return SingleRun(seed=seed, weather="rough", play=lambda: toolkit.soak(wishes.asked.sessions, seed))
    return SingleRun(seed=seed, weather=weather, play=lambda: toolkit.play(toolkit.draw(seed, weather)))


def _shrunk(wishes: Wishes, result: Result, toolkit: Toolkit) -> tuple[list[Shrunk], bool]:
    """The smaller plans of the first broken runs, and whether somebody had enough of waiting."""
    done: list[Shrunk] = []
    if wishes.shrink_into is None or result.ended == "interrupted":
        return done, False
    broken = [day for day in result.days if day.findings][:SHRUNK_MAX]
    with ProgressBar("shrinking", len(broken)) as bar:
        try:
            for day in broken:
                plan = wishes.plan or toolkit.draw(day.seed, wishes.weather)
                done.append(shrunk_to_file(plan, day, toolkit, wishes.limits.wall_s, wishes.shrink_into))
                bar.advance(is_broken=False)
        except KeyboardInterrupt:
            return done, True
    return done, False


def _print(facts: dict[str, Any], lines: Callable[[dict[str, Any]], Any], *, as_json: bool) -> None:
    text = json_line("simulate", facts) if as_json else "\n".join(lines(facts))
    typer.echo(text)
