"""Fault scripts: TOML with one `[[fault]]` per fault, or the log of a run, which then happens again.

[[fault]]
name = "duplicate_executions"   # or number = 19
message = "execDetails"
nth = 3

[[fault]]
name = "lose_server"
at = "10:15:00"                 # New York, or "+600": seconds after the start of the day
for_s = 120
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brokers.simulated.gateway.faults.happened import COMMENT_KEYS
from brokers.simulated.gateway.faults.rule import Rule, rule_of
from brokers.simulated.gateway.faults.seeded import LEVELS
from shared.config_faults import syntax_fault
from shared.config_lines import index_lines, line_of
from shared.errors import ConfigError

LOG_SUFFIX = ".jsonl"
TABLE = "fault"


def rules_from_file(path: Path) -> tuple[Rule, ...]:
    """The rules of a script or of a log. Raises ConfigError with one line per mistake, in order."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise ConfigError(f"{path}: not found, allowed is {', '.join(LEVELS)} or a file that exists") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8, the file must be UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    entries = _from_log(path, text) if path.suffix == LOG_SUFFIX else _from_toml(path, text.replace("\r\n", "\n"))
    rules, mistakes = [], []
    for given, where in entries:
        rule, wrong = rule_of(given)
        if rule is not None:
            rules.append(rule)
        mistakes += [(where.get(key, where[""]), what) for key, what in wrong]
    if mistakes:
        raise ConfigError([f"{path}:{line}: {what}" for line, what in sorted(mistakes)])
    return tuple(rules)


Entry = tuple[dict[str, Any], dict[str, int]]
"""The keys of one fault, and the line of each; the entry itself stands under the empty key."""


def _from_toml(path: Path, text: str) -> Iterator[Entry]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}:{syntax_fault(error, text)}") from None
    lines = index_lines(text)
    wrong = [f"{path}:{line_of(lines, (key,))}: {key}: unknown, allowed is [[{TABLE}]]" for key in data if key != TABLE]
    entries = data.get(TABLE, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        wrong.append(f"{path}:{line_of(lines, (TABLE,))}: {TABLE}: is no array of tables, write [[{TABLE}]]")
    if wrong:
        raise ConfigError(wrong)
    for index, entry in enumerate(entries):
        yield entry, {key: line_of(lines, (TABLE, index, *((key,) if key else ()))) for key in ("", *entry)}


def _from_log(path: Path, text: str) -> Iterator[Entry]:
    """Every occurrence by itself; the ends of what lasted follow from it."""
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            entry = json.loads(line)
        except ValueError:
            raise ConfigError(
                f"{path}:{number}: {line[:60]!r} is no JSON, allowed are the lines of a fault log"
            ) from None
        if not isinstance(entry, dict):
            raise ConfigError(f"{path}:{number}: {line[:60]!r}, allowed are the lines of a fault log")
        if entry.get("event") != "ended":
            yield {key: value for key, value in entry.items() if key not in COMMENT_KEYS}, {"": number}
