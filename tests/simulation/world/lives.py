"""The daemon's lives: started, killed, ended in order, and started again as systemd would do it."""

from __future__ import annotations

import asyncio
import contextvars
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from daemon.alerts.channels import Channel
from daemon.engine.assembly import build_engine
from daemon.runtime.ib_broker import ib_broker
from daemon.runtime.lifecycle import Daemon
from daemon.runtime.surroundings import Surroundings
from daemon.runtime.wiring import assemble
from shared.config import Config
from shared.io.mqtt_port import OpenLink
from shared.io.redaction import hide
from tests.simulation.history import ProcessEnded, ProcessStarted
from tests.simulation.world.disk import JOURNAL, Disk, hand_over, open_journal
from tests.simulation.world.process import Killed, Process
from tests.simulation.world.recorder import Recorder

RESTART_S = 15.0
"""RestartSec of the unit (systemd/): after an error it is started again ..."""
START_LIMIT, START_LIMIT_S = 5, 600.0
"""... but not after so many deaths in so many seconds (StartLimitBurst, StartLimitIntervalSec): then a person does it.
"""
PERSON_S = 1_800.0
_PID_FROM = 1_000
_LEAVING_S = 1.0


class Doors(Struct, frozen=True, kw_only=True):
    """The daemon's ways out that are no sockets of the loop."""

    channels: Callable[[Config], Sequence[Channel]]
    open_link: OpenLink


class Lives:
    """One life at a time, on one state folder; `daemon` is the living one, None between two lives."""

    def __init__(self, config: Config, disk: Disk, recorder: Recorder, doors: Doors, chance: random.Random) -> None:
        self.config = config
        self.daemon: Daemon | None = None
        self.process: Process | None = None
        self.processes: list[Process] = []
        self.wall_skew_s = 0.0
        self.on_start: Callable[[Process], None] = lambda _: None
        self._disk, self._recorder, self._doors, self._chance = disk, recorder, doors, chance
        self._run: asyncio.Task[None] | None = None
        self._restart: asyncio.TimerHandle | None = None
        self._is_over = False
        self._deaths: list[float] = []

    @property
    def folder(self) -> Path:
        """Where the journal is."""
        return self.config.base_dir / self.config.state_dir / self.config.mode

    def wall(self) -> datetime:
        """The daemon's wall clock: true time and whatever it was set wrong by."""
        return datetime.fromtimestamp(self._recorder.now() + self.wall_skew_s, UTC)

    # ------------------------------------------------------------------ beginning

    def start(self) -> None:
        """Begin the next life, unless one lasts."""
        self._unplan()
        if self._is_over or self.process is not None:
            return
        process = self.process = Process(len(self.processes) + 1)
        self.processes.append(process)
        recorder = self._recorder
        recorder.process = process.number
        recorder.add(ProcessStarted(at=recorder.now(), process=process.number))
        process.on_kill.append(lambda: self._died(process))
        self.on_start(process)
        self._run = process.started(self._live(process), "daemon")
        self._run.add_done_callback(lambda run: self._ended(process, run))

    def start_in(self, seconds: float) -> None:
        """Begin the next life then, if none lasts."""
        self._unplan()
        nobodys = contextvars.Context()  # or it would end with the process in whose last moment it is planned
        self._restart = asyncio.get_running_loop().call_later(seconds, self._start_next, context=nobodys)

    def _start_next(self) -> None:
        """Begin the next life, as soon as the one before has left."""
        if self.process is None:
            self.start()
        else:
            self.start_in(_LEAVING_S)

    async def _live(self, process: Process) -> None:
        hide(self.config.account)
        journal = open_journal(self.folder / JOURNAL, self.config.mode, self._disk, self._recorder)
        try:
            daemon = assemble(self.config, journal, build_engine, ib_broker, self._surroundings(process))
        except BaseException:
            journal.close()
            raise
        self.daemon = daemon
        ending = await daemon.run(until_close=False)
        self._recorder.add(
            ProcessEnded(at=self._recorder.now(), process=process.number, how="left", text=ending.summary)
        )

    def _surroundings(self, process: Process) -> Surroundings:
        return Surroundings(
            wall=self.wall,
            pid=_PID_FROM + process.number,
            entropy=self._chance.randbytes,
            open_link=self._doors.open_link,
            channels=self._doors.channels,
            notify=_told,
            memory_mb=lambda: 100.0,
            disk_free_mb=lambda _: 0.0 if self._disk.fault == "full" else 10_000.0,
            task_count=lambda: len(process.tasks),
        )

    # ------------------------------------------------------------------ ending

    def kill(self) -> None:
        """SIGKILL, now."""
        if self.process is not None:
            self.process.kill()

    def stop(self) -> None:
        """SIGTERM."""
        if self.daemon is not None:
            self.daemon.request_stop("SIGTERM")
        elif self.process is not None:
            self.process.kill()  # it has not yet come so far that it would listen

    def over(self) -> None:
        """Nobody starts it any more."""
        self._is_over = True
        self._unplan()

    def bury(self) -> None:
        """After the run: let go of all lives."""
        for process in self.processes:
            process.is_alive = False
            process.bury()

    def _died(self, process: Process) -> None:
        """Killed: what it has written stands, the next life gets a copy."""
        recorder = self._recorder
        recorder.add(ProcessEnded(at=recorder.now(), process=process.number, how="killed"))
        hand_over(self.config.base_dir, process.number)
        self._gone()

    def _ended(self, process: Process, run: asyncio.Task[None]) -> None:
        """Ended of itself, in order or of an error."""
        if not process.is_alive:
            return
        process.end()
        self._gone()
        error = None if run.cancelled() else run.exception()
        if error is not None and not isinstance(error, Killed):
            text = f"{type(error).__name__}: {error}"
            self._recorder.add(ProcessEnded(at=self._recorder.now(), process=process.number, how="died", text=text))
            self.start_in(self._back_off_s())

    def _back_off_s(self) -> float:
        now = self._recorder.now()
        self._deaths = [at for at in self._deaths if now - at < START_LIMIT_S] + [now]
        return RESTART_S if len(self._deaths) < START_LIMIT else PERSON_S

    def _gone(self) -> None:
        self.daemon = self.process = self._run = None

    def _unplan(self) -> None:
        if self._restart is not None:
            self._restart.cancel()
            self._restart = None


def _told(*_: str) -> bool:
    """systemd hears everything."""
    return True
