"""Journalled events as plain facts for other programs and for people: JSON values, account numbers masked."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec
import numpy as np

from shared.io.journal_rows import Record, Run
from shared.io.logging import masked
from shared.messages import decode_command, decode_event

_ACCOUNT_KEYS = frozenset({"account", "account_id"})
_ACCOUNT = re.compile(r"\b(?:D[A-Z]|[UFI])\d{5,}\b")


class Exporter:
    """Turns rows into facts. Unless told otherwise no account number leaves: not under its key, not inside a text."""

    def __init__(self, *, with_accounts: bool = False) -> None:
        self._with_accounts = with_accounts

    def run(self, run: Run) -> dict[str, object]:
        """A start of the daemon, with its whole configuration."""
        facts = {**msgspec.to_builtins(run), "config": msgspec.json.decode(run.config_json)}
        facts.pop("config_json")
        return {"type": "run", **self._cleaned(facts)}

    def record(self, record: Record) -> dict[str, object]:
        """An event and what it led to; bytes that no message is made of are shown as they are."""
        return {
            "type": "event",
            "seq": record.seq,
            "run": record.run_id,
            "at": record.received_at,
            "kind": record.kind,
            "event": self._facts(record.payload, decode_event),
            "commands": [self._facts(command, decode_command) for command in record.commands],
        }

    def _facts(self, payload: bytes, decode: Any) -> object:  # noqa: ANN401 - one of the two decoders
        try:
            message = decode(payload)
        except msgspec.MsgspecError:
            return {"unreadable": payload.hex()}
        return self._cleaned(msgspec.to_builtins(message, builtin_types=(bytes,), enc_hook=_plain))

    def _cleaned(self, value: Any, key: str = "") -> Any:  # noqa: ANN401 - JSON values
        match value:
            case dict():
                return {name: self._cleaned(inner, name) for name, inner in value.items()}
            case list() | tuple():
                return [self._cleaned(inner) for inner in value]
            case bytes():
                return f"{len(value)} bytes, SHA-256 {hashlib.sha256(value).hexdigest()}"
            case float() if not np.isfinite(value):
                return None  # JSON has no NaN
            case str() if value and not self._with_accounts:
                is_account = key in _ACCOUNT_KEYS
                return masked(value) if is_account else _ACCOUNT.sub(lambda found: masked(found[0]), value)
        return value


def line(facts: dict[str, object]) -> str:
    """One event for a person: number, time, kind, and the commands with their reasons."""
    if facts["type"] == "run":
        return f"-- run {facts['id']} ({facts['mode']}, {facts['code_version']}) --"
    head = f"{facts['seq']:>8}  {str(facts['at'])[:23]}  {facts['kind']}{_few(facts['event'])}"
    commands = facts["commands"]
    assert isinstance(commands, list)
    return "\n".join([head, *(f"{'':>10}-> {_command(command)}" for command in commands)])


def _command(command: dict[str, Any]) -> str:
    reasons = "; ".join(command.get("reasons", ()))
    return f"{command.get('type', 'unreadable')}{_few(command)}" + (f"  ({reasons})" if reasons else "")


def _few(facts: object) -> str:
    """The plain values of a message; what is longer is left to --json."""
    if not isinstance(facts, dict):
        return ""
    left_out = {"type", "received_at", "reasons"}
    short = {key: value for key, value in facts.items() if key not in left_out and not isinstance(value, dict | list)}
    return "".join(f" {key}={value}" for key, value in short.items() if value not in {None, ""})


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        return value.tolist()
    message = f"journal: cannot show {type(value).__name__}"
    raise NotImplementedError(message)
