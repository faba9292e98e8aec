"""openbell alerts test, openbell alerts send, openbell watch; and the nightly run's line to the digest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.runtime.cli import DEFAULT_CONFIG, EXIT_FAILED, ConfigOption, JsonOption, loaded

if TYPE_CHECKING:
    from daemon.alerts.channels import Channel
    from daemon.alerts.message import Alarm, Message
    from shared.config import Config

_TRIES = 3
_UNIT_CHARACTERS_MAX = 100


def register(app: typer.Typer) -> None:
    """Contribute the commands to the front door."""
    alerts = typer.Typer(no_args_is_help=True, help="Ways to a person: try them, or send one alarm.")
    alerts.command("test")(try_all)
    alerts.command("send")(send)
    app.add_typer(alerts, name="alerts")
    app.command()(watch)


def try_all(
    config: ConfigOption = DEFAULT_CONFIG,
    channel: Annotated[str | None, typer.Option(help="Only this [[alert]].")] = None,
    as_json: JsonOption = False,
) -> None:
    """Send one message of every level each channel takes; exit 1 if one did not get out.

    Example: openbell alerts test --channel mail
    """
    from daemon.alerts.catalogue import Severity
    from daemon.alerts.message import Alarm

    settings = loaded(config)
    alarms = [
        Alarm(severity=severity, code="alert_test", text=f"a {severity.value} looks like this; nothing has happened")
        for severity in Severity
    ]
    _send_all(settings, _chosen(settings, channel), alarms, as_json=as_json, tries=1)


def send(
    unit: Annotated[str, typer.Option(help="The systemd unit that failed.")],
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Page that a unit has failed, with what the last heartbeat said; for OnFailure= of systemd.

    Example: openbell alerts send --unit openbell.service
    """
    from daemon.alerts.catalogue import Severity
    from daemon.alerts.message import Alarm
    from daemon.alerts.watcher import describe_beat
    from daemon.runtime.lifecycle import log_path
    from daemon.runtime.status import last_heartbeats

    settings = loaded(config)
    beats = last_heartbeats(log_path(settings), 1)
    said = f"its last heartbeat said {describe_beat(beats[0])}" if beats else "it never sent a heartbeat"
    name = "".join(letter for letter in unit if letter.isprintable())[:_UNIT_CHARACTERS_MAX]
    alarm = Alarm(severity=Severity.PAGE, code="unit_failed", text=f"systemd: {name} has failed; {said}")
    _send_all(settings, _chosen(settings, None), [alarm], as_json=as_json, tries=_TRIES)


def watch(
    config: ConfigOption = DEFAULT_CONFIG,
    log: Annotated[Path | None, typer.Option(help="Follow this log instead of the configuration's.")] = None,
    mqtt: Annotated[
        bool, typer.Option("--mqtt", help="Follow the heartbeats at the broker of [mqtt] instead.")
    ] = False,
) -> None:
    """Alarm when the daemon's heartbeats stop; runs until Ctrl-C, in a process or on a host of its own.

    Example: openbell watch --config config.toml
    """
    import asyncio

    from daemon.runtime.lifecycle import log_path

    settings = loaded(config)
    asyncio.run(_watch(settings, None if mqtt else log or log_path(settings)))


async def _watch(settings: Config, log_file: Path | None) -> None:
    import asyncio

    from daemon.alerts.mqtt_follower import MqttFollower
    from daemon.alerts.open_desk import open_desk
    from daemon.alerts.watcher import LogFollower, watch
    from daemon.runtime.clock import wall_now

    desk = open_desk(settings, "watch")
    follower = MqttFollower(settings) if log_file is None else LogFollower(log_file)
    if not desk.outboxes:
        typer.echo("no [[alert]] in the configuration: alarms are shown here and reach nobody else", err=True)
    typer.echo(f"watching {log_file or f'{settings.mqtt.host}:{settings.mqtt.port}'}")
    every_s = settings.runtime.heartbeat_every_s
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(desk.run())
            if isinstance(follower, MqttFollower):
                group.create_task(follower.run())
            group.create_task(watch(follower, desk, every_s=every_s, say=typer.echo, wall=wall_now))
    finally:
        follower.close()


def _chosen(settings: Config, name: str | None) -> list[Channel]:
    from daemon.alerts.channels import channels_of
    from shared.errors import NotFound

    channels = channels_of(settings)
    chosen = [channel for channel in channels if name in {None, channel.name}]
    if not chosen:
        names = ", ".join(channel.name for channel in channels) or "none"
        raise NotFound(
            f"--channel {name}: there is no such [[alert]], there is {names}"
            if name
            else "no [[alert]] in the configuration, nobody could be told (docs/alerts.md)"
        )
    return chosen


def _send_all(settings: Config, channels: list[Channel], alarms: list[Alarm], *, as_json: bool, tries: int) -> None:
    """Send every alarm over every channel that takes it; a line per channel, exit 1 if one failed."""
    from daemon.alerts.message import compose
    from daemon.runtime.clock import wall_now
    from daemon.runtime.json_output import json_line

    at, sender = wall_now().isoformat(), f"openbell {settings.mode}"
    messages = [compose(alarm, sender=sender, number=number, at=at) for number, alarm in enumerate(alarms, start=1)]
    faults = {channel.name: _deliver(channel, messages, tries) for channel in channels}
    if as_json:
        typer.echo(json_line("alerts", {"channels": faults}))
    else:
        for name, fault in faults.items():
            typer.echo(f"{name}: {'sent' if fault is None else f'FAILED: {fault}'}")
    raise typer.Exit(EXIT_FAILED if any(faults.values()) else 0)


def tell_nightly(settings: Config, line: str, *, tries: int = _TRIES) -> str:
    """Send the nightly run's line over every channel that takes the digest; to whom it went.

    Raises:
        DataError: a channel did not take it, each is named. ConfigError: one cannot be built.
    """
    from daemon.alerts.catalogue import Severity
    from daemon.alerts.channels import channels_of
    from daemon.alerts.message import Alarm, compose
    from daemon.runtime.clock import wall_now
    from shared.errors import DataError

    if not settings.alerts.digest:
        return "not sent, alerts.digest is false"
    alarm = Alarm(severity=Severity.DIGEST, code="nightly", text=line)
    message = compose(alarm, sender=f"openbell {settings.mode}", number=1, at=wall_now().isoformat())
    taking = [channel for channel in channels_of(settings) if channel.takes(message)]
    faults = {channel.name: _deliver(channel, [message], tries) for channel in taking}
    if failed := [f"{name}: {fault}" for name, fault in faults.items() if fault is not None]:
        raise DataError(f"the line did not get out over {'; '.join(failed)}")
    return f"sent over {', '.join(faults)}" if faults else "not sent, no [[alert]] takes the digest"


def _deliver(channel: Channel, messages: list[Message], tries: int) -> str | None:
    """Why a message did not get out; None if all did."""
    import time

    from daemon.alerts.posting import DeliveryFailed

    for message in filter(channel.takes, messages):
        for left in reversed(range(tries)):
            try:
                channel.send(message)
                break
            except DeliveryFailed as failed:
                if not left:
                    return str(failed)
                time.sleep(tries - left)
    return None
