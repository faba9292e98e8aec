"""What an operator waits for, a restart and a reconnect; and what the daemon costs while nothing happens."""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.latency import start
from bench.result import Comparison, Measured
from bench.wire_server import WireServer

READY_WITHIN_S, SETTLED_WITHIN_S = 60.0, 180.0
SYMBOLS_OF_200_ORDERS = 100
ORDERS = 200
RECONNECT_ALLOWED_S, READY_ALLOWED_S = 10.0, 15.0
IDLE_S, STEP_S = 30.0, 5.0
IDLE_ALLOWED_PCT, MEMORY_ALLOWED_MB = 2.0, 250.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def symbols_of(count: int) -> tuple[str, ...]:
    """So many made-up tickers."""
    return tuple(f"S{number:03d}" for number in range(count))


class Daemon:
    """The whole daemon as a process, told apart by its notifications to systemd."""

    def __init__(self, server: WireServer, folder: Path, symbols: tuple[str, ...], strategy: str = "hold") -> None:
        self._server = server
        self._strategy = strategy
        self._folder = folder
        self._symbols = symbols
        self._printed = folder / "printed.txt"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._socket.bind(str(self._folder / "notify"))
        self._socket.setblocking(False)
        os.environ["NOTIFY_SOCKET"] = str(self._folder / "notify")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.environ.pop("NOTIFY_SOCKET", None)
        await self.kill()
        self._socket.close()

    async def start(self) -> float:
        """Start it; seconds until it said READY=1 (reconciled)."""
        loop = asyncio.get_running_loop()
        self._forget_notifications()
        began = loop.time()
        arguments = (str(self._server.port), str(self._folder), ",".join(self._symbols), self._strategy)
        with self._printed.open("wb") as says:
            self._process = await start("bench.daemon_client", *arguments, says=says)
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while "READY=1" not in (await loop.sock_recv(self._socket, 65_536)).decode():
                    pass
        except TimeoutError:
            raise RuntimeError(f"the daemon is not READY within {READY_WITHIN_S:g} s; {self.last_words()}") from None
        return loop.time() - began

    def last_words(self) -> str:
        """The end of what it printed and logged."""
        log = self._folder / "logs" / "openbell-paper.jsonl"
        found = [path.read_text(encoding="utf-8") for path in (self._printed, log) if path.exists()]
        return "\n".join(["it said:", *(line for text in found for line in text.splitlines()[-20:])])

    def _forget_notifications(self) -> None:
        """What the process before has said is no news of this one."""
        while True:
            try:
                self._socket.recv(65_536)
            except BlockingIOError:
                return

    async def kill(self) -> None:
        """SIGKILL, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def cpu_s(self) -> float:
        """Processor seconds it has used (proc(5): utime and stime)."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def memory_mb(self) -> float:
        """The most resident memory it ever had."""
        (line,) = (line for line in self._proc("status").splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6

    def _proc(self, name: str) -> str:
        assert self._process is not None
        return Path(f"/proc/{self._process.pid}/{name}").read_text(encoding="ascii", errors="replace")


async def holding(server: WireServer, orders: int) -> None:
    """Play bars until so many orders rest at the far end."""
    async with asyncio.timeout(READY_WITHIN_S):
        while server.open_orders() < orders:
            server.bar()
            await asyncio.sleep(1.0)


async def _settled(server: WireServer) -> None:
    """Play bars until one leads to no order any more: entries leave ten a second, 500 take their time."""
    async with asyncio.timeout(SETTLED_WITHIN_S):
        before = -1
        while server.open_orders() != before or not before:
            before = server.open_orders()
            server.bar()
            await _still(server)


async def _still(server: WireServer) -> None:
    """Return once no order has come for two seconds."""
    placed = -1
    while len(server.placed) != placed:
        placed = len(server.placed)
        await asyncio.sleep(2.0)


async def with_daemon(
    symbols: tuple[str, ...],
    measure: Callable[[WireServer, Daemon, Path], Awaitable[list[float]]],
    strategy: str = "hold",
) -> list[float]:
    """Run a measurement against a fresh server, folder and daemon (not started yet)."""
    with tempfile.TemporaryDirectory(prefix="openbell-bench-") as name:
        folder = Path(name)
        async with WireServer(symbols) as server, Daemon(server, folder, symbols, strategy) as daemon:
            try:
                return await measure(server, daemon, folder)
            except TimeoutError:
                raise RuntimeError(f"the measurement did not end; {daemon.last_words()}") from None


async def _restarts(server: WireServer, daemon: Daemon, _folder: Path) -> list[float]:
    await daemon.start()
    await server.until_subscribed()
    await holding(server, ORDERS)
    taken: list[float] = []
    for _ in range(5):
        await daemon.kill()
        taken.append(await daemon.start())
    return taken


async def _reconnects(server: WireServer, daemon: Daemon, folder: Path) -> list[float]:
    await daemon.start()
    await server.until_subscribed()
    await holding(server, ORDERS)
    loop = asyncio.get_running_loop()
    log = folder / "logs" / "openbell-paper.jsonl"
    taken: list[float] = []
    for _ in range(20):
        before = log.read_text(encoding="utf-8").count('"event": "reconciled"')
        began = loop.time()
        server.drop()
        async with asyncio.timeout(READY_WITHIN_S):
            while log.read_text(encoding="utf-8").count('"event": "reconciled"') == before:  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.02)
        taken.append(loop.time() - began)
        await asyncio.sleep(1.0)
    return taken


async def _idle(server: WireServer, daemon: Daemon, _folder: Path) -> list[float]:
    await daemon.start()
    await server.until_subscribed()
    await _settled(server)
    began = daemon.cpu_s()
    for _ in range(int(IDLE_S / STEP_S)):
        server.bar()
        await asyncio.sleep(STEP_S)
    return [100 * (daemon.cpu_s() - began) / IDLE_S, daemon.memory_mb()]


def compare_restart() -> Comparison:
    """Seconds from SIGKILL's next start to READY=1, and from a cut line to reconciled, with 200 open orders."""
    symbols = symbols_of(SYMBOLS_OF_200_ORDERS)
    starts = asyncio.run(with_daemon(symbols, _restarts))
    reconnects = asyncio.run(with_daemon(symbols, _reconnects))
    return Comparison(
        title=f"restart after SIGKILL and reconnect with {ORDERS} open orders",
        measured=(
            Measured("start to READY, slowest of 5", "s", max(starts)),
            Measured("cut line to reconciled, slowest of 20", "s", max(reconnects)),
        ),
        ratio=min(READY_ALLOWED_S / max(starts), RECONNECT_ALLOWED_S / max(reconnects)),
        ratio_says=f"times faster than the {READY_ALLOWED_S:g} s and {RECONNECT_ALLOWED_S:g} s asked (the worse)",
    )


def compare_idle() -> Comparison:
    """Processor share and memory with 50 instruments between five-second bars, and the memory of 500."""
    share, memory = asyncio.run(with_daemon(symbols_of(50), _idle))
    share_500, memory_500 = asyncio.run(with_daemon(symbols_of(500), _idle))
    return Comparison(
        title="the daemon between five-second bars, positions held",
        measured=(
            Measured("50 instruments, share of a core", "%", share),
            Measured("50 instruments, memory", "MB", memory),
            Measured("500 instruments, share of a core", "%", share_500),
            Measured("500 instruments, memory", "MB", memory_500),
        ),
        ratio=min(IDLE_ALLOWED_PCT / share, MEMORY_ALLOWED_MB / memory),
        ratio_says=f"times below the {IDLE_ALLOWED_PCT:g} % and {MEMORY_ALLOWED_MB:g} MB asked for 50 (the worse)",
    )
