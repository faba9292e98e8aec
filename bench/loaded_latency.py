"""Latency while 5,000 ticks a second rain: bar in to bracket out, ours and the bare script."""

from __future__ import annotations

import asyncio
import tempfile

from bench.latency import LOST_MAX, ORDER_WITHIN_S, READY_WITHIN_S, WARM_UP_BARS, start
from bench.result import Comparison, Measured
from bench.wire_server import WireServer

RAIN_PER_S = 5_000
PACE_S = 0.1
ALLOWED_P99_MS, ALLOWED_P999_MS, ALLOWED_TIMES = 10.0, 50.0, 3.0


async def _measure(module: str, bars: int) -> tuple[list[int], float]:
    """Nanoseconds of each bar, and the tick messages a second that were really sent meanwhile."""
    with tempfile.TemporaryDirectory(prefix="openbell-bench-") as folder:
        async with WireServer() as server:
            process = await start(module, str(server.port), folder)
            try:
                async with asyncio.timeout(READY_WITHIN_S):
                    await server.until_subscribed()
                await asyncio.sleep(2.0)
                server.rain(RAIN_PER_S)
                await _bars(server, WARM_UP_BARS)
                loop = asyncio.get_running_loop()
                began, before = loop.time(), server.rained
                taken = await _bars(server, bars)
                return taken, (server.rained - before) / (loop.time() - began)
            finally:
                process.kill()
                await process.wait()


async def _bars(server: WireServer, bars: int) -> list[int]:
    taken: list[int] = []
    for _ in range(bars):
        nanoseconds = await server.bar_to_order(ORDER_WITHIN_S)
        if nanoseconds is not None:
            taken.append(nanoseconds)
        await asyncio.sleep(PACE_S)
    return taken


def compare_loaded_latency(bars: int) -> Comparison:
    """p50, p99 and p99.9 in milliseconds; fails if the ticks did not come or orders did not follow."""
    ours, our_rain = asyncio.run(_measure("bench.daemon_client", bars))
    theirs, their_rain = asyncio.run(_measure("bench.bare_script", bars))
    for who, taken, rain in (("openbell", ours, our_rain), ("bare script", theirs, their_rain)):
        if len(taken) < (1 - LOST_MAX) * bars or rain < RAIN_PER_S / 2:
            raise RuntimeError(f"loaded latency: {who} answered {len(taken)} of {bars} bars under {rain:,.0f} ticks/s")
    p50, p99, p999 = (_percentile_ms(ours, share) for share in (0.5, 0.99, 0.999))
    bare50, bare99, bare999 = (_percentile_ms(theirs, share) for share in (0.5, 0.99, 0.999))
    return Comparison(
        title=f"bar in to bracket out while {RAIN_PER_S:,} ticks a second arrive, {bars} bars each",
        measured=(
            Measured("openbell p50", "ms", p50),
            Measured("openbell p99", "ms", p99),
            Measured("openbell p99.9", "ms", p999),
            Measured("bare ib_insync p50", "ms", bare50),
            Measured("bare ib_insync p99", "ms", bare99),
            Measured("bare ib_insync p99.9", "ms", bare999),
        ),
        ratio=p99 / bare99,
        ratio_says=f"times the p99 of the bare script (at most {ALLOWED_TIMES:g} asked)",
        notes=(
            f"asked: p99 at most {ALLOWED_P99_MS:g} ms, p99.9 at most {ALLOWED_P999_MS:g} ms",
            f"ticks really sent: {our_rain:,.0f} and {their_rain:,.0f} a second",
        ),
    )


def _percentile_ms(nanoseconds: list[int], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed."""
    ordered = sorted(nanoseconds)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] / 1e6
