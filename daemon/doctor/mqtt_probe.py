"""Is there an MQTT broker, and does it let us in? One CONNECT of MQTT 3.1.1 by hand, which changes nothing there."""

from __future__ import annotations

import asyncio
import ssl
import struct
from pathlib import Path

from msgspec import Struct

_TIMEOUT_S = 5.0
_CONNECT, _CONNACK, _DISCONNECT = 0x10, 0x20, b"\xe0\x00"
_CLEAN, _HAS_USER, _HAS_PASSWORD = 0x02, 0x80, 0x40
_KEEP_ALIVE_S = 10
REFUSALS = {
    1: "protocol version refused",
    2: "client id refused",
    3: "server unavailable",
    4: "user name or password is wrong",
    5: "not authorized",
}


class MqttAddress(Struct, frozen=True, kw_only=True):
    host: str
    port: int
    tls: bool = False
    ca_file: str = ""
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"MqttAddress({self.host}:{self.port})"  # no password in a traceback


async def knock(address: MqttAddress) -> str:
    """What is wrong, in one line; empty if the broker lets us in."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            context = _context(address) if address.tls else None
            reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
            try:
                writer.write(_hello(address))
                answer = await reader.readexactly(4)
            finally:
                writer.close()
    except TimeoutError:
        return f"{address.host}:{address.port}: no answer within {_TIMEOUT_S:g} s"
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return f"{address.host}:{address.port}: closes the connection (no MQTT broker, or TLS is wanted)"
    except (OSError, ssl.SSLError) as error:
        return f"{address.host}:{address.port}: {' '.join(str(error).split())}"
    if answer[0] != _CONNACK:
        return f"{address.host}:{address.port}: speaks another protocol than MQTT"
    code = answer[3]
    return f"{address.host}:{address.port}: {REFUSALS.get(code, f'refused with {code}')}" if code else ""


def _context(address: MqttAddress) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(Path(address.ca_file)) if address.ca_file else None)


def _hello(address: MqttAddress) -> bytes:
    flags = _CLEAN | (_HAS_USER if address.username else 0) | (_HAS_PASSWORD if address.username else 0)
    head = _text("MQTT") + struct.pack(">BBH", 4, flags, _KEEP_ALIVE_S)
    login = _text(address.username) + _text(address.password) if address.username else b""
    body = head + _text("openbell-doctor") + login
    return bytes([_CONNECT]) + _length(len(body)) + body


def _text(text: str) -> bytes:
    content = text.encode()
    return struct.pack(">H", len(content)) + content


def _length(size: int) -> bytes:
    """The remaining length, seven bits at a time."""
    found = bytearray()
    while True:
        size, low = divmod(size, 128)
        found.append(low | (0x80 if size else 0))
        if not size:
            return bytes(found)
