"""Tick messages a second: encoded, sent over loopback and read by a plain socket reader, all on one core."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import threading
import time

from bench.result import Comparison, Measured
from brokers.simulated.gateway.protocol import answers
from brokers.simulated.gateway.protocol.message import Message
from brokers.simulated.gateway.runtime.client import Client

ASKED_PER_S = 100_000
BURST = 500
LENGTH = struct.Struct(">I")


def compare_tick_rate(messages: int) -> Comparison:
    """Send `messages` of the kinds a quote change makes; both ends share one core of this process."""
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(everywhere)})
    try:
        sent_at, read_at, frames = asyncio.run(_race(messages))
    finally:
        os.sched_setaffinity(0, everywhere)
    assert frames == messages, f"{frames} frames of {messages} arrived"
    rate = messages / (read_at - sent_at)
    return Comparison(
        title=f"{messages:,} tick messages over loopback, sender and plain socket reader on one core",
        measured=(Measured("simulated gateway", "messages/s", rate),),
        ratio=rate / ASKED_PER_S,
        ratio_says=f"times the {ASKED_PER_S:,} messages a second that were asked for",
    )


async def _race(messages: int) -> tuple[float, float, int]:
    """When the first byte left, when the last frame was read, and how many frames were."""
    connected: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _, writer: connected.put_nowait(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    result: list[tuple[float, int]] = []
    reader = threading.Thread(target=lambda: result.append(_read_all(port)))
    reader.start()
    client = Client(await connected.get(), 1)
    sent_at = time.perf_counter()
    for first in range(0, messages, BURST):
        for number in range(first, min(first + BURST, messages)):
            client.send(_tick(number))
        client.flush()
        await client.drain()
    client.close()
    await asyncio.to_thread(reader.join)
    server.close()
    return sent_at, *result[0]


def _tick(number: int) -> Message:
    """Alternately a price and a size, never twice the same."""
    if number % 2:
        return answers.tick_size(7, 0, 100.0 + number % 9000)
    return answers.tick_price(7, 1, 100.0 + number % 1000 / 100, 300.0)


def _read_all(port: int) -> tuple[float, int]:
    """Read frames until the end; the time of the last one and their number."""
    frames, held = 0, b""
    with socket.create_connection(("127.0.0.1", port)) as peer:
        while data := peer.recv(1 << 18):
            held += data
            at = 0
            while len(held) >= at + 4:
                (length,) = LENGTH.unpack_from(held, at)
                if len(held) < at + 4 + length:
                    break
                at += 4 + length
                frames += 1
            held = held[at:]
    return time.perf_counter(), frames
