"""openbell session: what the exchange's calendar says of a day."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from daemon.runtime.cli import DEFAULT_CONFIG, ConfigOption, JsonOption, loaded

EXIT_NO_SESSION = 75
session_app = typer.Typer(help="The exchange's calendar.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Contribute the command to the front door."""
    app.add_typer(session_app, name="session")


@session_app.callback()
def _group() -> None:
    """A group, so that `plan` is a word of its own."""


@session_app.command()
def plan(
    config: ConfigOption = DEFAULT_CONFIG,
    date: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The exchange's date; today if left out.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Is there a session, when does it open and close, is it a half day? Exit code 75 if there is none.

    Example: openbell session plan --date 2026-11-27
    """
    from msgspec import to_builtins

    from daemon.runtime.clock import wall_now
    from daemon.runtime.json_output import json_line
    from daemon.runtime.session_plan import day_at, plan_lines, plan_of

    calendar, now = loaded(config).session.calendar, wall_now()
    found = plan_of(calendar, day_at(calendar, now) if date is None else date.date())
    local = now.astimezone().tzinfo
    assert local is not None
    typer.echo(json_line("session-plan", to_builtins(found)) if as_json else "\n".join(plan_lines(found, local)))
    raise typer.Exit(0 if found.is_session else EXIT_NO_SESSION)
