"""The records of a night on disk: one small file a step, written whole: a kill leaves the one before, or this."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from research.nightly.step import Records, StepRecord
from shared.io.whole_file import write_whole

_FOLDER = "steps"


def read_records(folder: Path) -> Records:
    """Every record in the night's folder; one that is damaged counts as none, its step is done again."""
    found: Records = {}
    for path in sorted((folder / _FOLDER).glob("*.json")):
        try:
            record = msgspec.json.decode(path.read_bytes(), type=StepRecord)
        except (OSError, msgspec.MsgspecError):
            continue
        if record.step == path.stem:
            found[record.step] = record
    return found


def clear_drafts(folder: Path) -> None:
    """Remove what a killed run was about to write; only for who holds the lock."""
    for draft in sorted(folder.rglob(".*.new")):
        draft.unlink(missing_ok=True)


def write_record(folder: Path, record: StepRecord) -> None:
    """Keep the record durably; raises OSError."""
    place = folder / _FOLDER
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(record, order="sorted"), indent=2).decode()
    write_whole(place / f"{record.step}.json", text + "\n", mode=0o600)


def file_hash(path: Path) -> str:
    """SHA-256 of the content in hex, empty if there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def is_intact(folder: Path, record: StepRecord) -> bool:
    """Whether every file that the step wrote is still there as it was."""
    return all(file_hash(folder / name) == digest for name, digest in record.files.items())
