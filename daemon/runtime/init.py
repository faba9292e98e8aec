"""A first config.toml: the shipped one with the answers to five questions, checked before it is put in place."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

from msgspec import Struct

from daemon.runtime.clock import wall_now
from daemon.runtime.config_check import faults_beside_the_file
from shared.config import load_config
from shared.errors import ConfigError, NotFound, Refused

SHIPPED = Path(__file__).resolve().parents[2] / "config.toml"
_OWN_GATEWAY_PORT = 4010


class Answers(Struct, frozen=True, kw_only=True):
    """What only the operator knows. `max_day_loss` is in the universe's currency; `account` may be empty in paper."""

    mode: str
    host: str
    port: int
    account: str
    symbols: tuple[str, ...]
    max_day_loss: float
    owner: str
    today: date


def write_config(answers: Answers, target: Path, *, force: bool) -> None:
    """Write the configuration to `target`: wholly, or not at all.

    Raises:
        Refused: something is there already. ConfigError: the answers make no sound configuration, key by key.
    """
    if target.exists() and not force:
        raise Refused(f"{target}: is there already, --force overwrites it")
    if not SHIPPED.is_file():
        raise NotFound(f"{SHIPPED}: the shipped configuration is missing from this installation")
    draft = target.with_name(f".{target.name}.{os.getpid()}.toml")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(filled(SHIPPED.read_text(encoding="utf-8"), answers))
            file.flush()
            os.fsync(file.fileno())
        _check(draft, target)
        draft.replace(target)
    except OSError as error:
        raise Refused(f"{target}: cannot be written ({error.strerror})") from error
    finally:
        draft.unlink(missing_ok=True)


def filled(text: str, answers: Answers) -> str:
    """The shipped text with the answers in the place of its values; comments stay."""
    loss = answers.max_day_loss
    quoted = json.dumps  # what JSON writes as a text, TOML reads as the same
    values = {
        "mode": quoted(answers.mode),
        "account": quoted(answers.account),
        "host": quoted(answers.host),
        "port": f"{answers.port}",
        "follow_gateway_clock": "true" if answers.port == _OWN_GATEWAY_PORT and answers.mode == "paper" else "false",
        "symbols": quoted(list(answers.symbols)),
        "owner": quoted(answers.owner),
        "reviewed_on": f'"{answers.today}"',
        "reason": '"written by openbell init, to be reviewed"',
        "max_day_loss": f"{loss:.12g}",
        "max_week_loss": f"{loss * 2.5:.12g}",
        "max_strategy_day_loss": f"{loss / 2:.12g}",
        "max_instrument_day_loss": f"{loss / 4:.12g}",
    }
    for key, value in values.items():
        # The first place only: the universe's symbols stand before those of a strategy.
        text, found = re.subn(
            rf'^({key} = )("[^"]*"|\[[^\]]*\]|[^ \n]+)',
            _filling(value),
            text,
            count=1,
            flags=re.MULTILINE,
        )
        assert found, f"config.toml has no key {key}"
    # The shipped second strategy holds the best three; of fewer symbols all.
    return re.sub(r"\btop = \d+", f"top = {max(1, min(3, len(answers.symbols)))}", text)


def _filling(value: str) -> Callable[[re.Match[str]], str]:
    return lambda line: line[1] + value


def _check(draft: Path, target: Path) -> None:
    try:
        config = load_config(draft)
    except ConfigError as error:
        raise ConfigError([fault.replace(str(draft), str(target), 1) for fault in error.faults]) from error
    if faults := faults_beside_the_file(config, wall_now()):
        raise ConfigError(faults)
