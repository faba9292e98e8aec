"""What a restart must not forget, in one file: order ids, orders, ledgers, and the day the clock stands in.

The file is replaced as a whole (written beside, synced, renamed), so a kill at any moment leaves the last state or
the one before. It is written at most WRITE_EVERY_S after a change, and at the end; what was acknowledged within that
time before a kill may be lost, as a real TWS loses it.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from shared.errors import ConfigError

if TYPE_CHECKING:
    from brokers.simulated.gateway.runtime.session import Session

FORMAT = 1
WRITE_EVERY_S = 0.25
KEYS = frozenset(("format", "session", "at", "accounts", "desk"))


class StateFile:
    """Loads once, then follows the session."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = -1

    def load(self) -> dict[str, Any] | None:
        """The state of the run before; None when there is none. Raises ConfigError with one clear line."""
        try:
            found = msgspec.json.decode(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as fault:
            raise ConfigError(f"state file {self._path}: {fault}; remove it to begin anew") from None
        if not isinstance(found, dict) or not found.keys() >= KEYS or found["format"] != FORMAT:
            raise ConfigError(
                f"state file {self._path}: not a gateway's state of format {FORMAT}; remove it to begin anew"
            )
        return found

    async def follow(self, session: Session) -> None:
        """Write whenever something has changed, until cancelled."""
        while True:
            if self._written != session.changes:
                self._written = session.changes
                await self._write_beside(msgspec.json.encode(state_of(session)))
            await asyncio.sleep(WRITE_EVERY_S)

    async def _write_beside(self, data: bytes) -> None:
        """In a thread, because disks are slow; a write that has begun is finished before a cancellation goes on."""
        writing = asyncio.ensure_future(asyncio.to_thread(self._replace, data))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await writing
            raise

    def save(self, session: Session) -> None:
        """Write now."""
        self._replace(msgspec.json.encode(state_of(session)))

    def _replace(self, data: bytes) -> None:
        beside = self._path.with_name(self._path.name + ".new")
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def state_of(session: Session) -> dict[str, Any]:
    """As plain values; orders that were not transmitted are left out (TWS.md 3.3)."""
    return {
        "format": FORMAT,
        "session": session.market.session.isoformat(),
        "at": session.now(),
        "accounts": [ledger.state() for ledger in session.accounts],
        "desk": session.desk.state(),
    }
