"""What a person must be told: to the log, and to whoever else listens (alerts)."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from shared.commands import Notify

_log = structlog.get_logger("openbell")


class Notices:
    """The one door for notices of the engine and of the runtime; a listener's fault stays its own."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Notify], None]] = []

    def listen(self, listener: Callable[[Notify], None]) -> None:
        """From now on `listener` hears every notice; it must take note and return at once."""
        self._listeners.append(listener)

    def tell(self, notice: Notify) -> None:
        """Say it to the log, at the notice's own level, and to the listeners."""
        getattr(_log, notice.level)(notice.code, text=notice.text, reasons=list(notice.reasons))
        for listener in self._listeners:
            try:
                listener(notice)
            except Exception:  # noqa: BLE001 - whatever it is, it is logged and the trading goes on
                _log.exception("notice_not_passed_on", code=notice.code)
