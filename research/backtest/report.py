"""A replay as text for people: headline, worst falls, costs, and what the backtest cannot show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from research.tear_sheet.figures import chance
from research.tear_sheet.record import Record
from research.tear_sheet.words import money, number, percent

FALLS_SHOWN = 3


def print_report(record: Record, console: Console) -> None:
    """Figures in aligned columns, then the caveats; everything else is on the page."""
    table = Table.grid(padding=(0, 3))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, text in report_lines(record):
        table.add_row(name, Text(text))
    console.print(table)
    console.print("\nwhat this backtest cannot show", style="bold")
    for caveat in record.caveats:
        listed = Table.grid(padding=(0, 1))
        listed.add_row("-", Text(caveat))
        console.print(listed)


def report_lines(record: Record) -> list[tuple[str, str]]:
    """Name and text of every line, in reading order."""
    return [*_period(record), *_returns(record), *_against(record), *_trust(record), *_trading(record), *_falls(record)]


def _period(record: Record) -> Iterator[tuple[str, str]]:
    measures = record.measures
    yield "period", f"{measures.first_session} to {measures.last_session}, {measures.sessions:,} sessions"
    yield "bars", f"{len(record.series.closed_at):,} rows of {len(record.symbols)} symbols"
    yield "equity", f"{measures.starting_cash:,.2f} to {measures.final_equity:,.2f} {record.currency}"


def _returns(record: Record) -> Iterator[tuple[str, str]]:
    returns, bands = record.measures.returns, record.measures.bands
    share = f"{bands.confidence_pct:g} % of draws " if bands else ""
    total, sharpe, depth = (bands.total_return_pct, bands.sharpe, bands.drawdown_pct_max) if bands else (None,) * 3
    yield (
        "total return",
        percent(returns.total_return_pct, sign=True)
        + (f"   ({share}{percent(total.low, 0)} to {percent(total.high, 0)})" if total else ""),
    )
    yield (
        "annual return",
        f"{percent(returns.annual_return_pct, sign=True)}, volatility {percent(returns.volatility_pct)}",
    )
    yield (
        "Sharpe (daily, annualised)",
        number(returns.sharpe) + (f"   ({share}{number(sharpe.low)} to {number(sharpe.high)})" if sharpe else ""),
    )
    yield (
        "maximum drawdown",
        percent(record.measures.drawdown.depth_pct_max)
        + (f"   ({share}{percent(depth.low, 0)} to {percent(depth.high, 0)})" if depth else ""),
    )
    yield "Sortino, Calmar", f"{number(returns.sortino)}, {number(returns.calmar)}"


def _against(record: Record) -> Iterator[tuple[str, str]]:
    against = record.measures.benchmark
    if against is not None:
        total, alpha = percent(against.total_return_pct, sign=True), percent(against.alpha_pct, sign=True)
        yield f"against {against.name}", f"it {total}, alpha {alpha} a year, beta {number(against.beta)}"


def _trust(record: Record) -> Iterator[tuple[str, str]]:
    sure = record.measures.significance
    yield "Sharpe above 0", f"probability {chance(sure.probabilistic_sharpe)}"
    if sure.trials is not None and sure.trials > 1:
        yield "after so many trials", f"{sure.trials:,} tried, probability {chance(sure.deflated_sharpe)} (deflated)"


def _trading(record: Record) -> Iterator[tuple[str, str]]:
    trading = record.measures.trading
    trips = trading.trips
    yield "round trips", f"{trips.round_trips:,}, won {percent(trips.hit_rate_pct)}, {trading.fills:,} fills"
    yield "profit factor", f"{number(trips.profit_factor)}, average {money(trips.expectancy, sign=True)} a round trip"
    yield (
        "exposure",
        f"{percent(trading.exposure_pct, 1)} of equity, held in {percent(trading.time_in_market_pct, 1)} of rows",
    )
    yield "turnover", f"{number(trading.turnover_annual, 1)} x equity a year"
    yield "costs", _sums((line.kind, line.amount) for line in record.measures.costs)
    if record.measures.income:
        yield "income", _sums((line.kind, line.amount) for line in record.measures.income)


def _falls(record: Record) -> Iterator[tuple[str, str]]:
    for fall in record.measures.drawdown.worst[:FALLS_SHOWN]:
        until = f"recovered {fall.recovered}" if fall.recovered else "not recovered"
        yield f"fall of {percent(fall.depth_pct)}", f"{fall.peak} to {fall.trough}, {until}"


def _sums(lines: Iterable[tuple[str, float]]) -> str:
    return " + ".join(f"{amount:,.2f} {kind.replace('_', ' ')}" for kind, amount in lines)
