"""The contract of a strategy, tried: the same twice, after a restart, and with rows that lead nowhere."""

from __future__ import annotations

import numpy as np
from msgspec import structs

from research.lookahead.difference import Difference, first_difference, state_difference
from research.lookahead.finding import Check, Finding, found
from research.lookahead.panels import VALUES, between
from research.lookahead.subject import HandOut, Said, StrategySubject, Subject
from shared.errors import OpenbellError
from shared.io.bar_store import BarPanel
from shared.market import BarRow, sealed
from strategies.base import Strategy


def runs_at_all(subject: Subject, panel: BarPanel) -> Check:
    """One run over rows nobody can write to; an error in it is named with its line."""
    name = "runs"
    said = subject.answer(between(panel, 0, len(panel)))
    findings: tuple[Finding, ...] = ()
    if said.raised is not None:
        row = said.raised.row
        what = "it writes into its row" if "read-only" in said.raised.error else "it raises"
        error = Difference(row or 0, "", "error", said.raised.error, "none is allowed")
        finding = found(name, what, error, panel)
        findings = (structs.replace(finding, closed_at=None) if row is None else finding,)
    return Check(name=name, did="no error, writes into no row", compared=len(panel), findings=findings)


def same_twice(subject: Subject, panel: BarPanel, one: Said) -> Check:
    """A second fresh run in this process says what the first one (`one`) said, in values, reasons and state."""
    name = "same twice"
    other = subject.answer(between(panel, 0, len(panel)), states_at=[len(panel) - 1])
    difference = first_difference(one, other, len(panel), exact=True) or _of_states(one, other)
    what = "in a second run over the same rows: chance, a clock, or something kept outside the strategy"
    return Check(
        name=name,
        did="two fresh runs say the same",
        compared=len(panel),
        findings=() if difference is None else (found(name, what, difference, panel),),
    )


def sealed_rows(subject: StrategySubject, panel: BarPanel) -> Check:
    """Rows that lead nowhere, as the replay hands them out, against views of the panel."""
    return _handed_out(
        subject,
        panel,
        ("sealed rows", "rows that do not lead to the panel", "on a row without a base: it reaches for the panel"),
        lambda whole, row: sealed(whole.row(row)),
    )


def kept_rows(subject: StrategySubject, panel: BarPanel) -> Check:
    """Rows whose arrays are overwritten once the call is over: a note for those who keep them."""
    buffer = np.empty((len(VALUES), len(panel.symbols)))

    def in_a_buffer(whole: BarPanel, row: int) -> BarRow:
        for at, name in enumerate(VALUES):
            buffer[at] = getattr(whole, name)[row]
        views = [buffer[at].view() for at in range(len(VALUES))]
        for view in views:
            view.flags.writeable = False
        return BarRow(open=views[0], high=views[1], low=views[2], close=views[3], volume=views[4])

    check = _handed_out(
        subject,
        panel,
        ("kept rows", "row arrays that are used again", "where the arrays are used again: it keeps a row, copy it"),
        in_a_buffer,
    )
    return structs.replace(check, findings=tuple(structs.replace(one, level="note") for one in check.findings))


def restart(subject: StrategySubject, panel: BarPanel) -> Check:
    """Snapshot in the middle, restore into a fresh strategy, go on: as if nothing had happened."""
    name, middle = "restart", len(panel) // 2
    frozen = between(panel, 0, len(panel))
    whole = subject.answer(frozen, states_at=[middle - 1])
    if middle < 1 or whole.raised is not None:
        return Check(name=name, did="goes on from its snapshot")
    check = Check(name=name, did="goes on from its snapshot", compared=len(panel) - middle)
    try:
        resumed = StrategySubject(subject.name, lambda: _restored(subject, whole.states[middle - 1]))
    except OpenbellError as error:
        return structs.replace(check, findings=(Finding(check=name, what=str(error)),))
    rest = resumed.answer(between(panel, middle, len(panel)))
    late = Said(symbols=whole.symbols, values=whole.values[middle:], words=whole.words[middle:])
    difference = first_difference(late, rest, len(late.values), exact=True)
    if difference is None:
        return check
    moved = structs.replace(difference, row=difference.row + middle)
    what = "after a restart: it remembers outside its own attributes"
    return structs.replace(check, findings=(found(name, what, moved, panel),))


def _restored(subject: StrategySubject, state: bytes) -> Strategy:
    strategy = subject.make()
    strategy.restore(state)
    return strategy


def _handed_out(subject: StrategySubject, panel: BarPanel, texts: tuple[str, str, str], hand_out: HandOut) -> Check:
    name, did, what = texts
    frozen = between(panel, 0, len(panel))
    one, other = subject.answer(frozen), subject.handing_out(hand_out).answer(frozen)
    difference = first_difference(one, other, len(panel), exact=True)
    findings = () if difference is None else (found(name, what, difference, panel),)
    return Check(name=name, did=did, compared=len(panel), findings=findings)


def _of_states(one: Said, other: Said) -> Difference | None:
    shared = [row for row in one.states if row in other.states]
    found_here = (state_difference(row, one.states[row], other.states[row]) for row in shared)
    return next((difference for difference in found_here if difference is not None), None)
