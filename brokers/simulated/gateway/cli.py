"""The command `openbell gateway`. Only typer and the standard library are imported before it runs."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from brokers.simulated.gateway.server import SimulatedGateway
    from brokers.simulated.market.source import MarketSource

EXIT_BUSY, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
SPEED_MAX = 5000.0


class ClockKind(StrEnum):
    """`real` plays a market second per second, `accelerated` at --speed."""

    real = "real"
    accelerated = "accelerated"


def register(app: typer.Typer) -> None:
    """Put the command on the front door."""
    app.command("gateway")(gateway)


def gateway(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port on 127.0.0.1; 0 picks a free one.")] = 4010,
    data: Annotated[Path | None, typer.Option(help="Folder with recorded intraday data.")] = None,
    session: Annotated[str | None, typer.Option(help="Trading day to play, as 2013-10-08.")] = None,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Play the seeded market; needs no file.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the synthetic market.")] = 7,
    symbols: Annotated[str, typer.Option(help="Comma-separated tickers; default: all that are known.")] = "",
    speed: Annotated[float, typer.Option(min=1, max=SPEED_MAX, help="Market seconds per second.")] = 120.0,
    clock: Annotated[ClockKind, typer.Option(help="real: one market second per second.")] = ClockKind.accelerated,
    lead_in: Annotated[float, typer.Option(min=0, help="Market seconds before the open to begin with.")] = 60.0,
    wait_for_client: Annotated[
        bool, typer.Option("--wait-for-client", help="Hold the clock until a client wants real-time bars.")
    ] = False,
    ledger: Annotated[
        Path | None, typer.Option(help="Append orders and executions to this file as JSON lines.")
    ] = None,
    exit_after_close: Annotated[
        float | None, typer.Option(min=0, help="Stop so many seconds after the session's end.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print facts as JSON lines.")] = False,
) -> None:
    """Run a simulated TWS that any TWS client can trade on: socket protocol, market, matching and account.

    \b
    Example:
      openbell gateway --synthetic --seed 7 --symbols SPY,AAPL,TSLA --speed 120
      openbell gateway --data ../shared/data/intraday --session 2013-10-08
    """  # noqa: D301 - \b keeps the example's lines apart
    wanted = tuple(symbol.strip().upper() for symbol in symbols.split(",") if symbol.strip())
    if synthetic and data:
        _usage("--data and --synthetic exclude each other")
    if ledger is not None and (ledger.is_dir() or not ledger.parent.is_dir()):
        _usage(f"--ledger {ledger}: not a file in an existing folder")
    market = _market(data=data, session=_date(session), seed=None if data else seed, symbols=wanted)
    options = {
        "port": port,
        "speed": 1.0 if clock is ClockKind.real else speed,
        "lead_in_s": lead_in,
        "wait_for_client": wait_for_client,
        "ledger_path": ledger,
    }
    raise typer.Exit(_run(market, options, exit_after_close, as_json=as_json))


def _usage(fault: str) -> NoReturn:
    typer.echo(f"openbell gateway: {fault}", err=True)
    raise typer.Exit(EXIT_USAGE)


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a session is a date, not an instant
    except ValueError:
        _usage(f"--session {text!r} is not a date, expected YYYY-MM-DD")


def _market(*, data: Path | None, session: date | None, seed: int | None, symbols: tuple[str, ...]) -> MarketSource:
    """The recorded market of `data`, or the synthetic one of `seed`; a fault ends with one line."""
    from brokers.simulated.market.recorded import RecordedMarket
    from brokers.simulated.market.synthetic import SyntheticMarket
    from shared.errors import OpenbellError

    try:
        if seed is not None or data is None:
            return SyntheticMarket(seed=seed or 0, **_given(symbols=symbols, session=session))
        if session is None:
            _usage("--data needs --session, the recorded day to play")
        return RecordedMarket(data, session=session, **_given(symbols=symbols))
    except (OpenbellError, ValueError, OSError) as fault:
        _usage(str(fault))


def _given(**options: object) -> dict[str, Any]:
    """The options that were given; the market has its own defaults for the others."""
    return {name: value for name, value in options.items() if value}


def _run(market: MarketSource, options: dict[str, Any], exit_after_close: float | None, *, as_json: bool) -> int:
    import asyncio
    import logging

    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        return asyncio.run(_serve(market, options, exit_after_close, as_json=as_json))
    except OSError as fault:
        typer.echo(f"openbell gateway: cannot start on 127.0.0.1:{options['port']}: {fault.strerror}", err=True)
        return EXIT_BUSY


async def _serve(
    market: MarketSource, options: dict[str, Any], exit_after_close: float | None, *, as_json: bool
) -> int:
    """Until a signal, or so many seconds after the close; SIGUSR1 prints the account."""
    import asyncio
    import signal

    from brokers.simulated.gateway.server import SimulatedGateway

    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def stop(code: int) -> None:
        if not stopped.done():
            stopped.set_result(code)

    loop = asyncio.get_running_loop()
    async with SimulatedGateway(market, **options) as served:
        loop.add_signal_handler(signal.SIGTERM, stop, 0)
        loop.add_signal_handler(signal.SIGINT, stop, EXIT_INTERRUPTED)
        loop.add_signal_handler(signal.SIGUSR1, _print_account, served, as_json)
        _print_listening(served, as_json)
        if exit_after_close is not None:
            ending = asyncio.create_task(_after_close(served, exit_after_close, stop))
            stopped.add_done_callback(lambda _: ending.cancel())
        code = await stopped
        _print_account(served, as_json)
    return code


async def _after_close(served: SimulatedGateway, delay_s: float, stop: Callable[[int], None]) -> None:
    import asyncio

    await served.closed.wait()
    await asyncio.sleep(delay_s)
    stop(0)


def _print_listening(served: SimulatedGateway, as_json: bool) -> None:
    market = served.session.market
    facts = {
        "host": "127.0.0.1",
        "port": served.port,
        "account": served.ledger.account,
        "session": market.session.isoformat(),
        "speed": served.clock.speed,
        "symbols": list(market.symbols),
    }
    text = (
        f"SIMULATED gateway listening on 127.0.0.1:{served.port} account {served.ledger.account} "
        f"session {market.session} speed {served.clock.speed:g}"
    )
    _print(json.dumps({"event": "listening", **facts}) if as_json else text)


def _print_account(served: SimulatedGateway, as_json: bool) -> None:
    from brokers.simulated.gateway.accounts.ledger_file import summary_of

    served.dump()
    facts = summary_of(served.ledger)
    text = (
        f"account {facts['account']} cash {facts['cash']:.2f} net liquidation {facts['net_liquidation']:.2f} "
        f"orders {facts['orders']} executions {facts['executions']} positions {facts['positions']}"
    )
    _print(json.dumps({"event": "account", **facts}) if as_json else text)


def _print(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()
