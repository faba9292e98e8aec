"""What was examined, as text for a terminal and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from research.lookahead.examine import Report
from research.lookahead.finding import Finding

if TYPE_CHECKING:
    from rich.console import Console

SCHEMA = "openbell.lookahead/1"


def print_report(report: Report, console: Console) -> None:
    """A table of checks, then every finding with its bar and its value, then the verdict."""
    from rich.markup import escape
    from rich.table import Table

    names = ", ".join(report.symbols[:6]) + (f" and {len(report.symbols) - 6} more" if len(report.symbols) > 6 else "")  # noqa: PLR2004 - one line
    table = Table(
        title=f"{report.name}: {report.rows:,} rows of {names}", title_justify="left", box=None, padding=(0, 1)
    )
    for heading in ("check", "outcome", "rows compared", "what"):
        table.add_column(heading, justify="right" if heading.startswith("rows") else "left", overflow="fold")
    style = {"leak": "bold red", "note": "yellow", "left out": "dim", "clean": "green"}
    for check in report.checks:
        compared = f"{check.compared:,}" if check.compared else "-"
        table.add_row(check.name, f"[{style[check.outcome]}]{check.outcome}[/]", compared, escape(check.did))
    console.print(table)
    for finding in (*report.leaks, *report.notes):
        console.print(f"{finding.level}: {finding.line}", markup=False, highlight=False, soft_wrap=True)
    count = len(report.leaks)
    verdict = "clean" if report.is_clean else f"{count} finding{'s' if count > 1 else ''}, do not trust it"
    console.print(f"{report.name}: {verdict}", markup=False, highlight=False, soft_wrap=True)


def as_json(reports: list[Report]) -> bytes:
    """Every report; the schema is docs/schemas/lookahead.json."""
    shown = {
        "schema": SCHEMA,
        "clean": all(report.is_clean for report in reports),
        "subjects": [
            {
                "name": report.name,
                "rows": report.rows,
                "symbols": len(report.symbols),
                "checks": [
                    {"name": check.name, "outcome": check.outcome, "rows_compared": check.compared, "did": check.did}
                    for check in report.checks
                ],
                "findings": [_finding(finding) for finding in (*report.leaks, *report.notes)],
            }
            for report in reports
        ],
    }
    return msgspec.json.format(msgspec.json.encode(shown), indent=2) + b"\n"


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "level": finding.level,
        "check": finding.check,
        "closed_at": finding.closed_at.isoformat() if finding.closed_at else None,
        "symbol": finding.symbol,
        "value": finding.value,
        "really": finding.really,
        "otherwise": finding.otherwise,
        "what": finding.what,
    }
