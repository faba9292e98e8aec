"""A person's halt while entries work, and a burst of messages while executions arrive."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

from bench.daemon_client import LAG_FILE
from bench.loop_lag import worst_lag_ms
from bench.operations import READY_WITHIN_S, Daemon, symbols_of, with_daemon
from bench.result import Comparison, Measured
from bench.wire_server import WireServer
from daemon.control.control_socket import SOCKET_NAME
from shared.io.journal import JournalReader

ENTRIES, ROUNDS = 50, 30
KILL_ALLOWED_MS = 500.0
BURST, FILLS, REPEATS = 20_000, 500, 2_000
MESSAGES_PER_FILL = 3
"""orderStatus, execDetails, commissionReport."""
LEGS = 2
RATE_MIN = 0.8
LAG_ALLOWED_MS, CAUGHT_UP_ALLOWED_S = 250.0, 2.0


async def _say(folder: Path, verb: str) -> None:
    reader, writer = await asyncio.open_unix_connection(str(folder / "state" / "paper" / SOCKET_NAME))
    writer.write(json.dumps({"verb": verb, "scope": "account"}).encode() + b"\n")
    answer = json.loads(await reader.readline())
    writer.close()
    if not answer["accepted"]:
        raise RuntimeError(f"{verb}: {answer}")


async def _kills(server: WireServer, daemon: Daemon, folder: Path) -> list[float]:
    await daemon.start()
    await server.until_subscribed()
    for _ in range(2):  # until every quote is known; after an even number of rows nothing is wanted
        server.bar()
        await asyncio.sleep(3.0)
    taken: list[float] = []
    for _ in range(ROUNDS):
        await _enter(server)
        before = len(server.cancelled)
        began = time.perf_counter_ns()
        await _say(folder, "halt")
        async with asyncio.timeout(READY_WITHIN_S):
            while len(server.cancelled) < before + ENTRIES:  # noqa: ASYNC110 - the far end is watched, not told
                await asyncio.sleep(0.001)
        taken.append((server.cancelled[-1] - began) / 1e6)
        await _say(folder, "resume")
        server.bar()
        await asyncio.sleep(0.3)
    return taken


async def _enter(server: WireServer) -> None:
    """Play one bar and wait until every bracket has come."""
    before = len(server.placed)
    server.bar()
    async with asyncio.timeout(READY_WITHIN_S):
        while len(server.placed) < before + 3 * ENTRIES:  # noqa: ASYNC110 - the far end is watched, not told
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)


async def _burst(server: WireServer, daemon: Daemon, folder: Path) -> list[float]:
    await daemon.start()
    await server.until_subscribed()
    async with asyncio.timeout(READY_WITHIN_S):
        while server.open_orders() < LEGS:
            server.bar()
            await asyncio.sleep(0.5)
    await asyncio.sleep(1.0)
    before = _fills(folder)
    server.rain(BURST - MESSAGES_PER_FILL * FILLS - REPEATS, REPEATS)
    began = time.monotonic()
    await server.fill_in_pieces(FILLS, within_s=1.0)
    server.rain(0)
    over = time.monotonic()
    async with asyncio.timeout(READY_WITHIN_S):
        while _fills(folder) < before + FILLS:  # noqa: ASYNC110 - a file is watched
            await asyncio.sleep(0.02)
    caught_up = time.monotonic() - over
    await asyncio.sleep(1.0)
    lag_ms = worst_lag_ms(folder / LAG_FILE, began, over + CAUGHT_UP_ALLOWED_S)
    sent = server.rained + server.repeated + MESSAGES_PER_FILL * FILLS
    return [lag_ms, caught_up, float(_fills(folder) - before), sent / (over - began)]


def _fills(folder: Path) -> int:
    with JournalReader.open(folder / "state" / "paper" / "journal.sqlite") as journal:
        return sum(1 for _ in journal.events_of_kind("OrderFilled"))


def compare_kill() -> Comparison:
    """Milliseconds from the halt's bytes into the control socket to the last cancel's bytes at the far end."""
    taken = sorted(asyncio.run(with_daemon(symbols_of(ENTRIES), _kills, "waves")))
    return Comparison(
        title=f"halt through the control socket to the last of {ENTRIES} cancels, {ROUNDS} rounds",
        measured=(Measured("p50", "ms", taken[len(taken) // 2]), Measured("slowest", "ms", taken[-1])),
        ratio=KILL_ALLOWED_MS / taken[-1],
        ratio_says=f"times faster than the {KILL_ALLOWED_MS:g} ms asked",
    )


def compare_burst() -> Comparison:
    """Loop lag and time to catch up when BURST messages come within a second, FILLS executions of ours among them."""
    lag_ms, caught_up_s, fills, rate = asyncio.run(with_daemon(("SPY",), _burst, "burst"))
    if fills != FILLS:
        raise RuntimeError(f"burst: {fills:g} of {FILLS} executions are in the journal")
    if rate < BURST * RATE_MIN:
        raise RuntimeError(f"burst: only {rate:,.0f} messages a second were sent")
    return Comparison(
        title=f"{BURST:,} messages within a second, {FILLS} executions of ours among them, all in the journal",
        measured=(
            Measured("longest loop lag", "ms", lag_ms),
            Measured("caught up after the burst", "s", caught_up_s),
            Measured("messages really sent", "/s", rate),
        ),
        ratio=min(LAG_ALLOWED_MS / lag_ms, CAUGHT_UP_ALLOWED_S / max(caught_up_s, 0.02)),
        ratio_says=f"times below the {LAG_ALLOWED_MS:g} ms and {CAUGHT_UP_ALLOWED_S:g} s asked (the worse)",
    )
