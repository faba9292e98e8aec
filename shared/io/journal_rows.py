"""What a journal holds, whatever database keeps it, and the chain that makes an edited or missing row show.

Version 1 had no chain. Version 2: each event's `chain` is the digest of the chain before it, its own columns and its
commands; runs and snapshots carry the digest of their own columns. It shows accidents and careless edits; who can
write the whole file can also forge the whole chain.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from msgspec import Struct

SCHEMA_VERSION = 2
_DIGEST_BYTES = 16


class Run(Struct, frozen=True, kw_only=True):
    """One start of the daemon. `started_at` is wall time (ISO, UTC); `after_seq` the last event before it."""

    id: str
    started_at: str
    mode: str
    config_json: str
    base_dir: str
    code_version: str
    strategy_hashes: str
    after_seq: int = 0


class Snapshot(Struct, frozen=True, kw_only=True):
    """The engine's bytes after event `seq`, written by run `run_id`."""

    run_id: str
    seq: int
    payload: bytes


class Record(Struct, frozen=True, kw_only=True):
    """One journalled event with the commands it led to, all as bytes; `chain` is empty in a journal of version 1."""

    seq: int
    run_id: str
    received_at: str
    kind: str
    payload: bytes
    commands: tuple[bytes, ...]
    chain: bytes = b""


def run_id_of(started_at: datetime, pid: int) -> str:
    """A run's name: when (wall time, UTC, milliseconds) and which process; names sort by time."""
    return f"{started_at:%Y%m%dT%H%M%S}{started_at.microsecond // 1000:03d}Z-{pid}"


def digest(*parts: str | int | bytes) -> bytes:
    """16 bytes of BLAKE2b over the parts, each preceded by its length."""
    hashed = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        content = part if isinstance(part, bytes) else str(part).encode()
        hashed.update(len(content).to_bytes(8, "little"))
        hashed.update(content)
    return hashed.digest()


def link(previous: bytes, record: Record) -> bytes:
    """The chain at `record`, after `previous` (empty before the first event)."""
    return digest(
        previous, record.seq, record.run_id, record.received_at, record.kind, record.payload, *record.commands
    )


def run_digest(run: Run) -> bytes:
    return digest(*(getattr(run, name) for name in Run.__struct_fields__))


def snapshot_digest(snapshot: Snapshot) -> bytes:
    return digest(snapshot.run_id, snapshot.seq, snapshot.payload)
