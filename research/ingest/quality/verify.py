"""Every check over every symbol of a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from research.ingest.quality.finding import KINDS, Finding, Limits
from research.ingest.quality.order import disordered, unsound
from research.ingest.quality.prints import suspicious_prints
from research.ingest.quality.quiet import lots_against_shares, stale_runs, zero_volumes
from research.ingest.quality.quotes import bad_quotes
from research.ingest.quality.ranges import outside_range
from research.ingest.quality.sessions import Sessions, against_the_calendar, sessions_of
from research.ingest.quality.splits import explained, unexplained_splits, unseen_actions
from research.ingest.quality.table import Series, Table
from shared.io.bar_checks import DAILY_S
from shared.io.stored_actions import Action

Actions = Mapping[str, Sequence[Action]]


class Report(Struct, frozen=True, kw_only=True):
    """What was looked at and what was found, by symbol and then by time."""

    name: str
    symbols: tuple[str, ...]
    rows: int
    interval_s: int
    first_at: int
    last_at: int
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many bars or sessions each kind concerns, in the order of KINDS, those of 0 left out."""
        found: Counter[str] = Counter()
        for finding in self.findings:
            found[finding.kind] += finding.count
        return {kind: found[kind] for kind in KINDS if found[kind]}

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong; something may be doubtful."""
        return not any(finding.is_wrong for finding in self.findings)


def verify(table: Table, limits: Limits, actions: Actions | None = None) -> Report:
    """Check the table. `actions` None: a split is explained by the vendor's own columns; a mapping: by it alone."""
    sessions = sessions_of(limits.calendar)
    findings: list[Finding] = []
    for series in table.series:
        of_it = None if actions is None else actions.get(series.symbol, ())
        found = _of_quotes(series, sessions) if table.is_quotes else _of_bars(series, (sessions, limits, of_it))
        findings += sorted(found, key=lambda finding: (finding.at, finding.kind))
    times = np.concatenate([series.opened_at for series in table.series]) if table.series else np.zeros(1, np.int64)
    known = times[times > 0]
    return Report(
        name=table.name,
        symbols=tuple(series.symbol for series in table.series),
        rows=table.rows,
        interval_s=table.interval_s,
        first_at=int(known.min()) if len(known) else 0,
        last_at=int(known.max()) if len(known) else 0,
        findings=tuple(findings),
    )


def _of_bars(series: Series, given: tuple[Sessions, Limits, Sequence[Action] | None]) -> list[Finding]:
    sessions, limits, actions = given
    found, sound = unsound(series)
    order, bars = disordered(series.at(sound))
    found += order
    if not len(bars):
        return found
    known = explained(bars, actions)
    found += outside_range(bars)
    found += suspicious_prints(bars, known, limits)
    found += _beside(found, bars, unexplained_splits(bars, known, limits)) if bars.interval_s == DAILY_S else []
    found += unseen_actions(bars, actions)
    found += stale_runs(bars, limits) + zero_volumes(bars)
    found += lots_against_shares(bars) if bars.interval_s == DAILY_S else []
    return found + against_the_calendar(bars, sessions)


def _beside(found: list[Finding], bars: Series, splits: list[Finding]) -> list[Finding]:
    """The splits that are not the way to a bad print or back from one."""
    bad = {finding.at for finding in found if finding.kind == "bad_print"}
    before = dict(zip(bars.opened_at[1:].tolist(), bars.opened_at[:-1].tolist(), strict=True))
    return [split for split in splits if not bad & {split.at, before[split.at]}]


def _of_quotes(series: Series, sessions: Sessions) -> list[Finding]:
    found, bars = disordered(series)
    days = [each for each in against_the_calendar(_closes(bars), sessions) if each.kind == "not_a_session"]
    return found + bad_quotes(bars) + days


def _closes(quotes: Series) -> Series:
    """The quotes as bars of their mid, for the calendar."""
    middle = (quotes.values["bid_close"] + quotes.values["ask_close"]) / 2
    return Series(
        symbol=quotes.symbol,
        interval_s=quotes.interval_s,
        opened_at=quotes.opened_at,
        row=quotes.row,
        values={"open": middle, "close": middle},
    )
