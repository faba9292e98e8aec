"""The numbers of a campaign in words, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

STORIES_MAX = 10
"""So many breaches are told with their events; the others with the command that shows them."""
_DAY_S = 86_400.0


def report_lines(facts: dict[str, Any]) -> Iterator[str]:
    """Breaches first, the verdict last: it is what stays on the screen."""
    for place, breach in enumerate(facts["breaches"]):
        yield from _breach(breach, with_story=place < STORIES_MAX)
    for lost in facts["lost"]:
        yield f"LOST seed {lost['seed']} ({lost['weather']}): {lost['why']}"
        yield f"  play it again: {lost['replay']}"
    for small in facts["shrunk"]:
        yield (
            f"SHRUNK seed {small['seed']}: {small['before']} incidents to {small['after']} "
            f"that still break {small['invariant']}"
        )
        yield f"  play it: {small['replay']}"
    yield from _counted("faults by kind", facts["faults_by_kind"])
    yield from _counted("situations of RELIABILITY.md 3", facts["scenarios"])
    yield from _counted("broken invariants", facts["invariants"])
    yield from facts["evenings"]
    yield from _totals(facts)
    yield _verdict(facts)


def _breach(breach: dict[str, Any], *, with_story: bool) -> Iterator[str]:
    times = f", {breach['times']} times" if breach["times"] > 1 else ""
    yield (
        f"BREACH {breach['invariant']}: seed {breach['seed']} ({breach['weather']}), day {breach['session']}, "
        f"step {breach['step']}{times}: {breach['text']}"
    )
    if with_story:
        yield from (f"  {line}" for line in breach["story"])
    yield f"  play it again: {breach['replay']}"
    yield ""


def _counted(title: str, table: dict[str, dict[str, int]]) -> Iterator[str]:
    if table:
        yield f"{title:<40} {'times':>10} {'days':>8}"
        yield from (f"  {name:<38} {row['times']:>10,} {row['days']:>8,}" for name, row in table.items())
        yield ""


def _totals(facts: dict[str, Any]) -> Iterator[str]:
    timing = facts["timing"]
    yield (
        f"{facts['incidents']:,} incidents drawn, {facts['faults']:,} faults, {facts['crashes']:,} crashes, "
        f"{facts['restarts']:,} restarts, {facts['operator_commands']:,} operator commands"
    )
    yield f"{facts['orders']:,} orders sent, {facts['fills']:,} fills, {facts['records']:,} records"
    yield (
        f"{facts['virtual_s'] / _DAY_S:,.1f} days of virtual time in {timing['took_s']:,.1f} s: "
        f"{timing['days_per_s']:.2f} runs a second, the slowest {timing['slowest_s']:.1f} s "
        f"(seed {timing['slowest_seed']})"
    )
    yield f"digest {facts['digest']}"


def _verdict(facts: dict[str, Any]) -> str:
    played = f"{facts['days']:,} of {facts['days_asked']:,} runs ({facts['weather']})"
    cut = {"done": "", "budget": ", cut short by --budget", "interrupted": ", interrupted"}[facts["ended"]]
    broken = len({breach["seed"] for breach in facts["breaches"]})
    if facts["held"]:
        return f"simulate: {played}: {'nothing was broken' if cut else 'every invariant held'}{cut}"
    parts = [f"{broken} with a breach"] * bool(broken) + [f"{len(facts['lost'])} lost"] * bool(facts["lost"])
    return f"simulate: {played}: {', '.join(parts)}{cut}"
