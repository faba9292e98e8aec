"""A desk as the configuration wants it, for the daemon and for the outside watcher."""

from __future__ import annotations

from pathlib import Path

from daemon.alerts.desk import AlertDesk
from daemon.alerts.spool import Spool
from daemon.runtime.surroundings import Surroundings
from shared.config import Config


def spool_file(config: Config, writer: str) -> Path:
    """Where pages wait for a restart; each writing process has its own."""
    return config.base_dir / config.state_dir / config.mode / f"{writer}.spool.json"


def open_desk(config: Config, writer: str = "alerts", surroundings: Surroundings | None = None) -> AlertDesk:
    """Needs a running event loop.

    Raises:
        ConfigError: a channel cannot be built; better said at the start than found out in need.
    """
    surroundings = surroundings or Surroundings()
    return AlertDesk(
        section=config.alerts,
        channels=surroundings.channels(config),
        spool=Spool(spool_file(config, writer)),
        sender=f"openbell {config.mode}" if writer == "alerts" else f"openbell {writer} {config.mode}",
        wall=surroundings.wall,
    )
