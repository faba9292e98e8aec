"""The batch form of a strategy against its streaming form: the same said on every row, the same state at the end."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec import structs

from research.lookahead.difference import first_difference, state_difference
from research.lookahead.finding import Check, found
from research.lookahead.panels import VALUES, between
from research.lookahead.subject import Raised, Said, StrategySubject, one_line
from shared.io.bar_store import BarPanel
from shared.market import BarRow
from strategies.base import Decisions, Strategy

NAME = "batch form"


def equals_stream(subject: StrategySubject, panel: BarPanel) -> Check:
    """Left out where the strategy offers no batch form.

    Equal to a streaming form that does not look ahead, the batch form does not look ahead either.
    """
    frozen, last = between(panel, 0, len(panel)), len(panel) - 1
    batch = _batch(subject.make, frozen, subject)
    if batch is None:
        return Check(name=NAME, did="it offers none")
    stream = subject.answer(frozen, states_at=[last])
    difference = first_difference(stream, batch, len(panel), exact=True)
    if difference is None and last in stream.states and last in batch.states:
        difference = state_difference(last, stream.states[last], batch.states[last])
    check = Check(name=NAME, did="says what the streaming form says", compared=len(panel))
    if difference is None:
        return check
    return structs.replace(check, findings=(found(NAME, "in the batch form", difference, panel),))


def _batch(make: Callable[[], Strategy], panel: BarPanel, subject: StrategySubject) -> Said | None:
    said = Said(symbols=panel.symbols, values=np.full(panel.close.shape, np.nan))
    strategy = make()
    try:
        decisions = strategy.decisions(BarRow(**{name: getattr(panel, name) for name in VALUES}))
        if decisions is None:
            return None
        said.states[len(panel) - 1] = strategy.snapshot()
        _hear(decisions, said)
    except Exception as error:  # noqa: BLE001 - a user's file may raise anything
        said.raised = Raised(None, one_line(error, subject.source))
    return said


def _hear(decisions: Decisions, said: Said) -> None:
    """Convictions as the replay reads them, reasons as it asks for them."""
    said.values = np.array(decisions.convictions, dtype=np.float64)
    for row in range(len(said.values)):
        said.words.append(tuple((signal.symbol, signal.reason) for signal in decisions.at(row)))
