"""A recording on disk, read and checked: what recording.py writes, and the captures of others.

A line has `dir` (`client` or `server`) and either `fields` or `msg` (fields closed by `|`); `client`, `session`,
`version` and `at` where they are known. Lines of one client, or of one session, are one conversation.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from shared.errors import ConfigError

CAPTURED_VERSION = 173
"""Of captures that do not say their version: that of the handshake in the real one we know."""
START_API = "71"


class Line(Struct, frozen=True):
    """One message of a recording; `at` in epoch seconds of market time, or unknown."""

    dir: Literal["client", "server"]
    fields: tuple[str, ...] = ()
    msg: str = ""
    at: float | None = None
    client: int | None = None
    session: str = ""
    version: int = CAPTURED_VERSION

    @property
    def texts(self) -> tuple[str, ...]:
        """The fields, whichever way they are written."""
        return self.fields or tuple(self.msg.removesuffix("|").split("|"))

    @property
    def kind(self) -> str:
        return self.texts[0]


class Conversation(Struct, frozen=True):
    """What one client and the gateway said to each other, in order."""

    client: int | None
    lines: tuple[Line, ...]


class Recording(Struct, frozen=True):
    """All conversations of a file, at one server version."""

    version: int
    conversations: tuple[Conversation, ...]

    def of(self, client_id: int) -> tuple[Conversation, ...]:
        """What a client is played: its own part, otherwise that of whoever came first, otherwise every capture."""
        own = tuple(one for one in self.conversations if one.client == client_id)
        known = tuple(one for one in self.conversations if one.client is not None)
        return own or known[:1] or self.conversations


def read_recording(path: Path) -> Recording:
    """Raises ConfigError with file and line of the first fault."""
    try:
        written = path.read_bytes().splitlines()
    except OSError as fault:
        raise ConfigError(f"recording {path}: {fault.strerror}") from None
    parts: dict[tuple[int | None, str], list[Line]] = {}
    lines = [_line(path, number, text) for number, text in enumerate(written, start=1) if text.strip()]
    if not lines:
        raise ConfigError(f"recording {path}: holds no message")
    versions = {line.version for line in lines}
    if len(versions) > 1:
        raise ConfigError(f"recording {path}: holds versions {sorted(versions)}, a recording has one")
    for line in lines:
        if not _is_handshake(line):
            parts.setdefault((line.client, line.session), []).append(line)
    return Recording(lines[0].version, tuple(Conversation(key[0], tuple(part)) for key, part in parts.items()))


def _line(path: Path, number: int, text: bytes) -> Line:
    try:
        line = msgspec.json.decode(text, type=Line)
    except msgspec.DecodeError as fault:
        raise ConfigError(f"recording {path}, line {number}: {fault}") from None
    if not line.fields and not line.msg:
        raise ConfigError(f"recording {path}, line {number}: neither `fields` nor `msg`")
    return line


def _is_handshake(line: Line) -> bool:
    """The offer of versions and its answer: not messages, and spoken anew with every client."""
    if line.dir == "client":
        return line.kind.startswith("v")
    return len(line.texts) == 2 and line.kind == str(line.version) and line.texts[1][:2] == "20"  # noqa: PLR2004 - version and time
