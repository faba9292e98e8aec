"""The command `openbell gateway`. Only typer and the standard library are imported before it runs."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from brokers.simulated.gateway.faults.plan import FaultPlan
    from brokers.simulated.market.source import MarketSource

EXIT_USAGE = 2
SPEED_MAX = 5000.0
WAIT_FOR_SLOW_S = 10.0
"""An accelerated market waits so long for a client that reads slowly: nobody could read at any speed."""


class ClockKind(StrEnum):
    """`real` plays a market second per second, `accelerated` at --speed."""

    real = "real"
    accelerated = "accelerated"


class Commission(StrEnum):
    """IB's two price lists."""

    fixed = "fixed"
    tiered = "tiered"


class Pacing(StrEnum):
    """What happens beyond 50 messages a second: nothing, reading later, or error 100."""

    off = "off"
    silent = "silent"
    reject = "reject"


def register(app: typer.Typer) -> None:
    """Put the command on the front door."""
    app.command("gateway")(gateway)


def gateway(  # noqa: PLR0913, PLR0917 - one parameter per option of the command
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port on 127.0.0.1; 0 picks a free one.")] = 4010,
    data: Annotated[Path | None, typer.Option(help="Market: folder with recorded intraday data.")] = None,
    session: Annotated[str | None, typer.Option(help="Market: trading day to play, as 2013-10-08.")] = None,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Market: the seeded one; needs no file.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Market: seed of the synthetic one, and of --faults.")] = 7,
    symbols: Annotated[str, typer.Option(help="Market: comma-separated tickers; default: all that are known.")] = "",
    lively: Annotated[
        bool, typer.Option("--lively", help="Market: synthetic with halts, gaps, splits, late bars.")
    ] = False,
    speed: Annotated[float, typer.Option(min=1, max=SPEED_MAX, help="Clock: market seconds per second.")] = 120.0,
    clock: Annotated[
        ClockKind, typer.Option(help="Clock: real is one market second per second.")
    ] = ClockKind.accelerated,
    lead_in: Annotated[float, typer.Option(min=0, help="Clock: market seconds before the open to begin with.")] = 60.0,
    premarket: Annotated[bool, typer.Option("--premarket", help="Clock: play what trades in the lead-in too.")] = False,
    wait_for_client: Annotated[
        bool, typer.Option("--wait-for-client", help="Clock: stand still until a client wants real-time bars.")
    ] = False,
    wait_for_slow: Annotated[
        float | None,
        typer.Option(min=0, help="Clock: seconds to wait for a slow reader; default 10, with a real clock 0."),
    ] = None,
    sessions: Annotated[int, typer.Option(min=1, help="Nights: play so many trading days.")] = 1,
    nightly: Annotated[bool, typer.Option("--nightly", help="Nights: auto-restart and reset windows.")] = False,
    night_speed: Annotated[
        float | None,
        typer.Option(min=1, max=SPEED_MAX, help="Nights: market seconds per second; default: skipped if accelerated."),
    ] = None,
    accounts: Annotated[str, typer.Option(help="Account: comma-separated ids, DU and digits.")] = "DU7654321",
    allow_live_id: Annotated[bool, typer.Option("--allow-live-id", help="Account: allow U and digits too.")] = False,
    cash: Annotated[float, typer.Option(help="Account: dollars at the start, in each.")] = 1_000_000.0,
    commission: Annotated[Commission, typer.Option(help="Account: IB's price list.")] = Commission.fixed,
    read_only: Annotated[bool, typer.Option("--read-only", help="Account: orders are refused with 321.")] = False,
    master: Annotated[int | None, typer.Option(min=0, help="Clients: this id is told of every order.")] = None,
    pacing: Annotated[Pacing, typer.Option(help="Clients: what happens beyond 50 messages a second.")] = Pacing.off,
    faults: Annotated[str | None, typer.Option(help="Faults: mild, rough, brutal, a TOML file, or a log.")] = None,
    fault_log: Annotated[Path | None, typer.Option(help="Faults: write what happened; --faults repeats it.")] = None,
    ledger: Annotated[
        Path | None, typer.Option(help="Files: append orders and executions to this one as JSON lines.")
    ] = None,
    state: Annotated[Path | None, typer.Option(help="Files: orders, ids and positions, kept over restarts.")] = None,
    record: Annotated[
        Path | None, typer.Option(help="Files: append the wire traffic, scrubbed, as JSON lines.")
    ] = None,
    play: Annotated[Path | None, typer.Option(help="Files: serve a recording instead of a market.")] = None,
    exit_after_close: Annotated[
        float | None, typer.Option(min=0, help="Stop so many seconds after the last session's end.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print facts as JSON lines.")] = False,
) -> None:
    """Run a simulated TWS that any TWS client can trade on: socket protocol, market, matching and account.

    \b
    Example:
      openbell gateway --synthetic --seed 7 --symbols SPY,AAPL,TSLA --speed 120
      openbell gateway --data ../shared/data/intraday --session 2013-10-08
      openbell gateway --synthetic --sessions 5 --nightly --faults rough --seed 3 --state gateway.json
    """  # noqa: D301 - \b keeps the example's lines apart
    from brokers.simulated.gateway.runtime.process import run_market, run_recording
    from shared.errors import OpenbellError

    files = {"--ledger": ledger, "--state": state, "--record": record, "--fault-log": fault_log}
    _check_files({name: path for name, path in files.items() if path is not None})
    pace = 1.0 if clock is ClockKind.real else speed
    try:
        if play is not None:
            _exclude(play=play, data=data, synthetic=synthetic)
            raise typer.Exit(run_recording(play, port, pace, as_json=as_json))
        _exclude(data=data, synthetic=synthetic)
        wanted = _tickers(symbols)
        market = _market(data, _date(session), None if data else seed, wanted, lively=lively)
        settings = {
            "port": port,
            "speed": pace,
            "lead_in_s": lead_in,
            "premarket": premarket,
            "wait_for_client": wait_for_client,
            "wait_for_slow_s": _waiting(wait_for_slow, clock),
            "sessions": sessions,
            "nightly": nightly,
            "night_speed": night_speed,
            "accounts": tuple(name.strip() for name in accounts.split(",")),
            "allow_live_id": allow_live_id,
            "cash": cash,
            "commission_model": f"ib_{commission.value}",
            "read_only": read_only,
            "master_client_id": master,
            "pacing": pacing.value,
            "faults": _plan(faults, seed),
            "fault_log_path": fault_log,
            "ledger_path": ledger,
            "state_path": state,
            "record_path": record,
        }
        raise typer.Exit(run_market(market, settings, exit_after_close, as_json=as_json))
    except (OpenbellError, ValueError) as fault:
        _usage(str(fault))


def _usage(faults: str) -> NoReturn:
    for fault in faults.splitlines():
        typer.echo(f"openbell gateway: {fault}", err=True)
    raise typer.Exit(EXIT_USAGE)


def _check_files(named: dict[str, Path]) -> None:
    for option, path in named.items():
        if path.is_dir() or not path.parent.is_dir():
            _usage(f"{option} {path}: not a file in an existing folder")


def _exclude(**given: object) -> None:
    """At most one of these may be given."""
    named = [f"--{name}" for name, value in given.items() if value]
    if len(named) > 1:
        _usage(f"{' and '.join(named)} exclude each other")


def _tickers(symbols: str) -> tuple[str, ...]:
    return tuple(symbol.strip().upper() for symbol in symbols.split(",") if symbol.strip())


def _waiting(given: float | None, clock: ClockKind) -> float:
    if given is not None:
        return given
    return 0.0 if clock is ClockKind.real else WAIT_FOR_SLOW_S


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a session is a date, not an instant
    except ValueError:
        _usage(f"--session {text!r} is not a date, expected YYYY-MM-DD")


def _market(
    data: Path | None, session: date | None, seed: int | None, symbols: tuple[str, ...], *, lively: bool
) -> MarketSource:
    """The recorded market of `data`, or the synthetic one of `seed`; a fault ends with one line."""
    from brokers.simulated.market.character import LIVELY
    from brokers.simulated.market.synthetic import SyntheticMarket

    try:
        if seed is not None or data is None:
            character = LIVELY if lively else None
            return SyntheticMarket(seed=seed or 0, **_given(symbols=symbols, session=session, character=character))
        if session is None:
            _usage("--data needs --session, the recorded day to play")
        from brokers.simulated.market.recorded import RecordedMarket

        return RecordedMarket(data, session=session, **_given(symbols=symbols))
    except OSError as fault:
        _usage(str(fault))


def _given(**options: object) -> dict[str, Any]:
    """The options that were given; the market has its own defaults for the others."""
    return {name: value for name, value in options.items() if value}


def _plan(faults: str | None, seed: int) -> FaultPlan | None:
    if faults is None:
        return None
    from brokers.simulated.gateway.faults.plan import plan_of

    return plan_of(faults, seed)
