"""openbell init: five questions, or as many flags, and a configuration that loads."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from daemon.runtime.cli import DEFAULT_CONFIG

_LOSS = "--max-day-loss"


def register(app: typer.Typer) -> None:
    """Contribute the command to the front door."""
    app.command()(init)


def init(  # noqa: PLR0913, PLR0917 - one flag per question
    config: Annotated[Path, typer.Option("--config", help="The file to write.")] = DEFAULT_CONFIG,
    mode: Annotated[str | None, typer.Option(help="paper or live.")] = None,
    host: Annotated[str | None, typer.Option(help="Where TWS or IB Gateway listens.")] = None,
    port: Annotated[int | None, typer.Option(help="openbell gateway 4010, Gateway 4002/4001, TWS 7497/7496.")] = None,
    account: Annotated[str | None, typer.Option(help="The account id; in paper it may be empty.")] = None,
    symbols: Annotated[str | None, typer.Option(help="What may be traded, with commas: SPY,AAPL.")] = None,
    max_day_loss: Annotated[float | None, typer.Option(help="Loss of a day that ends all entries.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a commented config.toml: five questions on a terminal, elsewhere one flag for each.

    Example: openbell init --mode paper --host 127.0.0.1 --port 4002 --account "" --symbols SPY,IBM --max-day-loss 500
    """
    import getpass

    from daemon.runtime.clock import wall_now
    from daemon.runtime.init import Answers, write_config
    from shared.errors import Refused

    if config.exists() and not force:
        raise Refused(f"{config}: is there already, --force overwrites it")
    given = {"mode": mode, "host": host, "port": port, "account": account, "symbols": symbols, _LOSS: max_day_loss}
    answers = answered(given, _ask if sys.stdin.isatty() else None)
    chosen = Answers(
        mode=str(answers["mode"]),
        host=str(answers["host"]),
        port=_port(answers["port"]),
        account=str(answers["account"]),
        symbols=tuple(symbol for part in str(answers["symbols"]).split(",") if (symbol := part.strip().upper())),
        max_day_loss=_loss(answers[_LOSS]),
        owner=getpass.getuser(),
        today=wall_now().date(),
    )
    write_config(chosen, config, force=force)
    typer.echo(f"{config}: written. Next: read its [risk] section, then openbell doctor --config {config}")


Ask = Callable[[str, str | None], str]


def answered(given: dict[str, str | int | float | None], ask: Ask | None) -> dict[str, str | int | float]:
    """The given answers, the others asked for; `ask` is None where nobody can be asked.

    Raises:
        typer.BadParameter: naming every flag that is missing.
    """
    missing = [name for name, value in given.items() if value is None]
    if missing and ask is None:
        flags = ", ".join(name if name.startswith("--") else f"--{name}" for name in missing)
        raise typer.BadParameter(f"missing {flags}: there is no terminal to ask on")
    found: dict[str, str | int | float] = {name: value for name, value in given.items() if value is not None}
    if ask is None:
        return found
    if "mode" in missing:
        found["mode"] = ask("Paper or live trading?", "paper")
    if "host" in missing or "port" in missing:
        default = "127.0.0.1:7496" if found["mode"] == "live" else "127.0.0.1:4010"
        host, _, port = ask("Where does TWS or the gateway listen? (openbell gateway is :4010)", default).rpartition(
            ":"
        )
        found = {"host": host or "127.0.0.1", "port": port, **found}
    if "account" in missing:
        found["account"] = ask("Which account? (empty in paper: any)", "")
    if "symbols" in missing:
        found["symbols"] = ask("Which symbols may be traded? (with commas)", "SPY,QQQ,IWM")
    if _LOSS in missing:
        found[_LOSS] = ask("At what loss of a day do all entries end? (currency of the account)", None)
    return found


def _ask(question: str, default: str | None) -> str:
    return str(typer.prompt(question, default=default, err=True))


def _port(value: str | float) -> int:
    if not str(value).isdecimal():
        raise typer.BadParameter(f"{value!r} is not a whole number", param_hint="--port")
    return int(value)


def _loss(value: str | float) -> float:
    try:
        return float(str(value).replace("_", "").replace(",", ""))
    except ValueError:
        raise typer.BadParameter(f"{value!r} is not a number", param_hint=_LOSS) from None
