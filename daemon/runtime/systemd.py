"""systemd's notification protocol, sd_notify(3): one datagram to the socket it names, if it names one."""

from __future__ import annotations

import os
import socket


def notify(*lines: str) -> bool:
    """Send the lines, such as READY=1 or WATCHDOG=1, to systemd if it started us with Type=notify.

    Never waits: False if systemd is too far behind to take them now, then the next heartbeat says it again.
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
        except BlockingIOError:
            return False
    return True
