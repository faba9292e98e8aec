"""What insiders' purchases and sales say about an issuer, from -1 (selling) to 1 (buying): an input to sizing.

A pure function of rows and instants. Open-market purchases and sales alone count (codes P and S), no derivative line
and no sale under a 10b5-1 plan. One owner's evidence is the sum, over days and sides, of

    sign x weight of the role x weight of the side x size x 0.5 ** (age / half-life)

where size grows with the logarithm of the dollars from 0 at `dollars_min` to 1 at `dollars_full`. An owner's score is
tanh of it, so that many orders of one owner say no more than 1; an issuer's is tanh of the sum of these, times
1 + `cluster_step` for every further owner on the same side within `cluster_days` (at most `cluster_max` times).

Sources: Lakonishok and Lee, "Are insider trades informative?", Review of Financial Studies 2001 (purchases tell more
than sales); Wang, Shin and Francis, "Are CFOs' trades more informative than CEOs' trades?", JFQA 2012 (roles);
Alldredge and Blank, "Do insiders cluster trades with colleagues?", Journal of Financial Research 2019 (clusters). The
figures are ours and no estimates.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from research.ingest.point_in_time.as_of import DAY_NS, instants
from shared.errors import DataError
from shared.io.bar_checks import Flags, Floats, Integers

if TYPE_CHECKING:
    import pandas as pd

ROLES: tuple[tuple[str, float], ...] = (
    (r"\b(cfo|chief financial|chief finan\w+)\b", 1.0),
    (r"\b(ceo|coceo|co-ceo|chief executive)\b", 1.0),
    (r"\b(chair\w*|president|coo|chief operating)\b", 0.9),
    (r"\b(ten percent owner|10% owner)\b", 0.3),
    (r"\S", 0.75),
)
"""Weight by what the position says, the first that fits; the last row is any other officer."""
NO_POSITION = 0.6
"""A director, or an owner of ten per cent, whom the table does not tell apart."""
_NOT_PRESIDENT = re.compile(r"\b(vice[- ]president|vice[- ]chair\w*)\b")


class ScoreRule(Struct, frozen=True, kw_only=True):
    """The constants of the formula (module text); ages and windows in calendar days since the transaction."""

    codes: tuple[str, ...] = ("P", "S")
    sale_weight: float = 0.4
    dollars_min: float = 10_000.0
    dollars_full: float = 1_000_000.0
    half_life_days: float = 45.0
    age_days_max: float = 365.0
    cluster_days: float = 30.0
    cluster_step: float = 0.25
    cluster_max: float = 2.0

    def __post_init__(self) -> None:
        if not (0 < self.dollars_min < self.dollars_full and self.half_life_days > 0 and self.cluster_max >= 1):
            raise DataError(
                f"insider scores: {self}, allowed: 0 < dollars_min < dollars_full, half_life_days > 0, cluster_max >= 1"
            )
        if not set(self.codes) <= {"P", "S"}:
            raise DataError(f"insider scores: codes {', '.join(self.codes)}, allowed: P, S (others are no decisions)")


def issuer_scores(rows: pd.DataFrame, tickers: Sequence[str], times: Integers, rule: ScoreRule | None = None) -> Floats:
    """Scores of shape (T, n) at instants (int64 nanoseconds UTC); 0 where nothing known speaks either way."""
    chosen = rule or ScoreRule()
    scores = np.zeros((len(times), len(tickers)))
    by_ticker = dict(iter(_evidence(rows, chosen).groupby("ticker", sort=False)))
    for column, ticker in enumerate(tickers):
        if ticker in by_ticker:
            scores[:, column] = _issuer(by_ticker[ticker], times, chosen)
    return scores


def owner_scores(rows: pd.DataFrame, ticker: str, times: Integers, rule: ScoreRule | None = None) -> dict[str, Floats]:
    """The score of each owner of one issuer, by name, of shape (T,)."""
    chosen = rule or ScoreRule()
    owners = _owners(_evidence(rows[rows["ticker"].eq(ticker)], chosen), times, chosen)
    return {name: one.score for name, one in owners.items()}


def role_weight(position: str) -> float:
    """The weight of what the position says, `NO_POSITION` if it says nothing."""
    words = _NOT_PRESIDENT.sub("vice", position.lower())
    return next((weight for pattern, weight in ROLES if re.search(pattern, words)), NO_POSITION)


def _evidence(rows: pd.DataFrame, rule: ScoreRule) -> pd.DataFrame:
    """One line per owner, day, side and filing: an order filled in many pieces is one decision."""
    counted = rows["code"].isin(rule.codes) & ~rows["is_derivative"].astype(bool)
    counted &= ~(rows["is_planned"].astype(bool) & rows["code"].eq("S"))
    lines = rows[counted & (rows["price"] > 0) & (rows["shares"] > 0)]
    lines = lines.assign(
        dollars=lines["shares"] * lines["price"], weight=[role_weight(one) for one in lines["position"]]
    )
    keys = ["ticker", "owner", "transaction_date", "code", "known_by"]
    whole = lines.groupby(keys, sort=True, as_index=False).agg(dollars=("dollars", "sum"), weight=("weight", "max"))
    size = np.log(whole["dollars"] / rule.dollars_min) / np.log(rule.dollars_full / rule.dollars_min)
    sign = np.where(whole["code"].eq("P"), 1.0, -rule.sale_weight)
    return whole.assign(evidence=sign * whole["weight"] * size.clip(0.0, 1.0))


def _issuer(lines: pd.DataFrame, times: Integers, rule: ScoreRule) -> Floats:
    owners = _owners(lines, times, rule).values()
    total = np.zeros(len(times))
    acted = {1: np.zeros(len(times)), -1: np.zeros(len(times))}
    for one in owners:
        total += one.score
        for side in acted:
            acted[side] += one.acted[side]
    with_it = np.where(total >= 0, acted[1], acted[-1])
    return np.tanh(total * np.clip(1 + rule.cluster_step * (with_it - 1), 1.0, rule.cluster_max))


class _Owner(Struct, frozen=True, eq=False):
    """One owner's score (T,), and by side (1, -1) whether an order of the cluster's window was known (T,)."""

    score: Floats
    acted: dict[int, Flags]


def _owners(lines: pd.DataFrame, times: Integers, rule: ScoreRule) -> dict[str, _Owner]:
    """Line after line: a sum in this order is not changed in its last bit by lines that were not known yet."""
    made = lines["transaction_date"].astype("datetime64[ns]").astype("int64").to_numpy()
    known = instants(lines["known_by"])
    sums: dict[str, Floats] = {}
    acted: dict[str, dict[int, Flags]] = {}
    for at, (owner, evidence) in enumerate(zip(lines["owner"], lines["evidence"], strict=True)):
        age = (times - made[at]) / DAY_NS
        is_known = times >= known[at]
        counts = is_known & (age <= rule.age_days_max)
        decayed = np.where(counts, 0.5 ** (np.maximum(age, 0.0) / rule.half_life_days), 0.0) * evidence
        sums[owner] = sums.get(owner, 0.0) + decayed
        sides = acted.setdefault(owner, {side: np.zeros(len(times), dtype=np.bool_) for side in (1, -1)})
        if evidence:
            sides[1 if evidence > 0 else -1] |= is_known & (age <= rule.cluster_days)
    return {owner: _Owner(np.tanh(total), acted[owner]) for owner, total in sums.items()}
