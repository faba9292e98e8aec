"""`openbell data`: what is stored, and whether it can be trusted."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from research.ingest.verifying import Verified
    from shared.io.bar_library import BarStore
    from shared.io.bar_store import BarPanel

DEFAULT_CONFIG = Path("config.toml")
ConfigOption = Annotated[Path, typer.Option(help="The config.toml whose [data] names the store.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def _known_frequency(word: str | None) -> str | None:
    from shared.errors import DataError
    from shared.io.bar_places import interval_s_of

    try:
        if word is not None:
            interval_s_of(word)
    except DataError as fault:
        raise typer.BadParameter(str(fault)) from None
    return word


def _known_view(word: str | None) -> str | None:
    from shared.io.bar_library import VIEWS

    if word is not None and word not in VIEWS:
        raise typer.BadParameter(f"{word!r}, allowed: {', '.join(VIEWS)}")
    return word


FrequencyOption = Annotated[str, typer.Option(help="1d, 1h, 15m, 5m, 1m, 5s and the like.", callback=_known_frequency)]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]
ViewOption = Annotated[str | None, typer.Option(help="raw, split or total; else data.view.", callback=_known_view)]
SymbolsOption = Annotated[str | None, typer.Option(help="Symbols with commas between; else all.")]
EXIT_FAILED = 1


def register_on(group: typer.Typer) -> None:
    """Add the commands to `openbell data`."""
    group.command("list")(list_bars)
    group.command("verify")(verify_data)
    group.command("show")(show_bars)
    group.command("export")(export_bars)
    group.command("rebuild")(rebuild)
    group.command("query")(query)


def list_bars(
    config: ConfigOption = DEFAULT_CONFIG,
    frequency: Annotated[str | None, typer.Option(help="Only this one.", callback=_known_frequency)] = None,
    as_json: JsonOption = False,
) -> None:
    """What the store holds: span, bars, gaps, adjustment and source of every symbol.

    Example: openbell data list --config config.toml --frequency 1d
    """
    from research.ingest.data_settings import data_settings
    from shared.io.bar_part import shown

    store = data_settings(config).store
    spans = store.spans(frequency)
    if as_json:
        facts = [
            {
                "symbol": span.symbol,
                "frequency": span.frequency,
                "prices": span.adjustment,
                "adjusted_at": span.adjusted_at,
                "first_at": shown(span.first_at),
                "last_at": shown(span.last_at),
                "bars": span.rows,
                "parts": span.parts,
                "sources": span.sources,
                "fetched_at": span.fetched_at,
                "gaps": span.gaps,
                "actions": len(store.actions(span.symbol)),
            }
            for span in spans
        ]
        _print_json("data-list", folder=str(store.folder), series=facts)
        return
    for span in spans:
        gaps = f"{len(span.gaps)} gaps" if span.gaps else "no gap"
        typer.echo(
            f"{span.symbol:<12} {span.frequency:>4}  {shown(span.first_at)[:10]} to {shown(span.last_at)[:10]}  "
            f"{span.rows:>10,} bars  {gaps:<8}  {span.adjustment:<5}  {', '.join(span.sources)}"
        )
    if not spans:
        typer.echo(f"{store.folder}: no bars")


def verify_data(  # noqa: PLR0913, PLR0917 - one parameter per option
    path: Annotated[Path | None, typer.Argument(help="A .parquet or .csv table or a folder; else the store.")] = None,
    config: Annotated[Path | None, typer.Option(help="Limits and store; a PATH needs none.")] = None,
    symbols: SymbolsOption = None,
    actions: Annotated[Path | None, typer.Option(help="PATH: its dividends and splits.")] = None,
    against: Annotated[Path | None, typer.Option(help="PATH: another source of the same bars.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw a calendar per symbol into this .png.")] = None,
    repair: Annotated[Path | None, typer.Option(help="PATH: write what is left after repair to this .parquet.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="So many findings are shown.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Is the data right? Every finding is named and counted; exit code 1 if anything is wrong.

    Example: openbell data verify bars.parquet --actions actions.csv --picture quality.png
    """
    from research.ingest.data_settings import data_settings
    from research.ingest.quality.finding import Limits
    from research.ingest.verifying import read_action_table, verify_files, verify_store

    settings = data_settings(config or DEFAULT_CONFIG) if path is None or config is not None else None
    limits = Limits() if settings is None else settings.limits
    if path is not None:
        known = None if actions is None else read_action_table(actions)
        found = list(verify_files(path, limits, actions=known, against=against))
    else:
        if actions or against or repair:
            raise typer.BadParameter("--actions, --against and --repair are for a PATH; the store has its own actions")
        assert settings is not None
        _refuse_absent(settings.store, settings.store.frequencies(), _names(symbols))
        found = list(verify_store(settings.store, limits, _names(symbols)))
    for number, each in enumerate(found):
        _draw(picture, each, number)
        _repair(repair, each)
    _tell(found, limit, as_json=as_json)
    if any(each.report is None or not each.report.is_sound for each in found):
        raise typer.Exit(EXIT_FAILED)


def show_bars(  # noqa: PLR0913, PLR0917 - one parameter per option
    symbol: Annotated[str, typer.Argument(help="Whose bars.")],
    config: ConfigOption = DEFAULT_CONFIG,
    frequency: FrequencyOption = "1d",
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")] = None,
    view: ViewOption = None,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As known by the end of a day.")] = None,
    count: Annotated[int, typer.Option("-n", min=1, help="How many of the latest bars.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The latest bars of a symbol in a view, and its dividends and splits.

    Example: openbell data show AAPL --view split --as-of 2014-06-06 -n 5
    """
    from research.ingest.data_settings import as_instant, data_settings
    from shared.io.bar_part import shown
    from shared.io.price_adjustment import applied

    settings = data_settings(config)
    chosen = view or settings.view
    known = as_instant(_day(as_of))
    panel = settings.store.read([symbol], frequency, _day(first), _day(last), view=chosen, as_of=known)
    rows = [
        {"at": shown(panel.opened_at[at]), **{name: float(getattr(panel, name)[at, 0]) for name in _COLUMNS}}
        for at in range(max(0, len(panel) - count), len(panel))
    ]
    actions = applied(settings.store.actions(symbol), known)
    if as_json:
        told = [
            {"ex_date": each.ex_date, "dividend": each.dividend, "split": each.split, "source": each.source}
            for each in actions
        ]
        _print_json("data-show", symbol=symbol, frequency=frequency, view=chosen, bars=rows, actions=told)
        return
    typer.echo(f"{symbol} {frequency} {chosen}" + (f" as of {_day(as_of)}" if as_of else ""))
    for row in rows:
        prices = "  ".join(f"{row[name]:>12.4f}" for name in _COLUMNS[:4])
        typer.echo(f"{row['at']}  {prices}  {row['volume']:>16,.0f}")
    for action in actions[-count:]:
        typer.echo(f"{action.ex_date}  dividend {action.dividend:g}  split {action.split:g}  {action.source}")


def export_bars(  # noqa: PLR0913, PLR0917 - one parameter per option
    target: Annotated[Path, typer.Argument(help="The .parquet file to write, as `openbell replay` reads it.")],
    config: ConfigOption = DEFAULT_CONFIG,
    symbols: SymbolsOption = None,
    frequency: FrequencyOption = "1d",
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")] = None,
    view: ViewOption = None,
    as_of: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="As known by the end of a day.")] = None,
) -> None:
    """Write bars of the store as one file, whole or not at all.

    Example: openbell data export bars.parquet --symbols SPY,IBM --from 2015-01-01 --view raw
    """
    from research.ingest.data_settings import as_instant, data_settings
    from shared.errors import DataError
    from shared.io.bar_store import save_bars

    if target.suffix != ".parquet":
        raise DataError(f"{target}: unknown kind of file, allowed: .parquet")
    settings = data_settings(config)
    chosen = _names(symbols)
    _refuse_absent(settings.store, [frequency], chosen)
    panel = settings.store.read(
        chosen, frequency, _day(first), _day(last), view=view or settings.view, as_of=as_instant(_day(as_of))
    )
    save_bars(target, panel)
    typer.echo(f"{target}: {_size(panel)}")


def rebuild(
    config: ConfigOption = DEFAULT_CONFIG,
    symbols: SymbolsOption = None,
) -> None:
    """Write the manifests anew from the bars; for who has changed files by hand and stands by it.

    Example: openbell data rebuild --symbols AAPL
    """
    from research.ingest.data_settings import data_settings

    store = data_settings(config).store
    chosen = _names(symbols)
    _refuse_absent(store, store.frequencies(), chosen)
    done = 0
    for frequency in store.frequencies():
        for symbol in store.noted_symbols(frequency):
            if chosen is None or symbol in chosen:
                store.rebuild(symbol, frequency)
                done += 1
    typer.echo(f"{store.folder}: {done} manifests written anew")


def query(
    sql: Annotated[str, typer.Argument(help="The tables are bars_1d, bars_1m, ... and actions.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Ask the stored files in SQL, by DuckDB where it is installed; the bars are raw.

    Example: openbell data query "SELECT symbol, count(*) FROM bars_1d GROUP BY symbol"
    """
    from research.ingest.data_settings import data_settings
    from research.ingest.sql import answer

    for line in answer(data_settings(config).store, sql):
        typer.echo(line)


_NAMED_MAX = 5
_COLUMNS = ("open", "high", "low", "close", "volume")


def _tell(found: Iterable[Verified], limit: int, *, as_json: bool) -> None:
    from rich.console import Console

    from research.ingest.quality.report import as_table, facts, lines, verdict

    if as_json:
        reports = [facts(each.report, limit) for each in found if each.report is not None]
        _print_json("data-verify", tables=reports, unreadable=[each.fault for each in found if each.report is None])
        return
    console = Console(highlight=False, soft_wrap=True)
    for each in found:
        if each.report is None:
            typer.echo(each.fault, err=True)
            continue
        if each.report.findings:
            console.print(as_table(each.report))
        for line in lines(each.report, limit):
            typer.echo(line)
        typer.echo(verdict(each.report))


def _draw(picture: Path | None, each: Verified, number: int) -> None:
    from research.ingest.quality.picture import calendar_picture
    from research.ingest.whole_bytes import write_bytes

    if picture is None or each.table is None or each.report is None or not each.table.rows:
        return
    target = picture if number == 0 else picture.with_stem(f"{picture.stem}-{number + 1}")
    write_bytes(target, calendar_picture(each.table, each.report))


def _repair(target: Path | None, each: Verified) -> None:
    from research.ingest.quality.repair import repaired
    from shared.io.bar_store import save_bars

    if target is None or each.table is None or each.report is None:
        return
    panel, refused = repaired(each.table, each.report)
    save_bars(target, panel)
    without = f", without {', '.join(refused)}: refused" if refused else ""
    typer.echo(f"{target}: {_size(panel)}{without}", err=True)


def _size(panel: BarPanel) -> str:
    import numpy as np

    return f"{len(panel.symbols)} symbols, {int((~np.isnan(panel.close)).sum()):,} bars"


def _names(symbols: str | None) -> tuple[str, ...] | None:
    return None if symbols is None else tuple(name.strip() for name in symbols.split(",") if name.strip())


def _refuse_absent(store: BarStore, frequencies: Iterable[str], names: tuple[str, ...] | None) -> None:
    """NotFound for symbols without a bar: what was asked for by name is never left out in silence."""
    from shared.errors import NotFound

    held = {symbol for frequency in frequencies for symbol in store.noted_symbols(frequency)}
    absent = [name for name in names or () if name not in held]
    if absent:
        more = f" and {len(absent) - _NAMED_MAX} more" if len(absent) > _NAMED_MAX else ""
        raise NotFound(f"{store.folder}: no bars of {', '.join(absent[:_NAMED_MAX])}{more}")


def _day(at: datetime | None) -> Any:  # noqa: ANN401 - typer gives instants for days
    return None if at is None else at.date()


def _print_json(schema: str, **facts: object) -> None:
    import msgspec

    typer.echo(msgspec.json.encode({"schema": f"openbell.{schema}/1", **facts}).decode())
