"""openbell positions, openbell orders: what the journal says is held and works, with or without a running daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from daemon.runtime.cli import DEFAULT_CONFIG, ConfigOption, JsonOption, loaded

if TYPE_CHECKING:
    from daemon.runtime.last_known import LastKnown, OrderLine


def register(app: typer.Typer) -> None:
    """Contribute the commands to the front door."""
    app.command()(positions)
    app.command()(orders)


def positions(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """What is held, with the stop that protects it beside it.

    Example: openbell positions --config config.toml
    """
    from msgspec import to_builtins

    from daemon.runtime.json_output import json_line
    from daemon.runtime.last_known import position_lines

    known, writer = _known(config)
    held = position_lines(known)
    if as_json:
        typer.echo(json_line("positions", {**_head(known, writer), "positions": to_builtins(held)}))
        return
    typer.echo(_headline(known, writer))
    for line in held:
        mark = "" if line.protected else "  NOT WHOLLY PROTECTED"
        stops = ", ".join(line.stops) or "NOTHING"
        typer.echo(f"{line.symbol:<8} {line.quantity:>+9} at {line.average_price:>12,.4f}  stop: {stops}{mark}")
    if not held:
        typer.echo("no positions")


def orders(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Orders that work or whose fate is unknown, with age and the broker's permanent id.

    Example: openbell orders --config config.toml
    """
    from msgspec import to_builtins

    from daemon.runtime.json_output import json_line
    from daemon.runtime.last_known import order_lines

    known, writer = _known(config)
    lines = order_lines(known)
    if as_json:
        typer.echo(json_line("orders", {**_head(known, writer), "orders": to_builtins(lines)}))
        return
    typer.echo(_headline(known, writer))
    for line in lines:
        typer.echo(_order(line))
    if not lines:
        typer.echo("no orders")


def _known(path: Any) -> tuple[LastKnown, int | None]:  # noqa: ANN401 - typer's Path option
    from daemon.runtime.last_known import last_known
    from shared.io.journal import JournalReader, writer_of
    from shared.io.journal_place import journal_place

    place = journal_place(loaded(path))
    with JournalReader.open(place) as journal:
        return last_known(journal), writer_of(place)


def _head(known: LastKnown, writer: int | None) -> dict[str, object]:
    return {"run": known.run, "at": known.at.isoformat(), "writer": writer, "reconciled": known.book.is_reconciled}


def _headline(known: LastKnown, writer: int | None) -> str:
    running = "no daemon runs: the broker may know more" if writer is None else f"daemon pid {writer}"
    return f"as of {known.at:%Y-%m-%d %H:%M:%S} UTC, run {known.run}, {running}"


def _order(line: OrderLine) -> str:
    prices = {"limit": line.limit_price, "stop": line.stop_price}
    at = ", ".join(f"{name} {price:,.2f}" for name, price in prices.items() if price is not None) or "market"
    known_as = line.perm_id or "no permId yet"
    return (
        f"{line.status:<12} {line.side:<4} {line.quantity:>7} {line.symbol:<8} {line.order_type} {at} {line.tif}  "
        f"filled {line.filled}  {line.age_s:,.0f} s  {known_as}  {line.ref}"
    )
