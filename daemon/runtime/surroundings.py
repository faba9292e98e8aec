"""What a process finds around it beside its event loop: wall clock, chance, its own size, ways out that are no sockets.

A simulated world hands in its own; the home of the raw sources of chance.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct, field

from daemon.alerts.channels import Channel, channels_of
from daemon.runtime import systemd
from daemon.runtime.clock import wall_now
from shared.config import Config
from shared.io.mqtt import MqttLink
from shared.io.mqtt_port import OpenLink


class NotifyService(Protocol):
    """Tell the service manager, as `systemd.notify` does."""

    def __call__(self, *lines: str) -> bool:
        """False if it cannot take the lines now."""


def _memory_mb() -> float:
    """Resident memory of this process now (proc(5): the second field of statm counts pages)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _disk_free_mb(folder: Path) -> float:
    return shutil.disk_usage(folder).free / 1e6


def _task_count() -> int:
    return len(asyncio.all_tasks())


class Surroundings(Struct, frozen=True, kw_only=True):
    """By default the real ones.

    `wall` may be set back and forth; it is aware, in UTC. `entropy` gives so many unpredictable bytes. `open_link`
    makes a line to an MQTT broker, `channels` the ways to a person (ConfigError if one cannot be built). `memory_mb`
    is resident, `task_count` counts this process's tasks, `disk_free_mb` is asked with a folder that is there.
    """

    wall: Callable[[], datetime] = wall_now
    pid: int = field(default_factory=os.getpid)
    entropy: Callable[[int], bytes] = secrets.token_bytes
    open_link: OpenLink = MqttLink
    channels: Callable[[Config], Sequence[Channel]] = channels_of
    notify: NotifyService = systemd.notify
    memory_mb: Callable[[], float] = _memory_mb
    disk_free_mb: Callable[[Path], float] = _disk_free_mb
    task_count: Callable[[], int] = _task_count
