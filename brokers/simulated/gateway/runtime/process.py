"""The gateway as a process of its own: from options to a run that ends by a signal or after the close."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from brokers.simulated.gateway.accounts.ledger_file import summary_of
from brokers.simulated.gateway.runtime.recorded import RecordedGateway
from brokers.simulated.gateway.server import SimulatedGateway
from brokers.simulated.market.source import MarketSource

EXIT_FAILED, EXIT_INTERRUPTED = 1, 130


class Ending:
    """The exit code, once something has decided it."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._code: asyncio.Future[int] = loop.create_future()
        loop.add_signal_handler(signal.SIGTERM, self.end, 0)
        loop.add_signal_handler(signal.SIGINT, self.end, EXIT_INTERRUPTED)

    def end(self, code: int) -> None:
        """The first reason wins."""
        if not self._code.done():
            self._code.set_result(code)

    async def reached(self) -> int:
        return await self._code


def run_market(market: MarketSource, settings: dict[str, Any], exit_after_close: float | None, *, as_json: bool) -> int:
    """Serve the market until a signal, or so many seconds after the last close. Raises ConfigError."""
    return _run(lambda: _serve_market(market, settings, exit_after_close, as_json=as_json), settings["port"])


def run_recording(path: Path, port: int, speed: float, *, as_json: bool) -> int:
    """Serve a recording until a signal. Raises ConfigError."""
    return _run(lambda: _serve_recording(path, port, speed, as_json=as_json), port)


def _run(serve: Callable[[], Any], port: int) -> int:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        code: int = asyncio.run(serve())
    except OSError as fault:
        what = fault.filename or f"cannot start on 127.0.0.1:{port}"
        typer.echo(f"openbell gateway: {what}: {fault.strerror or fault}", err=True)
        return EXIT_FAILED
    return code


async def _serve_market(
    market: MarketSource, settings: dict[str, Any], exit_after_close: float | None, *, as_json: bool
) -> int:
    async with SimulatedGateway(market, **settings) as served:
        ending = Ending()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, _print_account, served, as_json)
        _print_listening(served, as_json)
        closing = asyncio.create_task(_after_close(served, exit_after_close, ending))
        code = await ending.reached()
        closing.cancel()
        _print_account(served, as_json)
    return code


async def _serve_recording(path: Path, port: int, speed: float, *, as_json: bool) -> int:
    async with RecordedGateway(path, port=port, speed=speed) as served:
        ending = Ending()
        facts = {"host": "127.0.0.1", "port": served.port, "recording": path.name}
        text = f"SIMULATED gateway listening on 127.0.0.1:{served.port} playing {path.name}"
        _print(json.dumps({"event": "listening", **facts}) if as_json else text)
        return await ending.reached()


async def _after_close(served: SimulatedGateway, delay_s: float | None, ending: Ending) -> None:
    """A market that stands still for good ends the process; a closed one does if it was told to."""
    await served.closed.wait()
    if served.failed is not None:
        ending.end(EXIT_FAILED)
    elif delay_s is not None:
        await asyncio.sleep(delay_s)
        ending.end(0)


def _print_listening(served: SimulatedGateway, as_json: bool) -> None:
    market, names = served.session.market, served.session.accounts.names
    facts = {
        "host": "127.0.0.1",
        "port": served.port,
        "account": served.ledger.account,
        "accounts": names,
        "session": market.session.isoformat(),
        "speed": served.clock.speed,
        "symbols": list(market.symbols),
    }
    text = (
        f"SIMULATED gateway listening on 127.0.0.1:{served.port} account {','.join(names)} "
        f"session {market.session} speed {served.clock.speed:g}"
    )
    _print(json.dumps({"event": "listening", **facts}) if as_json else text)


def _print_account(served: SimulatedGateway, as_json: bool) -> None:
    served.dump()
    for ledger in served.session.accounts:
        facts = summary_of(ledger)
        text = (
            f"account {facts['account']} cash {facts['cash']:.2f} net liquidation {facts['net_liquidation']:.2f} "
            f"orders {facts['orders']} executions {facts['executions']} positions {facts['positions']}"
        )
        _print(json.dumps({"event": "account", **facts}) if as_json else text)


def _print(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()
