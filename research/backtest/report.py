"""The summary of a replay as text for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from research.backtest.summary import Summary


def print_summary(summary: Summary, console: Console) -> None:
    """Two aligned columns; the same facts as --json, rounded."""
    table = Table.grid(padding=(0, 3))
    table.add_column(style="dim")
    table.add_column()
    for label, value in summary_lines(summary):
        table.add_row(label, value)
    console.print(table)


def summary_lines(summary: Summary) -> list[tuple[str, str]]:
    """Label and value of every line, in reading order."""
    sessions = f"{summary.first_session} to {summary.last_session}, {summary.sessions:,} sessions"
    return [
        ("period", sessions),
        ("bars", f"{summary.rows:,} rows of {summary.symbols} symbols"),
        ("equity", f"{summary.starting_cash:,.2f} to {summary.final_equity:,.2f}"),
        ("total return", f"{summary.total_return_pct:+.2f} %"),
        ("Sharpe (daily, annualised)", _number(summary.sharpe)),
        ("maximum drawdown", f"{summary.drawdown_pct_max:.2f} %"),
        ("turnover", f"{summary.turnover:,.1f} x equity"),
        ("costs", f"{summary.commission:,.2f} commission + {summary.slippage:,.2f} slippage"),
        ("fills", f"{summary.fills:,}"),
        ("round trips", f"{summary.round_trips:,}, won {_number(summary.win_rate_pct, ' %')}"),
        (
            "exposure",
            f"{summary.exposure_pct:.1f} % of equity, held in {summary.time_in_market_pct:.1f} % of rows",
        ),
    ]


def _number(value: float | None, unit: str = "") -> str:
    return "n/a" if value is None else f"{value:.2f}{unit}"
