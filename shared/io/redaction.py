"""What never reaches a log line: values of keys that name a secret, values that were hidden, account numbers.

Three nets, because each has holes: a key may be named anything, a secret may never have been loaded by us, an account
number comes from the broker in the middle of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from re import Match, Pattern

from structlog.typing import EventDict, WrappedLogger

_SECRET_KEY = re.compile(
    r"(?:^|[_\-. ])(?:account|account_?id|account_?code|api_?key|authorization|bearer|cookie|credentials?|key|mac|"
    r"passphrase|passwd|password|private_?key|secret|token)s?$",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(r"(?<![A-Za-z0-9])(?:D[UFI]?|[UFI])[A-Z]{0,2}\d{5,}")
"""Account numbers of IB: U, F or I and digits; D in front for paper. `DU1234567`, `U7654321`, `DF123456`."""
_OWN_ENTRIES = frozenset({"_record", "_from_structlog"})
_hidden: dict[str, str] = {}
_pattern: list[Pattern[str]] = []


def hide(value: str, *, shown: str | None = None) -> None:
    """From now on write `shown` (else the first and last two characters and stars) in the place of `value`."""
    if not value or (shown is None and value in _hidden):
        return
    _hidden[value] = masked(value) if shown is None else shown
    longest_first = sorted(_hidden, key=len, reverse=True)  # a secret may hold another
    _pattern[:] = [re.compile("|".join(map(re.escape, longest_first)))]


def masked(value: str) -> str:
    """`DU1234567` as `DU***67`: enough to tell two accounts apart, not enough to use one."""
    return f"{value[:2]}***{value[-2:]}" if len(value) > 4 else "***"  # noqa: PLR2004 - two and two shown


def cleaned_text(text: str) -> str:
    """`text` without what was hidden and without account numbers; for what leaves by other ways than the log."""
    for pattern in _pattern:
        text = pattern.sub(_shown, text)
    return _ACCOUNT.sub(lambda match: masked(match[0]), text)


def redact(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """The line with nothing in it that must not be read; a processor of structlog."""
    return {key: value if key in _OWN_ENTRIES else _cleaned(key, value) for key, value in line.items()}


def _cleaned(key: str, value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return {cleaned_text(str(inner)): _cleaned(str(inner), held) for inner, held in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(key, held) for held in value]
    if isinstance(value, int | float):
        return value if _key_is_harmless(key) and str(value) not in _hidden else "***"
    # Bytes, paths, exceptions and records would be turned into text by the renderer, behind our back.
    text = value.decode(errors="replace") if isinstance(value, bytes | bytearray) else str(value)
    return cleaned_text(text) if _key_is_harmless(key) else masked(text) if _ACCOUNT.fullmatch(text) else "***"


@lru_cache(maxsize=1024)
def _key_is_harmless(key: str) -> bool:
    return _SECRET_KEY.search(key) is None


def _shown(match: Match[str]) -> str:
    return _hidden[match[0]]
