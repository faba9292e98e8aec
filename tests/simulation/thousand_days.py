"""The thousand brutal days that every commit has to live through: a process of its own, beside the other tests.

They use one core; it takes what they leave of the machine, and the last test asks for its summary.
"""

import faulthandler
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMMAND = ("simulate", "--seeds", "0:1000", "--weather", "brutal", "--jobs", "1", "--budget", "40m", "--json")
"""`make simulate` on one core; the budget is for a machine so slow that the tests would miss CI's hour."""


class Campaign:
    """The command, begun with the object, at a lower priority than the tests."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["nice", "-n", "5", sys.executable, "-m", "openbell", *COMMAND],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self) -> tuple[int, dict[str, Any], str]:
        """Wait for the last day: exit code, summary, and what was said of days that broke."""
        faulthandler.cancel_dump_traceback_later()  # minutes are no hang here
        out, said = self._process.communicate()
        return self._process.returncode, json.loads(out), said

    def left(self) -> int:
        """Nobody wants it any more; its exit code."""
        self._process.terminate()
        self._process.communicate()
        return self._process.returncode
