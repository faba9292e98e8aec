"""How sure is a Sharpe ratio, and what is left of it after so many trials.

D. H. Bailey and M. Lopez de Prado: "The Sharpe Ratio Efficient Frontier", Journal of Risk 15 (2012), for the
probabilistic Sharpe ratio and the minimum track record length; "The Deflated Sharpe Ratio", Journal of Portfolio
Management 40 (2014), for the deflation. Sharpe ratios go in and out annualised; inside they are per day.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from msgspec import Struct

from research.measures.series import DAYS_PER_YEAR, Floats, daily_sharpe, kurtosis, skew

EULER_MASCHERONI = 0.5772156649015329
CONFIDENCE = 0.95
_NORMAL = NormalDist()
_YEAR_ROOT = math.sqrt(DAYS_PER_YEAR)


class Significance(Struct, frozen=True, kw_only=True):
    """Is the Sharpe ratio above 0, and above what the best of `trials` attempts without skill would show?

    Probabilities from 0 to 1. `sharpe_expected` is the annualised Sharpe ratio that the best of so many worthless
    trials is expected to show. `track_record_days_min` is the length at which this Sharpe ratio would be above 0 with
    95 % confidence, None if it is not positive. `trials` is None where no ledger was asked: nothing is deflated then.
    """

    probabilistic_sharpe: float | None
    track_record_days_min: float | None
    trials: int | None
    sharpe_expected: float | None
    deflated_sharpe: float | None


def significance(returns: Floats, *, trials: int | None, sharpe_variance: float | None) -> Significance:
    """The figures of known daily `returns`; the variance is that of the trials' annualised Sharpe ratios."""
    daily = daily_sharpe(returns)
    shape = (len(returns), skew(returns) or 0.0, kurtosis(returns) or 0.0)
    expected = None if trials is None else expected_sharpe_max(trials, sharpe_variance)
    return Significance(
        probabilistic_sharpe=None if daily is None else probability_above(daily, 0.0, shape),
        track_record_days_min=None if daily is None else track_record_days_min(daily, 0.0, shape),
        trials=trials,
        sharpe_expected=expected,
        deflated_sharpe=(
            None if daily is None or expected is None else probability_above(daily, expected / _YEAR_ROOT, shape)
        ),
    )


def probability_above(sharpe: float, threshold: float, shape: tuple[int, float, float]) -> float | None:
    """Probabilistic Sharpe ratio: the probability that the true Sharpe ratio lies above `threshold`, both per day.

    `shape` is (days, skew, excess kurtosis) of the returns. None for fewer than two days, and where the variance of
    the estimate comes out negative (a skew so large that the expansion no longer holds).
    """
    days = shape[0]
    spread = _variance_factor(sharpe, shape)
    if days < 2 or spread <= 0:  # noqa: PLR2004 - one day says nothing
        return None
    score = (sharpe - threshold) * math.sqrt(days - 1) / math.sqrt(spread)
    return 0.5 * math.erfc(-score / math.sqrt(2.0))


def track_record_days_min(
    sharpe: float, threshold: float, shape: tuple[int, float, float], confidence: float = CONFIDENCE
) -> float | None:
    """Days after which `sharpe` lies above `threshold` (both per day) with `confidence`; None if it lies below it."""
    spread = _variance_factor(sharpe, shape)
    if sharpe <= threshold or spread <= 0:
        return None
    return 1.0 + spread * (_NORMAL.inv_cdf(confidence) / (sharpe - threshold)) ** 2


def expected_sharpe_max(trials: int, sharpe_variance: float | None) -> float | None:
    """Expected highest Sharpe ratio of `trials` independent ones around 0 with that variance, in the same unit.

    0 for a single trial; None where there are more and their variance is not known.
    """
    if trials <= 1:
        return 0.0
    if sharpe_variance is None:
        return None
    highest = (1.0 - EULER_MASCHERONI) * _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    highest += EULER_MASCHERONI * _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(sharpe_variance) * highest


def _variance_factor(sharpe: float, shape: tuple[int, float, float]) -> float:
    """1 - g1 SR + (g2 + 2) / 4 SR^2: how much wider than a plain mean's the Sharpe ratio's error is (A. Lo, 2002)."""
    _, third, excess = shape
    return 1.0 - third * sharpe + (excess + 2.0) / 4.0 * sharpe**2
