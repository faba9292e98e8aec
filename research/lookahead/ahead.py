"""Truncated and perturbed future: the past must sound the same whatever comes after it.

At a cut the same past runs with the real future behind it, with none, with one that is upside down and with one in
which nothing prints. Many cuts are tried on the first ROWS_DENSE rows and a few on the whole panel; between a clean cut
and one that differs the first that differs is found by bisection.
"""

from __future__ import annotations

import numpy as np

from research.lookahead.difference import Difference, first_difference, state_difference
from research.lookahead.finding import Check, found
from research.lookahead.panels import FUTURES, Future, between
from research.lookahead.subject import Said, Subject
from shared.io.bar_store import BarPanel

ROWS_DENSE = 1_000
CUTS, CUTS_WHOLE = 200, 4


def look_ahead(subject: Subject, panel: BarPanel, *, cuts: int | None = None, warm_up: int = 0) -> list[Check]:
    """One check per kind of future, with at most one finding each.

    The real panel runs first, so that a subject which keeps what it saw outside itself gives itself away. A feature
    may refuse a panel that ends within its `warm_up`. By default a feature is cut after every row: a hole that is
    filled from behind shows at one cut only. A strategy is cut at CUTS places; sealed rows (contract.py) show the rest.
    """
    cuts = cuts or (CUTS if subject.exact else ROWS_DENSE)
    dense = between(panel, 0, ROWS_DENSE)
    parts = [(dense, spread(len(dense), cuts))]
    if len(panel) > len(dense):
        parts.append((between(panel, 0, len(panel)), spread(len(panel), CUTS_WHOLE)))
    seen = [(part, chosen, subject.answer(part, states_at=[cut - 1 for cut in chosen])) for part, chosen in parts]
    may_refuse = 0 if subject.exact else warm_up
    checks = []
    for name, future in FUTURES.items():
        check = Check(name=name, did="the same up to every cut")
        for part, chosen, real in seen:
            check = _added(check, _sought(_Cut(subject, part, real, future, may_refuse), name, chosen))
        checks.append(check)
    return checks


def spread(rows: int, cuts: int) -> list[int]:
    """At most `cuts` cuts (rows before the future begins), evenly from 1 to rows - 1, rising."""
    if rows < 2:  # noqa: PLR2004 - a past and a future
        return []
    return sorted({round(float(cut)) for cut in np.linspace(1, rows - 1, min(cuts, rows - 1))})


class _Cut:
    """One subject before one kind of future."""

    def __init__(self, subject: Subject, panel: BarPanel, real: Said, future: Future, may_refuse: int) -> None:
        self.subject, self.panel, self.real, self._future = subject, panel, real, future
        self._may_refuse = may_refuse

    def difference(self, cut: int) -> Difference | None:
        """The first difference before the cut; that of the states after its last row, if nothing else differs."""
        heard = self.subject.answer(self._future(self.panel, cut), rows=cut, states_at=[cut - 1])
        if heard.raised is not None and cut <= self._may_refuse:
            return None
        said = first_difference(self.real, heard, cut, exact=self.subject.exact)
        if said is not None or cut - 1 not in self.real.states or cut - 1 not in heard.states:
            return said
        return state_difference(cut - 1, self.real.states[cut - 1], heard.states[cut - 1])

    def cause(self, difference: Difference, cut: int) -> str:
        """The attribute of a strategy that differs after the row that leaks, or nothing."""
        at = [difference.row]
        states = [
            self.subject.answer(panel, rows=difference.row + 1, states_at=at).states.get(difference.row)
            for panel in (self.panel, self._future(self.panel, cut))
        ]
        if difference.value.startswith("self.") or states[0] is None or states[1] is None:
            return ""
        inside = state_difference(difference.row, states[0], states[1])
        return "" if inside is None else f"; there {inside.value} is {inside.one} and {inside.other}"


def _sought(tried: _Cut, name: str, cuts: list[int]) -> Check:
    compared, clean = 0, 0
    for cut in cuts:
        compared += cut
        difference = tried.difference(cut)
        if difference is not None:
            first, difference = _bisected(tried, clean, (cut, difference))
            ahead = first - difference.row
            what = f"with another future from {ahead} row{'s' if ahead > 1 else ''} later on"
            finding = found(name, what + tried.cause(difference, first), difference, tried.panel)
            return Check(name=name, did="", compared=compared, findings=(finding,))
        clean = cut
    return Check(name=name, did="", compared=compared)


def _bisected(tried: _Cut, clean: int, dirty: tuple[int, Difference]) -> tuple[int, Difference]:
    """The first cut above `clean` at which something differs, and what; assumes that all above it differ too."""
    cut, difference = dirty
    while cut - clean > 1:
        middle = (clean + cut) // 2
        there = tried.difference(middle)
        if there is None:
            clean = middle
        else:
            cut, difference = middle, there
    return cut, difference


def _added(check: Check, more: Check) -> Check:
    findings = check.findings or more.findings
    return Check(name=check.name, did=check.did, compared=check.compared + more.compared, findings=findings)
