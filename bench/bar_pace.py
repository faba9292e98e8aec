"""Does the gateway keep up with its own clock: 100 real-time-bar subscriptions at 5,000 market seconds a second."""

from __future__ import annotations

import os
import socket
import struct
import time

from bench.gateway_process import GatewayProcess, frame_of
from bench.result import Comparison, Measured
from brokers.simulated.market.listings import symbols_of

SPEED = 5000.0
INSTRUMENTS = 100
LENGTH = struct.Struct(">I")
REAL_TIME_BAR = b"50\0"
STEP_S = 5.0


def compare_bar_pace() -> Comparison:
    """Market seconds per wall second, from the first bar to the last, against the speed asked for."""
    symbols = ",".join(symbols_of(INSTRUMENTS))
    market = (
        "--synthetic",
        "--symbols",
        symbols,
        "--speed",
        f"{SPEED:g}",
        "--wait-for-client",
        "--exit-after-close",
        "0",
    )
    with GatewayProcess(*market) as gateway:
        bars, started, ended, first, last = _listen(gateway.port, symbols.split(","))
    pace = (last - first + STEP_S) / (ended - started)
    return Comparison(
        title=f"{INSTRUMENTS} real-time-bar subscriptions at x{SPEED:g}, one session, gateway in a process of its own",
        measured=(
            Measured("market time played", "s/s", pace),
            Measured("bars received", "bars/s", bars / (ended - started)),
        ),
        ratio=pace / SPEED,
        ratio_says="times the speed of the clock (1.00 = never behind)",
        notes=(f"{bars:,} bars received", f"{os.cpu_count()} cores; the reader has one of them"),
    )


def _listen(port: int, symbols: list[str]) -> tuple[int, float, float, float, float]:
    """Bars read, wall time of the first and the last, market time of the first and the last."""
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(b"API\0" + frame_of("v157..176"))
        peer.recv(1 << 16)
        peer.sendall(frame_of("71\x002\x001\x00\x00"))
        for number, symbol in enumerate(symbols):
            contract = f"0\x00{symbol}\x00STK\x00\x000\x00\x00\x00SMART\x00\x00USD\x00\x00\x00"
            peer.sendall(frame_of(f"50\x003\x00{1000 + number}\x00{contract}5\x00TRADES\x001\x00\x00"))
        bars, held, started, ended = 0, b"", 0.0, 0.0
        times: list[float] = []
        while data := peer.recv(1 << 18):
            held += data
            at = 0
            while len(held) >= at + 4:
                (length,) = LENGTH.unpack_from(held, at)
                if len(held) < at + 4 + length:
                    break
                if held.startswith(REAL_TIME_BAR, at + 4):
                    bars += 1
                    ended = time.perf_counter()
                    started = started or ended
                    times[1:] = [float(held[at + 4 : at + 64].split(b"\0")[3])]
                    times = times if len(times) > 1 else times * 2
                at += 4 + length
            held = held[at:]
    return bars, started, ended, times[0], times[-1]
