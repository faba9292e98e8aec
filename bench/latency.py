"""Latency over loopback, bar's bytes in to order's bytes out: our daemon against a bare ib_insync script."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from bench.result import Comparison, Measured
from bench.wire_server import WireServer

PACE_S = 0.2
"""Between two bars of one client: below ib_insync's own throttle of 45 requests a second."""
ORDER_WITHIN_S = 2.0
READY_WITHIN_S = 60.0
WARM_UP_BARS = 20
LOST_MAX = 0.05


async def _measure(bars: int) -> tuple[list[int], list[int]]:
    """Nanoseconds of each bar that led to an order: ours, theirs; the clients take turns, bar by bar."""
    with tempfile.TemporaryDirectory(prefix="openbell-bench-") as folder:
        async with WireServer() as ours, WireServer() as theirs:
            processes = [
                await start("bench.daemon_client", str(ours.port), folder),
                await start("bench.bare_script", str(theirs.port)),
            ]
            try:
                async with asyncio.timeout(READY_WITHIN_S):
                    await asyncio.gather(ours.until_subscribed(), theirs.until_subscribed())
                await asyncio.sleep(1.0)
                await _turns(ours, theirs, WARM_UP_BARS)
                return await _turns(ours, theirs, bars)
            finally:
                for process in processes:
                    process.kill()
                    await process.wait()


async def _turns(ours: WireServer, theirs: WireServer, bars: int) -> tuple[list[int], list[int]]:
    taken: tuple[list[int], list[int]] = ([], [])
    for _ in range(bars):
        for server, mine in zip((ours, theirs), taken, strict=True):
            nanoseconds = await server.bar_to_order(ORDER_WITHIN_S)
            if nanoseconds is not None:
                mine.append(nanoseconds)
            await asyncio.sleep(PACE_S / 2)
    return taken


async def start(
    module: str, *arguments: str, says: int | IO[bytes] = asyncio.subprocess.DEVNULL
) -> asyncio.subprocess.Process:
    """Run a module of ours as a process; `says` takes what it prints, errors included."""
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        stdout=says,
        stderr=says,
    )


def fsync_us(writes: int = 100) -> float:
    """Median microseconds of appending 4 kB to a file and making it durable: what no journal can go below."""
    taken: list[float] = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(writes):
            started = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            taken.append(1e6 * (time.perf_counter() - started))
    return statistics.median(taken)


def compare_latency(bars: int) -> Comparison:
    """Medians and 99th percentiles over `bars` bars of each side, in microseconds."""
    ours, theirs = asyncio.run(_measure(bars))
    for who, taken in (("openbell", ours), ("bare script", theirs)):
        if len(taken) < (1 - LOST_MAX) * bars:
            raise RuntimeError(f"latency: {who} answered {len(taken)} of {bars} bars with an order")
    p50, p99 = (statistics.quantiles(ours, n=100)[at] / 1e3 for at in (49, 98))
    bare50, bare99 = (statistics.quantiles(theirs, n=100)[at] / 1e3 for at in (49, 98))
    return Comparison(
        title=f"bar in to order out over loopback, {bars} bars each, taking turns",
        measured=(
            Measured("openbell p50", "us", p50),
            Measured("openbell p99", "us", p99),
            Measured("bare ib_insync p50", "us", bare50),
            Measured("bare ib_insync p99", "us", bare99),
        ),
        ratio=p50 / bare50,
        ratio_says="times the median of the bare script (feed, risk, bracket and a durable journal included)",
        notes=(
            f"p99 ratio {p99 / bare99:.2f}",
            f"of ours, one durable write of 4 kB to this disk takes {fsync_us():,.0f} us (median)",
        ),
    )
