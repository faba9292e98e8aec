"""systemd's notification protocol, sd_notify(3): one datagram to the socket it names, if it names one.

READY=1 goes out after the first reconciliation; WATCHDOG=1 only from who has itself seen loop, broker and journal
advance; STOPPING=1 before anything is pulled; EXTEND_TIMEOUT_USEC while a gateway is waited for.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from shared.errors import ConfigError

READY = "READY=1"
ALIVE = "WATCHDOG=1"
STOPPING = "STOPPING=1"
_STATUS_CHARACTERS_MAX = 200


def notify(*lines: str) -> bool:
    """Send the lines, such as READY=1 or WATCHDOG=1, to systemd if it started us with Type=notify.

    Never waits and never fails: False if systemd cannot take them now, then the next heartbeat says it again.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return True
    # A leading @ stands for the abstract namespace, which the kernel writes as a null byte.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        sending.setblocking(False)
        try:
            sending.connect("\0" + address[1:] if address.startswith("@") else address)
            sending.sendall("\n".join(lines).encode())
        except OSError:  # too busy to take it, or its socket is gone: no reason for us to end
            return False
    return True


def status(text: str) -> str:
    """The line that `systemctl status` shows as Status; only the first line of `text`, and not endlessly."""
    first = text.partition("\n")[0]
    return f"STATUS={first[:_STATUS_CHARACTERS_MAX]}"


def extension(seconds: float) -> str:
    """The line that asks for so much time from now, at start or at stop."""
    return f"EXTEND_TIMEOUT_USEC={int(seconds * 1e6)}"


def check_pace(heartbeat_every_s: float, environ: Mapping[str, str]) -> None:
    """Refuse a heartbeat too slow for the watchdog that started us: it would kill a healthy daemon, again and again.

    Raises:
        ConfigError: naming the pace that is allowed (half the watchdog's time, as sd_watchdog_enabled(3) advises).
    """
    limit = environ.get("WATCHDOG_USEC", "")
    if not limit.isdecimal() or environ.get("WATCHDOG_PID", f"{os.getpid()}") != f"{os.getpid()}":
        return
    watchdog_s = int(limit) / 1e6
    if heartbeat_every_s > watchdog_s / 2:
        raise ConfigError(
            f"runtime.heartbeat_every_s: {heartbeat_every_s:g} is too slow for WatchdogSec={watchdog_s:g} of systemd, "
            f"must be at most {watchdog_s / 2:g}"
        )
