"""Shifted start and longer warm-up: how many rows until it no longer matters where the data began."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from research.lookahead.difference import Difference, differing_rows
from research.lookahead.finding import Check, Finding, found
from research.lookahead.panels import between
from research.lookahead.subject import Said, Subject
from shared.io.bar_store import BarPanel

SHIFTS = (1, 2, 3, 5, 7, 11, 16, 23)
WARM_UPS_MIN = 4  # a panel of fewer warm-ups says nothing about what lasts
ROWS_MAX = 4_000
LATE = 0.8  # what still differs in the last fifth of the rows will not settle
MULTIPLES = (1, 2, 3)


def shifted_start(subject: Subject, panel: BarPanel, *, warm_up: int, periods: Collection[int] = ()) -> Check:
    """Runs that begin some rows later against the one that begins first.

    After `warm_up` rows both must say the same. `periods` are the subject's whole numbers: where every start that is a
    multiple of one of them agrees, the subject counts rows, and its phase is named as a note.
    """
    name = "shifted start"
    did = f"the same after {warm_up} rows from any start"
    if len(panel) < WARM_UPS_MIN * warm_up + 2 * max(SHIFTS):
        return Check(name=name, did=f"{did} (the data is too short)")
    tried = _Starts(subject, between(panel, 0, ROWS_MAX))
    settled = [tried.settled(0, start) for start in SHIFTS]
    worst = max(settled, key=lambda one: one.rows)
    compared = sum(len(tried.panel) - start - warm_up for start in SHIFTS)
    if worst.rows <= warm_up:
        return Check(name=f"{name}", did=f"{did}; {worst.rows} would do", compared=compared)
    phase = _phase(tried, warm_up, periods)
    if phase is not None:
        note = (
            f"the result depends on the day it begins: decisions repeat only for starts {phase} rows apart. Try every "
            "phase before you believe a figure"
        )
        return Check(name=name, did=did, compared=compared, findings=(Finding(check=name, what=note, level="note"),))
    return Check(name=name, did=did, compared=compared, findings=(_unsettled(name, worst, tried, warm_up),))


def longer_warm_up(subject: Subject, panel: BarPanel, *, warm_up: int, periods: Collection[int] = ()) -> Check:
    """The same first traded row after one, two and three warm-ups before it; two rows of panel are tried."""
    name = "longer warm-up"
    did = f"the same after {warm_up} rows and after more"
    if warm_up == 0 or len(panel) < WARM_UPS_MIN * warm_up + 2:
        return Check(name=name, did=f"{did} ({'no warm-up' if warm_up == 0 else 'the data is too short'})")
    tried = _Starts(subject, between(panel, 0, ROWS_MAX))
    settled = [tried.settled((3 - times) * warm_up, 2 * warm_up) for times in (2, 3)]
    worst = max(settled, key=lambda one: one.rows)
    compared = 2 * (len(tried.panel) - 3 * warm_up)
    if worst.rows <= warm_up or _phase(tried, warm_up, periods) is not None:
        return Check(name=name, did=did, compared=compared)
    return Check(name=name, did=did, compared=compared, findings=(_unsettled(name, worst, tried, warm_up),))


class _Settled(Struct, frozen=True):
    """How many rows after the later start the last difference lies (0: none), and the last difference itself."""

    rows: int
    last: Difference | None = None


class _Starts:
    """Runs of one subject from several rows of one panel; each start is run once."""

    def __init__(self, subject: Subject, panel: BarPanel) -> None:
        self.subject, self.panel = subject, panel
        self._runs: dict[int, Said] = {}

    def settled(self, earlier: int, later: int) -> _Settled:
        """When the run from `later` on has come to say what the one from `earlier` on says.

        Convictions are compared and no reasons: an average with an endless memory still differs in its last digits.
        """
        one, other = (self._run(start) for start in (earlier, later))
        mine = one.values[later - earlier :]
        rows = differing_rows(mine, other.values, exact=self.subject.exact)
        if not len(rows):
            return _Settled(0)
        row = int(rows[-1])
        column = int(differing_rows(mine[row : row + 1].T, other.values[row : row + 1].T, exact=self.subject.exact)[0])
        said = [_said(values[row, column]) for values in (mine, other.values)]
        kind = "conviction" if self.subject.exact else "value"
        last = Difference(later + row, one.symbols[column], kind, said[0], said[1])
        return _Settled(row + 1, last)

    def _run(self, start: int) -> Said:
        if start not in self._runs:
            self._runs[start] = self.subject.answer(between(self.panel, start, len(self.panel)))
        return self._runs[start]


def _unsettled(name: str, worst: _Settled, tried: _Starts, warm_up: int) -> Finding:
    assert worst.last is not None
    if worst.last.row >= LATE * len(tried.panel):
        what = "in a run that begins later, however long ago; it never settles"
    else:
        what = f"in a run that begins later; [bars] warm_up {warm_up} is too short, {worst.rows} rows would do"
    return found(name, what, worst.last, tried.panel)


def _phase(tried: _Starts, warm_up: int, periods: Collection[int]) -> int | None:
    """The period of whose multiples every start agrees with the first one."""
    longest = len(tried.panel) // WARM_UPS_MIN
    for period in sorted({number for number in periods if number > 1}):
        starts = [period * times for times in MULTIPLES]
        if starts[-1] < longest and all(tried.settled(0, start).rows <= warm_up for start in starts):
            return period
    return None


def _said(value: float) -> str:
    return "nothing" if value != value else f"{value:.12g}"  # noqa: PLR0124 - NaN is unequal to itself
