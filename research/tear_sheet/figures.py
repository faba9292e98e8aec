"""The figures of a page: a few as tiles with their bootstrap bands, all of them as a list (docs/measures.md)."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from research.measures.bootstrap import Band
from research.measures.measured import Measures
from research.tear_sheet.record import Record
from research.tear_sheet.words import money, number, percent

HOUR_S, DAY_S = 3_600, 86_400
MANY = 100.0


class Tile(Struct, frozen=True, kw_only=True):
    """One headline figure; `band` is where it lies in most bootstrap draws, `kind` colours gains and losses."""

    name: str
    text: str
    band: str = ""
    kind: str = ""


class Group(Struct, frozen=True, kw_only=True):
    """Figures that belong together: name and text of each."""

    name: str
    lines: tuple[tuple[str, str], ...]


def tiles_of(record: Record) -> tuple[Tile, ...]:
    """The headline, in reading order."""
    measures = record.measures
    returns, trips, bands = measures.returns, measures.trading.trips, measures.bands
    costs = sum(line.amount for line in measures.costs)
    return (
        Tile(
            name="Total return",
            text=percent(returns.total_return_pct, sign=True),
            band=_band(bands.total_return_pct if bands else None, lambda value: percent(value, 0)),
            kind=_sign(returns.total_return_pct),
        ),
        Tile(
            name="Annual return",
            text=percent(returns.annual_return_pct, sign=True),
            band=_band(bands.annual_return_pct if bands else None, lambda value: percent(value, 1)),
            kind=_sign(returns.annual_return_pct),
        ),
        Tile(name="Sharpe ratio", text=number(returns.sharpe), band=_band(bands.sharpe if bands else None, number)),
        Tile(
            name="Maximum drawdown",
            text=percent(-measures.drawdown.depth_pct_max),
            band=_band(bands.drawdown_pct_max if bands else None, lambda depth: percent(-depth, 0)),
        ),
        Tile(name="Volatility", text=percent(returns.volatility_pct, 1), band="a year"),
        _versus(measures),
        Tile(name="Round trips", text=f"{trips.round_trips:,}", band=f"{percent(trips.hit_rate_pct, 1)} won"),
        Tile(name="Profit factor", text=number(trips.profit_factor), band="won over lost"),
        Tile(
            name="Exposure",
            text=percent(measures.trading.exposure_pct, 1),
            band=f"turnover {_turnover(measures.trading.turnover_annual)} a year",
        ),
        Tile(
            name="Costs",
            text=money(costs),
            band=f"{percent(100.0 * costs / record.starting_cash, 1)} of the start",
        ),
    )


def _turnover(times: float | None) -> str:
    return f"{number(times, 0 if times is not None and times >= MANY else 1)} \N{MULTIPLICATION SIGN}"


def _versus(measures: Measures) -> Tile:
    against = measures.benchmark
    if against is None:
        return Tile(name="Sortino ratio", text=number(measures.returns.sortino))
    return Tile(
        name="Alpha a year",
        text=percent(against.alpha_pct, 1, sign=True),
        band=f"beta {number(against.beta)} to {against.name}",
    )


def groups_of(record: Record) -> tuple[Group, ...]:
    """Every figure there is, by what it is about."""
    measures = record.measures
    groups = (_of_returns(measures), _of_risk(measures), _of_trading(measures, record.currency), _of_trust(measures))
    return tuple(group for group in (*groups, *_of_benchmark(measures), *_of_predictions(measures)) if group.lines)


def _of_returns(measures: Measures) -> Group:
    returns = measures.returns
    return Group(
        name="Return",
        lines=(
            ("Equity at the start", money(measures.starting_cash)),
            ("Equity at the end", money(measures.final_equity)),
            ("Total return", percent(returns.total_return_pct, sign=True)),
            ("Annual return", percent(returns.annual_return_pct, sign=True)),
            ("Best day", percent(returns.best_day_pct, sign=True)),
            ("Worst day", percent(returns.worst_day_pct, sign=True)),
            ("Days up", percent(returns.days_up_pct, 1)),
        ),
    )


def _of_risk(measures: Measures) -> Group:
    returns, falls = measures.returns, measures.drawdown
    return Group(
        name="Risk",
        lines=(
            ("Volatility", percent(returns.volatility_pct)),
            ("Sharpe ratio", number(returns.sharpe)),
            ("Sortino ratio", number(returns.sortino)),
            ("Calmar ratio", number(returns.calmar)),
            ("Maximum drawdown", percent(-falls.depth_pct_max)),
            ("Longest under water", f"{falls.sessions_max:,} sessions"),
            ("Value at risk, 95 %, a day", percent(returns.var_95_pct)),
            ("Expected loss beyond it", percent(returns.cvar_95_pct)),
            ("Tail ratio", number(returns.tail_ratio)),
            ("Skew", number(returns.skew)),
            ("Excess kurtosis", number(returns.kurtosis)),
        ),
    )


def _of_trading(measures: Measures, currency: str) -> Group:
    trading, trips, capacity = measures.trading, measures.trading.trips, measures.capacity
    lines = (
        ("Round trips", f"{trips.round_trips:,}"),
        ("Won", percent(trips.hit_rate_pct, 1)),
        ("Profit factor", number(trips.profit_factor)),
        ("Average round trip", f"{money(trips.expectancy, sign=True)} {currency}"),
        ("Average winner over loser", number(trips.payoff_ratio)),
        ("Most losses in a row", f"{trips.losses_in_a_row_max:,}"),
        ("Average time held", _time(trips.holding_s_mean)),
        ("Turnover a year", f"{number(trading.turnover_annual, 1)} \N{MULTIPLICATION SIGN} equity"),
        ("Average exposure", percent(trading.exposure_pct, 1)),
        ("Time in the market", percent(trading.time_in_market_pct, 1)),
    )
    if capacity is None or capacity.capital is None:
        return Group(name="Trading", lines=lines)
    limit = f"Capacity at {capacity.participation_pct:g} % of volume"
    return Group(name="Trading", lines=(*lines, (limit, f"{money(capacity.capital)} {currency}")))


def _of_trust(measures: Measures) -> Group:
    sure, bands = measures.significance, measures.bands
    lines = [
        ("Probability that the Sharpe ratio is above 0", chance(sure.probabilistic_sharpe)),
        ("Days needed to be 95 % sure of it", number(sure.track_record_days_min, 0)),
    ]
    if sure.trials is not None:
        lines += [
            ("Configurations tried on this data", f"{sure.trials:,}"),
            ("Sharpe ratio the best of them shows by chance", number(sure.sharpe_expected)),
            ("Probability that it beats that (deflated)", chance(sure.deflated_sharpe)),
        ]
    if bands is not None:
        lines += [
            ("Chance of a loss over such a span", chance(bands.probability_of_loss)),
            ("Bands", f"{bands.confidence_pct:g} % of {bands.draws:,} draws, blocks of {bands.block_days:.1f} days"),
        ]
    return Group(name="How sure", lines=tuple(lines))


def _of_benchmark(measures: Measures) -> tuple[Group, ...]:
    against = measures.benchmark
    if against is None:
        return ()
    return (
        Group(
            name=f"Against {against.name}",
            lines=(
                ("Its total return", percent(against.total_return_pct, sign=True)),
                ("Alpha a year", percent(against.alpha_pct, sign=True)),
                ("Beta", number(against.beta)),
                ("Correlation", number(against.correlation)),
                ("Tracking error", percent(against.tracking_error_pct)),
                ("Information ratio", number(against.information_ratio)),
            ),
        ),
    )


def _of_predictions(measures: Measures) -> tuple[Group, ...]:
    return tuple(
        Group(
            name=f"Foresight of {one.strategy}",
            lines=(
                ("Information coefficient", number(one.information_coefficient, 4)),
                ("t of it", number(one.ic_t)),
                ("Direction right", percent(one.direction_right_pct, 1)),
            ),
        )
        for one in measures.predictions
    )


def _band(band: Band | None, written: Callable[[float], str]) -> str:
    return "" if band is None else f"{written(band.low)} to {written(band.high)}"


def _sign(value: float | None) -> str:
    return "" if not value else "gain" if value > 0 else "loss"


def chance(value: float | None) -> str:
    """A probability from 0 to 1 in percent."""
    return percent(None if value is None else 100.0 * value, 1)


def _time(seconds: float | None) -> str:
    if seconds is None:
        return number(None)
    if seconds >= DAY_S:
        return f"{seconds / DAY_S:.1f} days"
    return f"{seconds / HOUR_S:.1f} h" if seconds >= HOUR_S else f"{seconds / 60:.0f} min"
