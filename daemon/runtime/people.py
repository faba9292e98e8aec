"""Alerts, figures and control as companions of a run."""

from __future__ import annotations

import asyncio

from daemon.alerts.open_desk import open_desk
from daemon.control.control import Control
from daemon.control.gate import LoopGate
from daemon.metrics.exporter import Exporter, open_exporter
from daemon.metrics.figures import Figures
from daemon.runtime.clock import MarketClock
from daemon.runtime.companion import FAREWELL_S, Companion
from daemon.runtime.loop import EngineLoop
from daemon.runtime.notices import Notices
from daemon.runtime.surroundings import Surroundings
from daemon.runtime.version import code_version
from shared.config import Config


def companions_of(
    config: Config, notices: Notices, loop: EngineLoop, clock: MarketClock, surroundings: Surroundings
) -> list[Companion]:
    """What the configuration asks for, connected to what it listens to.

    Raises:
        ConfigError: an alert channel cannot be built, or a socket or key of control.
        Refused: another daemon listens at the control socket.
    """
    found = [_alerts(config, notices, surroundings)]
    if config.metrics.port:
        found.append(_metrics(config, loop))
    control = Control(config, LoopGate(loop, clock), release=code_version(), surroundings=surroundings)
    control.bind()
    found.append(control.companion())
    return found


def _alerts(config: Config, notices: Notices, surroundings: Surroundings) -> Companion:
    desk = open_desk(config, surroundings=surroundings)
    notices.listen(desk.take)

    async def farewell(reason: str) -> None:
        desk.part(reason)
        await desk.drained(FAREWELL_S / 2)

    return Companion(name="alerts", sink=desk.on_beat, source=desk.facts, run=desk.run, farewell=farewell)


def _metrics(config: Config, loop: EngineLoop) -> Companion:
    figures = Figures(config.universe.symbols)
    exporter: Exporter | None = open_exporter(figures.registry, config.metrics.port)
    loop.on_durable.append(figures.on_durable)

    async def farewell(_reason: str) -> None:
        if exporter is not None:
            await asyncio.to_thread(exporter.close)

    return Companion(name="metrics", sink=figures.on_beat, farewell=farewell)
