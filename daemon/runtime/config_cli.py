"""openbell config: is the file sound, what holds in the end and why, and what an editor needs to know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from daemon.runtime.cli import DEFAULT_CONFIG, ConfigOption, JsonOption, loaded

EXIT_CONFIG = 78
config_app = typer.Typer(help="Check, show and describe config.toml.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Contribute the commands to the front door."""
    app.add_typer(config_app, name="config")


@config_app.command()
def check(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Every fault of the file at once, each with its line; exit code 78 if there is one.

    Example: openbell config check --config config.toml
    """
    from daemon.runtime.json_output import json_line
    from shared.errors import ConfigError

    faults = _faults(config)
    if as_json:
        typer.echo(json_line("config-check", {"config": str(config), "sound": not faults, "faults": faults}))
        raise typer.Exit(EXIT_CONFIG if faults else 0)
    if faults:
        raise ConfigError(faults)
    typer.echo(f"{config}: sound")


def _faults(path: Path) -> list[str]:
    from daemon.runtime.clock import wall_now
    from daemon.runtime.config_check import faults_beside_the_file
    from shared.errors import ConfigError

    try:
        settings = loaded(path)
    except ConfigError as error:
        return error.faults
    return faults_beside_the_file(settings, wall_now())


@config_app.command()
def show(
    config: ConfigOption = DEFAULT_CONFIG,
    resolved: Annotated[bool, typer.Option("--resolved", help="Defaults too, not only what the file says.")] = False,
    origin: Annotated[bool, typer.Option("--origin", help="FILE:LINE or `default` beside each key.")] = False,
    as_json: JsonOption = False,
) -> None:
    """What holds, key by key. The account is shown at its ends only.

    Example: openbell config show --resolved --origin
    """
    from msgspec import to_builtins
    from msgspec.structs import replace

    from daemon.runtime.json_output import json_line
    from shared.config_origin import DEFAULT, settings_of, shown
    from shared.io.logging import masked

    settings = [
        replace(setting, value=masked(str(setting.value))) if setting.key == "account" and setting.value else setting
        for setting in settings_of(loaded(config), config)
        if resolved or setting.origin != DEFAULT
    ]
    if as_json:
        typer.echo(json_line("config-show", {"config": str(config), "settings": to_builtins(settings)}))
        return
    for setting in settings:
        typer.echo(shown(setting) if origin else shown(setting).rpartition("  # ")[0])


@config_app.command()
def schema() -> None:
    """JSON Schema of config.toml, for editors that complete keys and mark faults.

    Example: openbell config schema > config.schema.json
    """
    from shared.config_schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=2))
