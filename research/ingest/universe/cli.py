"""`openbell universe`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from research.ingest.universe.build import Sources
    from shared.io.bar_store import BarPanel

EXIT_USAGE = 2
SHOWN = 20

universe_app = typer.Typer(help="Which instruments can be traded on a day, as known by then.", no_args_is_help=True)

DateOption = Annotated[str, typer.Option("--date", metavar="DATE", help="The day whose close is the last thing known.")]
OutOption = Annotated[Path, typer.Option(help="The folder of the dated files.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object.")]
DEFAULT_FOLDER = Path("universe")


def register(app: typer.Typer) -> None:
    """Contribute the commands to the front door."""
    app.add_typer(universe_app, name="universe")


@universe_app.command("tickers")
def keep_tickers(
    source: Annotated[Path, typer.Argument(help="The SEC's company_tickers_exchange: .json, .csv or .parquet.")],
    day: DateOption,
    out: OutOption = DEFAULT_FOLDER,
    as_json: JsonOption = False,
) -> None:
    """Keep NYSE and Nasdaq of the SEC's company tickers, as TickerCIKs_DATE.parquet.

    Example: openbell universe tickers company_tickers_exchange.json --date 2026-11-20 --out universe
    """
    from research.ingest.universe.tickers import load_company_tickers, write_tickers

    of_day = _day(day)
    found = load_company_tickers(source)
    path = write_tickers(out, of_day, found.rows)
    if as_json:
        facts = {"day": str(of_day), "file": str(path), "kept": len(found.rows), "dropped": found.dropped}
        _print_json("universe-tickers", facts)
        return
    dropped = ", ".join(f"{name} {count}" for name, count in found.dropped.items())
    typer.echo(f"{path}: {len(found.rows)} tickers of NYSE and Nasdaq; dropped: {dropped or 'none'}")


@universe_app.command("build")
def build(  # noqa: PLR0913, PLR0917 - one parameter per option
    data: Annotated[Path, typer.Option(help="Raw daily bars: a file, a folder of them, or a bar store.")],
    day: DateOption,
    out: OutOption = DEFAULT_FOLDER,
    tickers: Annotated[Path | None, typer.Option(help="A TickerCIKs file, or a folder of them: spells too.")] = None,
    members: Annotated[Path | None, typer.Option(help="Index spells: ticker, start_date, end_date.")] = None,
    sectors: Annotated[Path | None, typer.Option(help="Sector snapshots: snapshot, symbol, sector.")] = None,
    actions: Annotated[
        Path | None,
        typer.Option(help="Corporate actions: a table, a store's folder of them, bars with adj_factor_next."),
    ] = None,
    price_min: Annotated[float, typer.Option(help="Dollars, of the last close.")] = 5.0,
    dollar_volume_min: Annotated[float, typer.Option(help="Dollars, median a session.")] = 1_000_000.0,
    window: Annotated[int, typer.Option(help="Sessions that are measured.")] = 63,
    printed_min: Annotated[int, typer.Option(help="Sessions of these with volume.")] = 50,
    reverse_splits_max: Annotated[int, typer.Option(help="In the last five years.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Write Universe_DATE.parquet: every symbol, included or with each reason against it.

    Example: openbell universe build --data bars --tickers universe --date 2016-06-30 --out universe
    """
    from research.ingest.universe.build import UniverseRules, build_universe, universe_file
    from research.ingest.universe.table_file import write_table

    of_day = _day(day)
    rules = UniverseRules(
        price_min=price_min,
        dollar_volume_min=dollar_volume_min,
        window_sessions=window,
        printed_sessions_min=printed_min,
        reverse_splits_max=reverse_splits_max,
    )
    sources = _sources(of_day, (tickers, members, sectors, actions))
    rows = build_universe(of_day, _bars(data), rules, sources)
    path = universe_file(out, of_day)
    write_table(path, rows)
    _tell(path, of_day, rows, as_json=as_json)


@universe_app.command("show")
def show(
    path: Annotated[Path, typer.Argument(help="A Universe_DATE.parquet.")],
    reason: Annotated[str | None, typer.Option(help="Only those kept out for this; 'included' for those kept.")] = None,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The universe of one day: counts by reason and tier, and the symbols.

    Example: openbell universe show universe/Universe_2016-06-30.parquet --reason "repeated reverse splits"
    """
    from research.ingest.universe.written_universe import read_universe, selected

    of_day, rows = read_universe(path)
    chosen = selected(path, rows, reason, symbol)
    _tell(path, of_day, rows, as_json=as_json, chosen=chosen)


def _sources(day: date, paths: tuple[Path | None, Path | None, Path | None, Path | None]) -> Sources:
    from research.ingest.point_in_time.named_actions import load_named_actions
    from research.ingest.universe.build import Sources
    from research.ingest.universe.spells import load_membership, load_sectors, ticker_spells
    from research.ingest.universe.tickers import tickers_known_by

    tickers, members, sectors, actions = paths
    listed_on, listed = tickers_known_by(tickers, day) if tickers is not None else (None, None)
    return Sources(
        listed=listed,
        listed_on=listed_on,
        spells=ticker_spells(tickers, day) if tickers is not None else (),
        members=load_membership(members) if members is not None else None,
        sectors=load_sectors(sectors) if sectors is not None else None,
        actions=load_named_actions(actions) if actions is not None else None,
    )


def _bars(path: Path) -> BarPanel:
    from shared.errors import NotFound
    from shared.io.bar_library import BarStore
    from shared.io.bar_places import DAILY
    from shared.io.bar_store import load_bars

    if not path.exists():
        raise NotFound(f"universe: --data {path}: no such file or folder, allowed: daily bars")
    return BarStore(path).read(None, DAILY) if (path / "bars").is_dir() else load_bars(path)


def _tell(path: Path, day: date, rows: pd.DataFrame, *, as_json: bool, chosen: pd.DataFrame | None = None) -> None:
    from research.ingest.universe.build import counts
    from research.ingest.universe.written_universe import facts_of, lines_of

    if as_json:
        _print_json("universe", {"file": str(path), **facts_of(day, rows, chosen)})
        return
    included = int(rows["included"].sum())
    typer.echo(f"{path}: {included} of {len(rows)} symbols included as of the close of {day}")
    for reason, count in counts(rows).items():
        typer.echo(f"{count:>8}  {reason}")
    if chosen is not None:
        for line in lines_of(chosen, SHOWN):
            typer.echo(line)


def _day(text: str) -> date:
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        typer.echo(f"universe: --date {text!r} is no date, allowed: ISO such as 2016-06-30", err=True)
        raise typer.Exit(EXIT_USAGE) from None


def _print_json(schema: str, facts: dict[str, Any]) -> None:
    import msgspec

    typer.echo(msgspec.json.encode({"schema": f"openbell.{schema}/1", **facts}).decode())
