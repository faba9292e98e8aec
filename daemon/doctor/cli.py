"""openbell doctor: everything that trading needs, looked at before it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from daemon.runtime.cli import DEFAULT_CONFIG, EXIT_FAILED, ConfigOption, JsonOption, loaded

if TYPE_CHECKING:
    from daemon.doctor.check import Line
    from shared.config import Config


def register(app: typer.Typer) -> None:
    """Contribute the command to the front door."""
    app.command()(doctor)


def doctor(
    config: ConfigOption = DEFAULT_CONFIG,
    acceptance: Annotated[
        bool, typer.Option("--acceptance", help="Rehearse with a far order at the paper account instead.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look at configuration, machine and gateway; every fault with its remedy. Exit code 1 if one must be mended.

    Nothing is sent to the market. With --acceptance one far order is placed, changed and cancelled, paper only.

    Example: openbell doctor --config config.toml
    """
    import asyncio

    from msgspec import to_builtins

    from daemon.runtime.json_output import json_line

    _quiet()
    lines = asyncio.run(_lines(loaded(config), acceptance=acceptance))
    is_well = all(line.level != "fail" for line in lines)
    if as_json:
        facts = {"kind": "acceptance" if acceptance else "setup", "well": is_well, "lines": to_builtins(lines)}
        typer.echo(json_line("doctor", facts))
    else:
        for line in lines:
            typer.echo(shown(line))
    raise typer.Exit(0 if is_well else EXIT_FAILED)


def shown(line: Line) -> str:
    """`fail  gateway_port  127.0.0.1:4002: nobody listens` and, below it, what to do."""
    said = f"{line.level.value:<5} {line.name:<20} {line.text}"
    return f"{said}\n{'':<27}-> {line.remedy}" if line.remedy else said


def _quiet() -> None:
    """What broker and library say on the way is in our lines; stdout is for the result."""
    import logging

    import structlog

    logging.getLogger("ib_insync").setLevel(logging.CRITICAL + 1)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


async def _lines(config: Config, *, acceptance: bool) -> list[Line]:
    if not acceptance:
        from daemon.doctor.report import diagnose

        return await diagnose(config)
    from daemon.doctor.acceptance import rehearse_orders
    from daemon.runtime.ib_broker import ib_broker

    return await rehearse_orders(config, ib_broker)
