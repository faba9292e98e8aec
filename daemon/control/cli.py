"""Verbs for a running daemon: openbell halt, block, reduce, observe, resume, flatten, reset, accept, command."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.runtime.cli import DEFAULT_CONFIG, ConfigOption, JsonOption, loaded

if TYPE_CHECKING:
    from daemon.control.verbs import Reply
    from shared.config import Config

_HELP = {
    "block": "No new entries, no strategy's exits; what works and what protects stays at the broker.",
    "halt": "The same as block, and every working entry is pulled.",
    "flatten": "The same as halt, and what is held is closed at the market.",
    "reduce": "Only what makes positions smaller may be sent; working entries are pulled.",
    "observe": "Decide and journal, send nothing but protection; working entries are pulled.",
    "resume": "End a state that a person has set.",
    "reset": "End what an automatic limit has latched, and what a person has set.",
    "accept": "Take the broker's quantity of one instrument as true and so end a break.",
}
_FROM_FAR = "socket: on this machine. mqtt: signed, through the broker of [mqtt]."

ScopeOption = Annotated[str, typer.Option("--scope", help="account, strategy:NAME or instrument:SYMBOL.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask; needed where nobody can be asked.")]


def register(app: typer.Typer) -> None:
    """Contribute the commands to the front door."""
    from daemon.control.rescue_cli import rescue_app

    for verb, text in _HELP.items():
        scope = " --scope instrument:SPY" if verb == "accept" else ""
        app.command(verb, help=f"{text}\n\nExample: openbell {verb}{scope}")(_local(verb))
    app.command()(command)
    app.add_typer(rescue_app(), name="rescue")


def _local(verb: str) -> Callable[..., None]:
    def run(
        scope: ScopeOption = "account",
        yes: YesOption = False,
        config: ConfigOption = DEFAULT_CONFIG,
        as_json: JsonOption = False,
    ) -> None:
        settings = loaded(config)
        confirm(verb, scope, mode=settings.mode, is_sure=yes)
        _show(_over_socket(settings, verb, scope), verb, scope, as_json=as_json)

    return run


def command(  # noqa: PLR0913, PLR0917 - one name per option
    verb: Annotated[str, typer.Argument(help="A verb of the closed set, or status.")],
    scope: ScopeOption = "account",
    via: Annotated[str, typer.Option(help=_FROM_FAR)] = "mqtt",
    actor: Annotated[str, typer.Option(help="Who says so; stands in the journal.")] = "operator",
    yes: YesOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Sign a verb, send it over MQTT and wait for the reply. Exit code: 0 accepted, 4 refused, 5 no answer.

    Example: openbell command halt --scope strategy:sma --via mqtt
    """
    import asyncio

    from daemon.control.mqtt_client import ask_over_mqtt

    if via not in {"mqtt", "socket"}:
        raise typer.BadParameter(f"{via!r}: must be mqtt or socket", param_hint="--via")
    settings = loaded(config)
    confirm(verb, scope, mode=settings.mode, is_sure=yes)
    if via == "socket":
        reply = _over_socket(settings, verb, scope)
    else:
        reply = asyncio.run(ask_over_mqtt(settings, verb=verb, scope=scope, actor=actor))
    _show(reply, verb, scope, as_json=as_json)


def confirm(verb: str, scope: str, *, mode: str, is_sure: bool) -> None:
    """Let a person type the word for what trades or frees trading; live has a word of its own.

    Raises:
        Refused: nobody can be asked and `--yes` is not given, or another word was typed.
    """
    from daemon.control.verbs import DELIBERATE
    from shared.errors import Refused

    if is_sure or verb not in DELIBERATE:
        return
    if not sys.stdin.isatty():
        raise Refused(f"{verb}: nobody can be asked here (stdin is no terminal), add --yes")
    word = verb if mode == "paper" else f"{verb} {mode}"
    typed = typer.prompt(f"{mode.upper()}: type '{word}' to {verb} {scope}", default="", show_default=False, err=True)
    if typed.strip() != word:
        raise Refused(f"{verb}: not confirmed, nothing was sent")


def _over_socket(settings: Config, verb: str, scope: str) -> Reply:
    from daemon.control.control_socket import socket_path
    from daemon.control.socket_client import ask_daemon

    return ask_daemon(socket_path(settings), verb=verb, scope=scope)


def _show(reply: Reply, verb: str, scope: str, *, as_json: bool) -> None:
    """The reply on stdout. Raises Refused, which the front door turns into exit code 4."""
    from msgspec import to_builtins

    from daemon.runtime.json_output import json_line
    from shared.errors import Refused

    if as_json:
        typer.echo(json_line("command", {"verb": verb, "scope": scope, **to_builtins(reply)}))
        raise typer.Exit(0 if reply.accepted else 4)
    if not reply.accepted:
        raise Refused(f"{reply.reason} (trading {reply.state})" if reply.state else reply.reason)
    typer.echo(f"{verb} {scope}: done, trading {reply.state}")
    for name, fact in reply.facts.items():
        typer.echo(f"{name:<16} {fact}")
