"""A person's end of the local socket."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import msgspec

from daemon.control.control_socket import LINE_BYTES_MAX, PATH_BYTES_MAX
from daemon.control.verbs import Reply
from shared.errors import BrokerUnavailable, Refused

WAIT_S = 15.0
"""Longer than the daemon waits for its engine, so that its own word is heard first."""


def ask_daemon(path: Path, *, verb: str, scope: str, wait_s: float = WAIT_S) -> Reply:
    """The daemon's reply.

    Raises:
        BrokerUnavailable: no daemon answers; what was asked may or may not be done.
        Refused: the socket is not ours to use.
    """
    request = json.dumps({"verb": verb, "scope": scope}) + "\n"
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(wait_s)
        try:
            line.connect(str(path))
            line.sendall(request.encode())
            answer = _line_from(line)
        except PermissionError as error:
            raise Refused(f"{path}: not yours, only the daemon's user and root may command it") from error
        except (OSError, ValueError) as error:
            raise BrokerUnavailable(
                f"{path}: no daemon answers ({_why(error)}); without one: openbell rescue list"
            ) from error
    return answer


def is_listening(path: Path) -> bool:
    """Whether a daemon listens at the socket; nothing is asked of it."""
    if len(str(path).encode()) > PATH_BYTES_MAX:
        return False
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(1)
        try:
            line.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:  # somebody is there: not ours, or too busy
            return True
    return True


def _line_from(line: socket.socket) -> Reply:
    found = b""
    while not found.endswith(b"\n") and len(found) < LINE_BYTES_MAX * 64:
        part = line.recv(65_536)
        if not part:
            raise ConnectionError("it hung up before it answered, look at openbell status")
        found += part
    return msgspec.json.decode(found, type=Reply)


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no socket there"
    if isinstance(error, TimeoutError):
        return "it says nothing"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
