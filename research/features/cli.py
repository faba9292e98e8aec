"""`openbell features`: what there is, building it, looking at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from research.features.build import Way
    from research.features.sectors import Sectors
    from research.features.showing import Stretch

SCHEMA_LIST, SCHEMA_BUILD, SCHEMA_SHOW = (
    "openbell.features-list/1",
    "openbell.features-build/1",
    "openbell.features-show/1",
)
EXIT_FAILED, EXIT_USAGE = 1, 2
DEFAULT_CONFIG = Path("config.toml")

features_app = typer.Typer(help="Features: indicators by name, kept beside the bars.", no_args_is_help=True)

ConfigFile = Annotated[Path, typer.Option("--config", help="The config.toml with [features].")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def register(app: typer.Typer) -> None:
    """Contribute the commands to the front door."""
    app.add_typer(features_app, name="features")


@features_app.command("list")
def list_features(
    group: Annotated[str, typer.Option(help="Only this group.")] = "",
    default: Annotated[bool, typer.Option("--default", help="Only the names of the default set.")] = False,
    as_json: AsJson = False,
) -> None:
    """Every indicator and transform: name, parameters, outputs, warm-up, formula, source.

    Example: openbell features list --group momentum
    """
    import msgspec

    from research.features.listing import facts_of, lines_of

    facts = facts_of(group)
    if as_json:
        typer.echo(msgspec.json.encode({"schema": SCHEMA_LIST, **facts}).decode())
    elif default:
        typer.echo("\n".join(facts["default"]))
    else:
        typer.echo("\n".join(lines_of(facts)))


@features_app.command("build")
def build_features(  # noqa: PLR0913, PLR0917 - one parameter per option
    config: ConfigFile = DEFAULT_CONFIG,
    data: Annotated[Path | None, typer.Option(help="Bars: a file or a folder (else nightly.data, or [data].)")] = None,
    feature: Annotated[list[str] | None, typer.Option(help="Instead of features.names; again for more.")] = None,
    out: Annotated[Path | None, typer.Option(help="Instead of features.folder.")] = None,
    every_symbol: Annotated[
        bool, typer.Option("--every-symbol", help="Of the bars, not only those of the universe.")
    ] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Build again what is there and right.")] = False,
    workers: Annotated[int | None, typer.Option(help="Processes of this machine (else [cluster] workers).")] = None,
    as_json: AsJson = False,
) -> None:
    """Compute what is missing, behind, or made by other code or from other bars. It may be killed and started again.

    Example: openbell features build --config config.toml --data bars.parquet
    """
    import msgspec

    from research.experiments.crew import crew_of
    from research.features.asked import failures_of, features_of, folder_of, panel_of, read_names, said_of
    from research.features.build import build
    from research.features.sectors import sectors_of
    from shared.config import load_config

    settings = load_config(config)
    cluster = settings.cluster
    if workers is not None:
        if workers < 1:
            _fail(f"features: --workers {workers}, allowed: from 1", EXIT_USAGE)
        cluster = cluster.model_copy(update={"backend": "loky", "address": "", "workers": workers})
    wanted = read_names(feature, "--feature") if feature else features_of(settings)
    panel = panel_of(settings, data, every_symbol=every_symbol)
    way = _way(sectors_of(settings, panel, wanted), anew=anew)
    built = build(panel, wanted, out or folder_of(settings), crew_of(cluster), way)
    if as_json:
        typer.echo(msgspec.json.encode({"schema": SCHEMA_BUILD, **msgspec.to_builtins(built, enc_hook=str)}).decode())
    else:
        typer.echo(f"features: {said_of(built)}")
    if settings.features.start == "stored":
        from research.features.warm_start import carry_on

        said = carry_on(settings, panel, built.folder)
        typer.echo(f"features: {said}", err=as_json)
    for line in failures_of(built.failed):
        typer.echo(f"features: failed: {line}", err=True)
    if built.failed:
        raise typer.Exit(EXIT_FAILED)


@features_app.command("show")
def show_feature(  # noqa: PLR0913, PLR0917 - one parameter per option
    name: Annotated[str, typer.Argument(help="Such as rsi(14) or rank(rsi(14)).")],
    symbol: Annotated[str, typer.Option(help="Of the universe.")],
    config: ConfigFile = DEFAULT_CONFIG,
    out: Annotated[Path | None, typer.Option("--features", help="Folder, instead of features.folder.")] = None,
    last: Annotated[int, typer.Option("-n", min=1, help="How many of the last rows as a table.")] = 10,
    png: Annotated[Path | None, typer.Option(help="Write a picture there too.")] = None,
    as_json: AsJson = False,
) -> None:
    """One stored feature of one symbol: its last rows as a table, all of them as a small picture.

    Example: openbell features show "rsi(14)" --symbol SPY --config config.toml
    """
    import msgspec

    from research.features.asked import folder_of, read_names
    from research.features.showing import stretch_of
    from shared.config import load_config

    (feature,) = read_names([name], "features show")
    found = stretch_of(out or folder_of(load_config(config)), feature, symbol)
    if png is not None:
        _draw(found, png)
    if as_json:
        typer.echo(msgspec.json.encode({"schema": SCHEMA_SHOW, **found.facts(last)}).decode())
    else:
        typer.echo("\n".join(found.lines(last)))


def _draw(found: Stretch, path: Path) -> None:
    from research.features.picture import draw
    from shared.errors import DataError
    from shared.io.bar_disk import RealDisk, put

    try:
        put(RealDisk(), path, draw(found.title, found.opened_at, found.values))
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}), allowed: a writable place") from None


def _way(sectors: Sectors | None, *, anew: bool) -> Way:
    """With a progress bar on a terminal, silent elsewhere."""
    from research.features.build import SMALL_CELLS, Way
    from research.features.progress import watcher

    return Way(anew=anew, watch=watcher(), here_cells=SMALL_CELLS, sectors=sectors)


def _fail(line: str, code: int) -> NoReturn:
    typer.echo(line, err=True)
    raise typer.Exit(code)
