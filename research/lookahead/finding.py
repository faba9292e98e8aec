"""What the examination found, and what it looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from research.backtest.moments import instant
from research.lookahead.difference import Difference
from shared.io.bar_store import BarPanel

Level = Literal["leak", "note"]


class Finding(Struct, frozen=True, kw_only=True):
    """One way in which the subject knows what it may not, or breaks its contract; a note only asks for attention.

    `closed_at`, `symbol` and `value` say which bar and which number; `really` is what was said, `otherwise` what is
    said when the future (or the start, the process, the hand-out of rows) is another.
    """

    check: str
    what: str
    level: Level = "leak"
    closed_at: datetime | None = None
    symbol: str = ""
    value: str = ""
    really: str = ""
    otherwise: str = ""

    @property
    def line(self) -> str:
        at = f"{self.closed_at:%Y-%m-%d %H:%M} UTC: " if self.closed_at else ""
        said = f"{self.symbol} {self.value} ".lstrip() if self.value else ""
        values = f"is {self.really}, but {self.otherwise}" if self.really or self.otherwise else ""
        return f"{self.check}: {at}{said}{values}{' ' if values and self.what else ''}{self.what}"


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was looked at: how much of it, and what was found. `compared` is 0 where it was left out."""

    name: str
    did: str
    compared: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def outcome(self) -> str:
        if any(finding.level == "leak" for finding in self.findings):
            return "leak"
        if self.findings:
            return "note"
        return "clean" if self.compared else "left out"


def found(check: str, what: str, difference: Difference, panel: BarPanel) -> Finding:
    """A difference as a finding, its row as an instant."""
    return Finding(
        check=check,
        what=what,
        closed_at=instant(int(panel.closed_at[difference.row])),
        symbol=difference.symbol,
        value=difference.value,
        really=difference.one,
        otherwise=difference.other,
    )
