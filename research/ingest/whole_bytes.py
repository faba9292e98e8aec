"""A file of bytes that is there wholly or as it was before; a disk that fails is one line."""

from __future__ import annotations

from pathlib import Path

from shared.errors import DataError
from shared.io.bar_disk import RealDisk, put


def write_bytes(path: Path, content: bytes) -> None:
    """Put the content there; DataError where it cannot be, and nothing has changed then."""
    try:
        put(RealDisk(), path, content)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}, allowed: a writable folder") from error
