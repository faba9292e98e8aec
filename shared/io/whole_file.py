"""A file is there wholly or as it was before: a temporary name, fsync, rename, fsync of the folder."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Put `text` at `path` with these rights; the folder must exist.

    Raises:
        OSError: nothing has changed then.
    """
    write_whole_bytes(path, text.encode(), mode=mode)


def write_whole_bytes(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """The same of bytes. A kill may leave a draft, `.NAME.PID.new`."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)  # whatever the umask takes away
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
