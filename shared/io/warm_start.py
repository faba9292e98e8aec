"""What the strategies remember after the last stored bar: a live start goes on from there instead of from some rows.

FOLDER/warm_start.msgpack in the folder of [features], written whole by research, judged by the daemon. A fault is one
line that says what is wrong with which file, the value found, and what mends it.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from shared.errors import DataError, NotFound

if TYPE_CHECKING:
    from shared.config import Config

WARM_START_FILE = "warm_start.msgpack"
FORMAT = "openbell.warm_start/1"
_AGAIN = "run: openbell features build"
_SHOWN_DIGITS = 12


class WarmStart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The engine's snapshot after `rows` rows of bars, the last of which closed at `closed_at`.

    `settings` and `code` say what the state depends on; `digest` is that of the rows of the universe, `bars` that of
    the features beside it (bars.json). `checksum` covers all else.
    """

    format: str = FORMAT
    settings: dict[str, str]
    code: str
    digest: str
    bars: str
    rows: int
    closed_at: datetime
    state: bytes
    checksum: str = ""


class _Bars(Struct):
    digest: str = ""


def warm_start_path(config: Config) -> Path:
    """Beside the stored features."""
    return config.base_dir / config.features.folder / WARM_START_FILE


def settings_of(config: Config) -> dict[str, str]:
    """The keys of the configuration that a strategy's memory depends on, each as text; DataError for a missing file."""
    found = {
        "universe.symbols": ",".join(config.universe.symbols),
        "bars.interval_s": str(config.bars.interval_s),
        "session.calendar": config.session.calendar,
        "risk.price_jump_pct_max": str(config.risk.price_jump_pct_max),
        "risk.max_var_pct, risk.max_cvar_pct": f"{config.risk.max_var_pct}, {config.risk.max_cvar_pct}",
        "table of actions": _content_hash(config.base_dir / config.replay_actions) if config.replay_actions else "",
    }
    for strategy in config.strategies:
        asked = strategy.model_dump(mode="json", include={"kind", "symbols", "params", "sizing", "exits"})
        found[f"strategy {strategy.name}"] = json.dumps(asked, sort_keys=True)
    return found


def sealed(start: WarmStart) -> bytes:
    """The file's content, with its checksum."""
    return msgspec.msgpack.encode(replace(start, checksum=_checksum(start)))


def read_warm_start(path: Path) -> WarmStart:
    """What is stored, whole and of a format that is known.

    Raises:
        NotFound: nothing is. DataError: it cannot be read, is torn or changed, or of another format.
    """
    try:
        start = msgspec.msgpack.decode(path.read_bytes(), type=WarmStart)
    except FileNotFoundError:
        raise NotFound(f"{path}: is not there; {_AGAIN}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise DataError(f"{path}: is torn or no warm start ({error}); {_AGAIN}") from None
    if start.format != FORMAT:
        raise DataError(f"{path}: is of format {start.format}, this release reads {FORMAT}; {_AGAIN}")
    if start.checksum != _checksum(start):
        raise DataError(f"{path}: does not match its checksum, somebody or something has changed it; {_AGAIN}")
    return start


def foreign_fault(path: Path, start: WarmStart, *, settings: dict[str, str], code: str) -> str:
    """Why the state is not of these settings, this code and the bars beside it; empty if it is."""
    other = [key for key in {**settings, **start.settings} if settings.get(key) != start.settings.get(key)]
    if other:
        return f"{path}: was made with another {', another '.join(other)}; {_AGAIN}"
    made_of = (("by other code", start.code, code), ("from other bars than bars.json", start.bars, _bars_beside(path)))
    for what, theirs, ours in made_of:
        if theirs != ours:
            return f"{path}: was made {what} ({theirs[:_SHOWN_DIGITS]}, here is {ours[:_SHOWN_DIGITS]}); {_AGAIN}"
    return ""


def _bars_beside(path: Path) -> str:
    try:
        return msgspec.json.decode((path.parent / "bars.json").read_bytes(), type=_Bars).digest
    except (OSError, msgspec.MsgspecError):
        return "none"


def _checksum(start: WarmStart) -> str:
    return hashlib.sha256(msgspec.msgpack.encode(replace(start, checksum=""))).hexdigest()


def _content_hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}, allowed: the table of replay or bars") from None
