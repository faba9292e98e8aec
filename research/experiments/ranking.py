"""The best settings by a measure, over their seeds; and what so many trials leave of the best one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from statistics import fmean, stdev

import numpy as np
from msgspec import Struct

from research.experiments.axes import Value
from research.experiments.figures import MEASURES
from research.experiments.table import Row
from research.measures.ledger import TrialCount
from research.measures.series import sharpe as sharpe_of
from research.measures.significance import significance

SEED = ".seed"
BELIEVABLE = 0.95


class Standing(Struct, frozen=True, kw_only=True):
    """One setting over its seeds: the mean of the measure, and how far its seeds lie apart.

    `deviation` is None for fewer than two seeds. `typical` is the row whose measure is the (lower) median.
    """

    parameters: dict[str, Value]
    value: float
    low: float
    high: float
    deviation: float | None
    seeds: int
    typical: Row


class Attempt(Struct, frozen=True, kw_only=True):
    """What the ledger keeps of a setting: the days it was replayed on, and the mean of its Sharpe ratios there."""

    first_session: date
    last_session: date
    sharpe: float | None


class Verdict(Struct, frozen=True, kw_only=True):
    """What the best one is worth after `trials` attempts at this data (docs/measures.md)."""

    trials: int
    sharpe: float | None
    sharpe_expected: float | None
    deflated_sharpe: float | None
    words: str


def standings(rows: Sequence[Row], measure: str) -> list[Standing]:
    """Best first; settings without the measure (no fill, a failed replay) are left out, equal ones keep their order."""
    groups: dict[tuple[tuple[str, str, Value], ...], list[Row]] = {}
    for row in rows:
        settings = tuple(
            (name, type(value).__name__, value) for name, value in row.parameters.items() if not name.endswith(SEED)
        )
        groups.setdefault(settings, []).append(row)
    found = [standing for group in groups.values() if (standing := _standing(group, measure)) is not None]
    return sorted(found, key=lambda standing: -MEASURES[measure] * standing.value)


def attempt_of(rows: Sequence[Row]) -> Attempt:
    """One setting's replays that ended well, at least one, as one attempt."""
    done = [row.outcome for row in rows if row.outcome is not None and row.outcome.state == "done"]
    sharpes = [float(value) for row in rows if isinstance(value := row.figure("sharpe"), int | float)]
    return Attempt(
        first_session=min(outcome.sessions[0] for outcome in done),
        last_session=max(outcome.sessions[-1] for outcome in done),
        sharpe=fmean(sharpes) if sharpes else None,
    )


def verdict(daily_returns: Sequence[float], count: TrialCount) -> Verdict:
    """Plain words about the Sharpe ratio of what was chosen; `count` is the ledger's."""
    returns = np.array(daily_returns, dtype=np.float64)
    known = returns[np.isfinite(returns)]
    sure = significance(known, trials=count.trials, sharpe_variance=count.sharpe_variance)
    plain = sharpe_of(known)
    return Verdict(
        trials=count.trials,
        sharpe=plain,
        sharpe_expected=sure.sharpe_expected,
        deflated_sharpe=sure.deflated_sharpe,
        words=warning_of(plain, sure.sharpe_expected, sure.deflated_sharpe, count.trials),
    )


def warning_of(sharpe: float | None, expected: float | None, deflated: float | None, trials: int) -> str:
    """One or two sentences that a person can act on."""
    if sharpe is None:
        return "No setting has a Sharpe ratio: nothing to judge."
    if expected is None or deflated is None:
        unknown = "too little is known of the others to say what luck alone does"
        return f"Sharpe {sharpe:.2f} after {trials:,} trials; {unknown}."
    luck = f"the best of {trials:,} worthless trials would be expected to show {expected:.2f}"
    if deflated >= BELIEVABLE:
        return f"Sharpe {sharpe:.2f}; {luck}. Deflated Sharpe {deflated:.0%}: more than the search alone explains."
    return (
        f"Sharpe {sharpe:.2f}, but {luck}. Deflated Sharpe {deflated:.0%}, below {BELIEVABLE:.0%}: "
        "do not trust this figure, it may be nothing but the luck of the search."
    )


def _standing(group: Sequence[Row], measure: str) -> Standing | None:
    known = [(float(value), row) for row in group if isinstance(value := row.figure(measure), int | float)]
    if not known:
        return None
    values = [value for value, _ in known]
    in_order = sorted(known, key=lambda pair: pair[0])
    settings = {name: value for name, value in group[0].parameters.items() if not name.endswith(SEED)}
    return Standing(
        parameters=settings,
        value=fmean(values),
        low=min(values),
        high=max(values),
        deviation=stdev(values) if len(values) > 1 else None,
        seeds=len(known),
        typical=in_order[(len(in_order) - 1) // 2][1],
    )
