"""Files written by a thread beside the one that computes, so that kernels do not wait for the disk."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from shared.io.bar_disk import Disk

WAITING_MAX = 2
"""Files that may wait for the disk: what a worker holds of them."""


@contextmanager
def written_behind(disk: Disk) -> Iterator[Callable[[Path, bytes], None]]:
    """Give `disk.write`, done behind the caller's back; whatever was written is on the platter when the block ends.

    Raises:
        OSError: from a later write, or at the end.
    """
    waiting: deque[Future[None]] = deque()

    def write(path: Path, content: bytes) -> None:
        if len(waiting) >= WAITING_MAX:
            waiting.popleft().result()
        waiting.append(writer.submit(disk.write, path, content))

    with ThreadPoolExecutor(1) as writer:
        yield write
        while waiting:
            waiting.popleft().result()
