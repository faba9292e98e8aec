"""What a strategy opens while it runs: files, connections, processes. Seen by CPython's audit events.

An audit hook cannot be taken away again; this one is set at the first watch and does nothing outside of one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from research.lookahead.finding import Check, Finding
from research.lookahead.panels import between
from research.lookahead.subject import Said, Subject
from shared.io.bar_store import BarPanel

WATCHED = {
    "open": "opens the file",
    "socket.connect": "connects to",
    "subprocess.Popen": "starts the process",
    "os.system": "starts the process",
    "sqlite3.connect": "opens the database",
    "os.listdir": "lists the folder",
}
# Compiled kernels and modules come from files too; that is Python at work and not the strategy.
MACHINERY = ("numba", "llvmlite", "importlib", "_frozen_importlib", "zipimport", "linecache", "tokenize", "traceback")


class _Watch:
    """Takes note of what happens while `active`, if the file `source` is among the callers."""

    def __init__(self) -> None:
        self.active = False
        self.installed = False
        self.source = Path()
        self.seen: list[tuple[int, str]] = []

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.active or event not in WATCHED:
            return
        line = _line_of(self.source, sys._getframe(1))  # noqa: SLF001 - the only way to the caller
        if line is not None:
            self.seen.append((line, f"{WATCHED[event]} {arguments[0] if arguments else ''!s}"))


_WATCH = _Watch()


def opens_nothing(subject: Subject, panel: BarPanel) -> tuple[Check, Said]:
    """One run under watch, and what was said in it; it has to be the first, a file is opened once and then known."""
    name = "watched run"
    with _watching(subject.source) as seen:
        said = subject.answer(between(panel, 0, len(panel)), states_at=[len(panel) - 1])
    findings = [
        Finding(check=name, what=f"{subject.source.name}:{line} {what}, and what it holds may be of the future")
        for line, what in dict.fromkeys(seen)
    ]
    check = Check(name=name, did="opens no file or connection", compared=len(panel), findings=tuple(findings))
    return check, said


@contextmanager
def _watching(source: Path) -> Iterator[list[tuple[int, str]]]:
    if not _WATCH.installed:
        sys.addaudithook(_WATCH.hook)
        _WATCH.installed = True
    _WATCH.source, _WATCH.seen = source, []
    _WATCH.active = True
    try:
        yield _WATCH.seen
    finally:
        _WATCH.active = False


def _line_of(source: Path, frame: FrameType | None) -> int | None:
    """The line of `source` that led here; None if it is not among the callers or Python's machinery lies between."""
    while frame is not None:
        if frame.f_code.co_filename == str(source):
            return frame.f_lineno
        if frame.f_globals.get("__name__", "").split(".")[0] in MACHINERY:
            return None
        frame = frame.f_back
    return None
