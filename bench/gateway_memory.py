"""How much memory the gateway needs for 500 instruments, measured from outside after a whole session."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from bench.gateway_process import GatewayProcess, frame_of
from bench.result import Comparison, Measured
from brokers.simulated.market.listings import symbols_of

INSTRUMENTS = 500
ALLOWED_MB = 150.0
CLOSE_S = 60.0


def compare_gateway_memory() -> Comparison:
    """The greatest resident size of the process, one client with 100 subscriptions reading along."""
    symbols = symbols_of(INSTRUMENTS)
    market = ("--synthetic", "--symbols", ",".join(symbols), "--speed", "5000", "--wait-for-client")
    with GatewayProcess(*market) as gateway:
        idle = gateway.memory_mb_max()
        _read_the_session(gateway.port, symbols[:100])
        played = gateway.memory_mb_max()
    return Comparison(
        title=f"memory of `openbell gateway` with {INSTRUMENTS} instruments",
        measured=(Measured("before the open", "MB", idle), Measured("after the session", "MB", played)),
        ratio=ALLOWED_MB / played,
        ratio_says=f"times less than the {ALLOWED_MB:g} MB that are allowed",
    )


def _read_the_session(port: int, symbols: Sequence[str]) -> None:
    """Subscribe, then read until nothing has come for a second: the session is over."""
    with socket.create_connection(("127.0.0.1", port), timeout=CLOSE_S) as peer:
        peer.sendall(b"API\0" + frame_of("v157..176"))
        peer.recv(1 << 16)
        peer.sendall(frame_of("71\x002\x001\x00\x00"))
        for number, symbol in enumerate(symbols):
            contract = f"0\x00{symbol}\x00STK\x00\x000\x00\x00\x00SMART\x00\x00USD\x00\x00\x00"
            peer.sendall(frame_of(f"50\x003\x00{1000 + number}\x00{contract}5\x00TRADES\x001\x00\x00"))
        peer.recv(1 << 18)
        peer.settimeout(2.5)
        try:
            while peer.recv(1 << 18):
                pass
        except TimeoutError:
            return
