"""The command `openbell gateway` as a process of its own, for benchmarks that measure it from outside."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
ENDS_WITHIN_S = 20.0


def frame_of(text: str) -> bytes:
    """A client's frame; fields are separated by NUL in `text`."""
    payload = text.encode()
    return struct.pack(">I", len(payload)) + payload


class GatewayProcess:
    """Listens when the block is entered, is gone when it is left."""

    def __init__(self, *arguments: str) -> None:
        self._command = [sys.executable, "-m", "openbell", "gateway", "--port", "0", "--json", *arguments]
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        self.port = int(json.loads(self._process.stdout.readline())["port"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(ENDS_WITHIN_S)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def memory_mb_max(self) -> float:
        """The most resident memory it ever had, in MB of 10^6 bytes (VmHWM)."""
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
