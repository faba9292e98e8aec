"""structlog, set up once per process: JSON lines to a file, readable lines on stderr.

Lines of the standard library's logging (ib_insync speaks through it) take the same road. Account numbers and
whatever else was given to `hide` never reach a line, nor does the value of a key that names a secret
(redaction.py). Every line names the run and the code that wrote it, once `bind_run` was called.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from shared.io.redaction import hide, masked, redact

__all__ = ["HEARTBEAT", "bind_run", "hide", "masked", "set_up_logging"]
HEARTBEAT = "heartbeat"
_FILE_BYTES_MAX = 20_000_000
_FILES_KEPT = 5
_QUIET_AT_INFO = ("ib_insync", "asyncio", "numba", "matplotlib")
_run: dict[str, str] = {}


class LogFile(RotatingFileHandler):
    """Goes over to the next file once this one is full; a line is written whole, so a file may end a line later."""

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802, ARG002 - the parent's names
        """By the size so far: the parent formats the whole line a second time to know its length."""
        return self.stream is not None and os.fstat(self.stream.fileno()).st_size >= self.maxBytes


def set_up_logging(log_file: Path, *, stderr_is_terminal: bool | None = None) -> None:
    """Send every line to `log_file` (JSON, 20 MB, 5 old files kept) and to stderr.

    On a terminal stderr shows everything in colour; elsewhere (journald, a pipe) heartbeats stay out of it.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    is_terminal = sys.stderr.isatty() if stderr_is_terminal is None else stderr_is_terminal
    to_file = LogFile(log_file, maxBytes=_FILE_BYTES_MAX, backupCount=_FILES_KEPT, encoding="utf-8")
    to_file.setFormatter(_formatter(structlog.processors.JSONRenderer(serializer=_to_json)))
    to_stderr = logging.StreamHandler(sys.stderr)
    to_stderr.setFormatter(_formatter(structlog.dev.ConsoleRenderer(colors=is_terminal)))
    if not is_terminal:
        to_stderr.addFilter(lambda record: not _is_heartbeat(record))
    _run.clear()
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    root.addHandler(to_file)
    root.addHandler(to_stderr)
    root.setLevel(logging.INFO)
    for name in _QUIET_AT_INFO:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_shared_processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def bind_run(run_id: str, code_version: str) -> None:
    """Name the run and the code in every line from now on, those of other threads too: a mixed build shows."""
    _run.update(run=run_id, code=code_version)


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _name_the_run,
        structlog.processors.format_exc_info,
        redact,
    ]


def _formatter(renderer: Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared_processors(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )


def _name_the_run(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    return {**line, **{key: value for key, value in _run.items() if key not in line}}


def _is_heartbeat(record: logging.LogRecord) -> bool:
    return isinstance(record.msg, dict) and record.msg.get("event") == HEARTBEAT


def _to_json(line: EventDict, **_: object) -> str:
    """Strict JSON: a NaN (no price yet) is null, an instant is ISO text."""
    return json.dumps(_jsonable(line), default=str, allow_nan=False, ensure_ascii=False)


def _jsonable(value: object) -> object:
    if isinstance(value, float) and value != value:  # noqa: PLR0124 - only NaN differs from itself
        return None
    if isinstance(value, dict):
        return {key: _jsonable(held) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(held) for held in value]
    return value
