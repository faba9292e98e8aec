"""The command `openbell simulate`. Only typer and the standard library are imported before it runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

EXIT_USAGE = 2


class Weather(StrEnum):
    """How hard the days are: calm has 0 to 3 incidents, rough about ten, brutal more than twenty, storm fifty."""

    calm = "calm"
    rough = "rough"
    brutal = "brutal"
    storm = "storm"


def register(app: typer.Typer) -> None:
    """Put the command on the front door."""
    app.command("simulate")(simulate)


def simulate(
    seeds: Annotated[str, typer.Option(metavar="FIRST:END", help="Days to play, one a seed.")] = "0:100",
    weather: Annotated[Weather, typer.Option(help="How much goes wrong a day.")] = Weather.rough,
    jobs: Annotated[int | None, typer.Option(min=1, max=256, help="Processes at once; default: one a core.")] = None,
    replay: Annotated[
        int | None, typer.Option(min=0, max=2**53 - 1, metavar="SEED", help="Play exactly this one day.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(help="Play the plan in this file.")] = None,
    determinism: Annotated[
        str | None,
        typer.Option(metavar="FIRST:END", help="Each seed in two fresh interpreters: equal histories, or exit 6."),
    ] = None,
    soak: Annotated[
        int | None,
        typer.Option(min=1, max=365, metavar="DAYS", help="So many days in one process of the daemon: does it grow?"),
    ] = None,
    shrink: Annotated[
        bool, typer.Option("--shrink", help="Reduce the incidents of broken runs; write WEATHER-SEED-I.plan.json.")
    ] = False,
    history: Annotated[
        Path | None, typer.Option(help="Write the history of a single run to this new file, as JSON lines.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Begin no day after this long, as 20m or 1h30m.")
    ] = None,
    day_limit: Annotated[
        str, typer.Option(metavar="DURATION", help="Give a day up as lost after this long of real time.")
    ] = "10m",
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")] = False,
) -> None:
    """Play seeded days of bad weather: the real daemon against the simulated gateway, on a clock that jumps.

    An independent judge reads every history. Exit code 6 if an invariant broke, 1 if a day could not be judged.

    \b
    Example:
      openbell simulate --seeds 0:1000 --weather brutal
      openbell simulate --replay 17 --weather brutal --history day.jsonl
      openbell simulate --seeds 0:100 --shrink --budget 20m
    """
    from tests.simulation.campaign.arguments import Words, understood

    words = Words(
        weather=weather.value,
        seeds=seeds,
        replay=replay,
        plan=plan,
        determinism=determinism,
        soak=soak,
        jobs=jobs,
        shrink=shrink,
        history=history,
        budget=budget,
        day_limit=day_limit,
        as_json=as_json,
    )
    try:
        wishes = understood(words)
    except ValueError as fault:
        typer.echo(f"openbell simulate: {fault}", err=True)
        raise typer.Exit(EXIT_USAGE) from None
    from tests.simulation.campaign.command import carry_out, compare
    from tests.simulation.campaign.toolkit import real_toolkit

    raise typer.Exit(compare(wishes) if wishes.asked.kind == "determinism" else carry_out(wishes, real_toolkit()))
