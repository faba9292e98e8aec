"""Where a secret is looked up: systemd's credentials, a file only its owner may read, the desktop's keyring.

Never from the command line or the environment, which other processes and `systemctl show` can read. What was loaded
is kept out of every log line from then on (shared/io/logging.py).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

from shared.errors import ConfigError
from shared.io.logging import hide

SECRETS_FOLDER = "secrets"
SERVICE = "openbell"
LENGTH_MIN = 8
"""Anything shorter stands in ordinary words too and cannot be told from them in a log line."""
_NAME = re.compile(r"[a-z0-9_]{1,48}")
_BYTES_MAX = 65_536
_READABLE_BY_OTHERS = 0o077


class Secret(str):
    """A text whose repr says nothing: tracebacks with locals, dumps of a record and `%r` show stars."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('***')" if self else "Secret('')"


def read_secret(name: str, base_dir: Path, environ: Mapping[str, str] = os.environ) -> Secret:
    """The secret of that name, without its final line break; empty where no place knows it.

    The order is $CREDENTIALS_DIRECTORY/NAME, BASE_DIR/secrets/NAME, keyring (service "openbell").

    Raises:
        ConfigError: the name is none, the file may be read by others or cannot be read, the value is too short.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"secret {name!r}: is no name of a secret, must be 1 to 48 of a-z, 0-9 and _")
    credentials = environ.get("CREDENTIALS_DIRECTORY", "")
    if credentials and (found := _content(Path(credentials) / name)) is not None:
        return _loaded(found, f"credential {name}")
    path = base_dir / SECRETS_FOLDER / name
    _refuse_readable_by_others(path)
    if (found := _content(path)) is not None:
        return _loaded(found, str(path))
    return _loaded(_in_keyring(name), f"keyring {SERVICE}/{name}")


def _content(path: Path) -> str | None:
    """The text of the file, None if there is none."""
    try:
        with path.open("rb") as file:
            content = file.read(_BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if len(content) > _BYTES_MAX:
        raise ConfigError(f"{path}: is larger than {_BYTES_MAX} bytes, that is no secret")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text, a secret must be") from None


def _refuse_readable_by_others(path: Path) -> None:
    try:
        facts = path.stat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    if facts.st_mode & _READABLE_BY_OTHERS:
        raise ConfigError(f"{path}: others may read it (mode {facts.st_mode & 0o777:04o}), run: chmod 600 {path}")
    if facts.st_uid not in {os.geteuid(), 0}:
        raise ConfigError(f"{path}: belongs to another user (uid {facts.st_uid}), run: chown {os.geteuid()} {path}")


def _in_keyring(name: str) -> str:
    """What the keyring holds; empty without the extra, without a desktop's keyring, or without the entry."""
    try:
        keyring = import_module("keyring")
        errors = import_module("keyring.errors")
    except ImportError:
        return ""
    try:
        return keyring.get_password(SERVICE, name) or ""
    except errors.KeyringError:
        return ""


def _loaded(content: str, place: str) -> Secret:
    """The value, hidden from the logs; nothing is the same as not there."""
    value = content.removesuffix("\n").removesuffix("\r")
    if not value:
        return Secret("")
    if len(value) < LENGTH_MIN:
        raise ConfigError(
            f"{place}: has {len(value)} characters, must have at least {LENGTH_MIN} to be kept out of logs"
        )
    for form in sorted(_written_forms(value)):
        hide(form, shown="***")
    return Secret(value)


def _written_forms(value: str) -> set[str]:
    """How the secret, and each line of one that has several, may stand in a text: plain, escaped, or in a URL."""
    lines = {line for line in (value, *value.splitlines()) if len(line) >= LENGTH_MIN}
    return {form for line in lines for form in (line, repr(line)[1:-1], json.dumps(line)[1:-1], quote(line, safe=""))}
