"""The commands of the daemon: run, audit, status, tail, demo, version; what others of its command line share."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from shared.config import Config

EXIT_FAILED = 1
EXIT_MISMATCH = 6
_FOLLOW_POLL_S = 0.2

ConfigOption = Annotated[Path, typer.Option("--config", help="The configuration; its folder is where paths start.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Facts as one JSON object.")]
DEFAULT_CONFIG = Path("config.toml")


def register(app: typer.Typer) -> None:
    """Contribute the daemon's commands to the front door."""
    app.command()(run)
    app.command()(audit)
    app.command()(status)
    app.command()(tail)
    app.command()(demo)
    app.command()(version)


def run(
    config: ConfigOption = DEFAULT_CONFIG,
    until_close: Annotated[bool, typer.Option(help="End after the session, when all is settled.")] = False,
    live: Annotated[bool, typer.Option("--live", help="One of the three keys of live trading.")] = False,
) -> None:
    """Trade: recover, connect, reconcile, and follow the market until told to stop.

    Example: openbell run --config config.toml --until-close
    """
    from daemon.runtime.wiring import run_daemon

    ending = run_daemon(loaded(config), until_close=until_close, live_flag=live)
    typer.echo(ending.summary)
    raise typer.Exit(ending.exit_code)


def audit(
    run: Annotated[str | None, typer.Argument(help="One run's id; all runs if left out.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    journal: Annotated[Path | None, typer.Option(help="This journal instead of the configuration's.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Feed a run's journalled events to a fresh engine: the commands must be the same, byte for byte.

    Example: openbell audit 20261121T040228517Z-42 --config config.toml
    """
    from msgspec import to_builtins

    from daemon.engine.assembly import build_engine
    from daemon.runtime.json_output import json_line
    from shared.io.journal import JournalReader
    from shared.io.journal_audit import audit_run
    from shared.io.journal_place import journal_place

    with JournalReader.open(journal or journal_place(loaded(config))) as reader:
        chosen = [reader.run(run)] if run else reader.runs()
        verdicts = [audit_run(reader, each, build_engine) for each in chosen]
    identical = all(verdict.identical for verdict in verdicts)
    if as_json:
        typer.echo(json_line("audit", {"identical": identical, "runs": to_builtins(verdicts)}))
    elif identical:
        events = sum(verdict.events for verdict in verdicts)
        commands = sum(verdict.commands for verdict in verdicts)
        typer.echo(f"audit: identical ({events} events, {commands} commands)")
    else:
        for verdict in verdicts:
            if verdict.first_difference:
                typer.echo(f"audit: run {verdict.run} differs: {verdict.first_difference}")
    raise typer.Exit(0 if identical else EXIT_MISMATCH)


def status(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """One screen: trading state, connection, positions with their protection, working orders, last decisions.

    Example: openbell status --config config.toml --json
    """
    from msgspec import to_builtins

    from daemon.runtime.clock import wall_now
    from daemon.runtime.json_output import json_line
    from daemon.runtime.lifecycle import log_path
    from daemon.runtime.status import read_status, screen
    from shared.io.journal_place import journal_place

    settings = loaded(config)
    facts = read_status(log_path(settings), journal_place(settings), wall_now())
    typer.echo(json_line("status", to_builtins(facts)) if as_json else "\n".join(screen(facts)))


def tail(
    config: ConfigOption = DEFAULT_CONFIG,
    lines: Annotated[int, typer.Option("-n", min=0, help="How many of the last heartbeats.")] = 10,
    follow: Annotated[bool, typer.Option(help="Go on as new ones come; Ctrl-C ends it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Heartbeats, one readable line each.

    Example: openbell tail -n 20 --follow
    """
    from daemon.runtime.json_output import json_line
    from daemon.runtime.lifecycle import log_path
    from daemon.runtime.status import heartbeat_line, heartbeat_of, last_heartbeats
    from shared.errors import NotFound

    log_file = log_path(loaded(config))
    if not log_file.is_file():
        raise NotFound(f"{log_file}: no log here; `openbell run` writes one")

    def show(beat: dict[str, object]) -> None:
        sys.stdout.write((json_line("heartbeat", beat) if as_json else heartbeat_line(beat)) + "\n")
        sys.stdout.flush()

    with log_file.open(encoding="utf-8") as growing:
        growing.seek(0, 2)
        for beat in last_heartbeats(log_file, lines):
            show(beat)
        while follow:
            place = growing.tell()
            line = growing.readline()
            if not line.endswith("\n"):
                growing.seek(place)
                time.sleep(_FOLLOW_POLL_S)
            elif (fresh := heartbeat_of(line)) is not None:
                show(fresh)


def demo(
    seed: Annotated[int, typer.Option(min=0, help="Seed of the synthetic market.")] = 7,
    speed: Annotated[float, typer.Option(min=1, help="Market seconds per second.")] = 600.0,
    directory: Annotated[Path | None, typer.Option("--dir", help="Where to work; a new folder if left out.")] = None,
) -> None:
    """A whole synthetic session without any account: gateway, daemon, audit and replay.

    Example: openbell demo --seed 7
    """
    from daemon.runtime.demo import run_demo

    raise typer.Exit(run_demo(seed=seed, speed=speed, directory=directory))


def version(as_json: JsonOption = False) -> None:
    """Release, hash of the deciding source, Python and the versions of what is written and spoken.

    Example: openbell version --json
    """
    from daemon.runtime.json_output import json_line
    from daemon.runtime.version import build_facts

    facts = build_facts()
    typer.echo(json_line("version", facts) if as_json else "\n".join(f"{key:<10} {facts[key]}" for key in facts))


def loaded(path: Path) -> Config:
    """The configuration at `path`; every contributor's commands begin with it."""
    from shared.config import load_config

    return load_config(path)
