"""openbell arm: a person looks at the account and its limits, and lets live trading start for 30 days."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.runtime.cli import DEFAULT_CONFIG, ConfigOption, loaded

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.config import Config

_DIGITS = 4


def register(app: typer.Typer) -> None:
    """Contribute the command to the front door."""
    app.command()(arm)


def arm(
    config: ConfigOption = DEFAULT_CONFIG,
    yes: Annotated[bool, typer.Option("--yes", help="Needed where there is no terminal to ask on.")] = False,
) -> None:
    """Show account, limits, their owner and date; then let `openbell run --live` start for 30 days.

    On a terminal it asks for the last four digits of the account. Nothing is sent to anybody.

    Example: openbell arm --config live.toml
    """
    import getpass

    from daemon.runtime.arming import VALID_DAYS, arming_of, write_arming
    from daemon.runtime.clock import wall_now
    from daemon.runtime.guard import check_keys, check_port

    settings = loaded(config)
    check_keys(settings, live_flag=settings.mode == "live")
    check_port(settings)
    _refuse_paper(settings)
    arming = arming_of(settings, wall_now().date(), getpass.getuser())
    for line in shown_before_arming(settings):
        typer.echo(line)
    _confirm(settings, yes=yes, ask=_ask if sys.stdin.isatty() else None)
    path = write_arming(settings, arming)
    typer.echo(f"{path}: armed by {arming.armed_by} on {arming.armed_on}, for {VALID_DAYS} days")


def shown_before_arming(config: Config) -> list[str]:
    """One line each for account, person and limit; a limit that was lifted says so in capitals."""
    from shared.io.logging import masked

    risk = config.risk.model_dump()
    person = [f"{key:<24}{risk.pop(key)}" for key in ("owner", "reviewed_on", "reason")]
    limits = [f"  {key:<24}{'NONE, lifted' if value is None else value}" for key, value in risk.items()]
    return [f"{'LIVE account':<24}{masked(config.account)}", *person, "limits:", *limits]


def _refuse_paper(config: Config) -> None:
    from shared.errors import ConfigError

    if config.mode != "live":
        raise ConfigError('mode: is "paper", only a live configuration is armed')


def _confirm(config: Config, *, yes: bool, ask: Callable[[], str] | None) -> None:
    from shared.errors import Refused

    if ask is None and not yes:
        raise Refused("arm: there is no terminal to ask on, --yes says that a person has looked at the above")
    if ask is not None and ask().strip() != config.account[-_DIGITS:]:
        raise Refused("arm: these are not the last four digits of the account; nothing was armed")


def _ask() -> str:
    return str(typer.prompt("Type the last four digits of the account to arm it", err=True))
