"""`openbell data`: past bars, fetched, stored, verified and shown."""

from __future__ import annotations

import typer

from research.ingest import data_cli, fetching_cli


def register(app: typer.Typer) -> None:
    """Contribute the commands to the front door."""
    group = typer.Typer(help="Past bars: fetched, stored, verified, shown.", no_args_is_help=True)
    fetching_cli.register_on(group)
    data_cli.register_on(group)
    app.add_typer(group, name="data")
