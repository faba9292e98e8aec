"""What the daemon logs, in the simulation: searched for secrets, its notices written into the history, then dropped."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from structlog.typing import EventDict, WrappedLogger

from shared.io.logging import HEARTBEAT
from shared.io.redaction import redact
from tests.simulation.history import Beat
from tests.simulation.world.recorder import Recorder


class Lines:
    """The end of structlog's chain. `secrets` must never stand in a line (I20)."""

    def __init__(self, recorder: Recorder, secrets: tuple[str, ...]) -> None:
        self._recorder = recorder
        self._secrets = secrets
        self.is_open = True
        """Whether anybody still listens: what is said while a run is cleared away is no part of it."""

    def take(self, _logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
        """One line, as the daemon's own processors leave it."""
        if not self.is_open:
            raise structlog.DropEvent
        line = redact(_logger, method, line)
        self.search("log", str(line))
        recorder, name = self._recorder, str(line.get("event", ""))
        if name == HEARTBEAT:
            facts = {key: value for key, value in line.items() if key != "event"}
            recorder.add(Beat(at=recorder.now(), process=recorder.process, facts=facts))
        elif "text" in line and "reasons" in line:
            recorder.noticed(method, name, str(line["text"]))
        elif method in {"error", "critical", "exception"}:
            recorder.noticed("error", f"log:{name}", str(line.get("exc_info", line.get("reason", ""))))
        raise structlog.DropEvent

    def search(self, where: str, text: str) -> None:
        """Look for what must not be read by others."""
        for place, secret in enumerate(self._secrets):
            if secret in text:
                self._recorder.checked("secrets", "I20", False, f"secret {place} stands in {where}")


@contextmanager
def heard(lines: Lines) -> Iterator[None]:
    """structlog speaks to `lines` only; the gateway's own log is silent."""
    before, level = structlog.get_config(), logging.root.manager.disable
    structlog.configure(processors=[lines.take], wrapper_class=structlog.BoundLogger, cache_logger_on_first_use=False)
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        structlog.configure(**before)
        logging.disable(level)
