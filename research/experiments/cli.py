"""`openbell sweep` and `openbell walkforward`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from datetime import date

    from research.experiments.asked import Asked

EXIT_FAILED, EXIT_USAGE, EXIT_NOT_FOUND, EXIT_REFUSED, EXIT_CONFIG, EXIT_INTERRUPTED = 1, 2, 3, 4, 78, 130

ConfigFile = Annotated[Path, typer.Option("--config", help="The config.toml the daemon runs with.")]
Data = Annotated[Path | None, typer.Option(help="Bars: a .parquet or .csv file, or a folder.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUES", help="What varies: sma.fast=5,10,20 or 5:50:5 or int(5,50)."),
]
SpaceFile = Annotated[Path | None, typer.Option("--space", help="A TOML file of what varies.")]
Draws = Annotated[int | None, typer.Option(help="Draw so many settings instead of trying all.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the draws.")]
Seeds = Annotated[str | None, typer.Option(help="Repeat with these seeds of the strategy: 5 or 3,7,11.")]
Markets = Annotated[int, typer.Option(help="Replay also in so many markets drawn from the same sessions.")]
MarketSeed = Annotated[int, typer.Option(help="Seed of the first of them.")]
BlockSessions = Annotated[float, typer.Option(help="Mean sessions that stay together there; 1 = no memory.")]
First = Annotated[str | None, typer.Option("--from", metavar="DATE", help="First session, ISO date.")]
Last = Annotated[str | None, typer.Option("--to", metavar="DATE", help="Last session, ISO date.")]
By = Annotated[str, typer.Option("--by", help="The measure to choose by.")]
Workers = Annotated[int | None, typer.Option(help="Processes of this machine (else [cluster] workers).")]
Out = Annotated[Path | None, typer.Option(help="Folder of the results (else STATE_DIR/experiments/...).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
DropBad = Annotated[bool, typer.Option("--drop-bad-bars", help="Skip and count bad bars.")]


def register(app: typer.Typer) -> None:
    """Add `sweep` and `walkforward` to the front door."""
    app.command("sweep")(sweep)
    app.command("walkforward")(walkforward)


def sweep(  # noqa: PLR0913, PLR0917 - one parameter per option
    config: ConfigFile = Path("config.toml"),
    data: Data = None,
    settings: Settings = None,
    space: SpaceFile = None,
    draws: Draws = None,
    seed: Seed = None,
    seeds: Seeds = None,
    markets: Markets = 0,
    market_seed: MarketSeed = 7,
    block_sessions: BlockSessions = 20.0,
    first: First = None,
    last: Last = None,
    by: By = "sharpe",
    top: Annotated[int, typer.Option(help="How many of the best to show.", min=1)] = 10,
    workers: Workers = None,
    out: Out = None,
    drop_bad_bars: DropBad = False,
    as_json: AsJson = False,
) -> None:
    """Replay many settings of a strategy over the same bars.

    Example: openbell sweep --data bars.parquet --set sma.fast=5,10,20 --set sma.slow=20:100:20 --workers 2
    """
    from research.experiments.asked import Question
    from research.experiments.conduct import sweep_in_folder

    question = Question(
        command="sweep", config=config, data=data, written=tuple(settings or ()), space=space, draws=draws, seed=seed,
        seeds=seeds, markets=markets, market_seed=market_seed, block_sessions=block_sessions,
        first=_day("sweep", "--from", first), last=_day("sweep", "--to", last), measure=by,
        workers=workers, out=out, drop_bad_bars=drop_bad_bars,
    )  # fmt: skip
    _guarded("sweep", question, lambda asked: sweep_in_folder(asked, top=top, as_json=as_json))


def walkforward(  # noqa: PLR0913, PLR0917 - one parameter per option
    config: ConfigFile = Path("config.toml"),
    data: Data = None,
    settings: Settings = None,
    space: SpaceFile = None,
    draws: Draws = None,
    seed: Seed = None,
    first: First = None,
    last: Last = None,
    by: By = "sharpe",
    train: Annotated[int, typer.Option(help="Sessions to choose on.")] = 252,
    trade: Annotated[int, typer.Option(help="Sessions to trade with what was chosen.")] = 5,
    embargo: Annotated[int, typer.Option(help="Sessions between them that neither uses.")] = 0,
    anchored: Annotated[bool, typer.Option("--anchored", help="Train windows all begin at the first session.")] = False,
    cost_bps: Annotated[float, typer.Option(help="Slippage of market and stop fills, bps.")] = 10.0,
    edges: Annotated[str | None, typer.Option(help="held or flat over the edges of trade windows.")] = None,
    workers: Workers = None,
    out: Out = None,
    drop_bad_bars: DropBad = False,
    as_json: AsJson = False,
) -> None:
    """Choose settings on the past, trade the next sessions with them, and so on; only what was traded counts.

    Example: openbell walkforward --data bars.parquet --set sma.fast=5,10,20 --set sma.slow=50,100 --embargo 5
    """
    from research.experiments.asked import Question
    from research.experiments.conduct import walk_in_folder
    from research.experiments.windows import Walk

    question = Question(
        command="walkforward", config=config, data=data, written=tuple(settings or ()), space=space, draws=draws,
        seed=seed, first=_day("walkforward", "--from", first), last=_day("walkforward", "--to", last), measure=by,
        workers=workers, out=out, drop_bad_bars=drop_bad_bars, cost_bps=cost_bps,
    )  # fmt: skip
    walk = Walk(train=train, trade=trade, embargo=embargo, anchored=anchored)
    _guarded("walkforward", question, lambda asked: walk_in_folder(asked, walk, edges=edges, as_json=as_json))


def _guarded(command: str, question: Any, run: Any) -> None:  # noqa: ANN401 - typed where they are made
    """Every error Openbell raises on purpose as one line and its exit code."""
    from research.experiments.asked import Interrupted, SomeFailed, asked_of
    from research.experiments.axes import WrongUsage
    from shared.errors import ConfigError, NotFound, OpenbellError, Refused

    codes = {
        WrongUsage: EXIT_USAGE,
        NotFound: EXIT_NOT_FOUND,
        Refused: EXIT_REFUSED,
        ConfigError: EXIT_CONFIG,
        Interrupted: EXIT_INTERRUPTED,
        SomeFailed: EXIT_FAILED,
    }
    try:
        asked: Asked = asked_of(question)
        run(asked)
    except OpenbellError as error:
        line = str(error) if isinstance(error, ConfigError) else f"{command}: {error}"
        _fail(line, next((code for kind, code in codes.items() if isinstance(error, kind)), EXIT_FAILED))


def _day(command: str, option: str, text: str | None) -> date | None:
    from datetime import date

    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        _fail(f"{command}: {option} {text!r} is no date, allowed: ISO such as 2013-10-08", EXIT_USAGE)


def _fail(line: str, code: int) -> NoReturn:
    typer.echo(line, err=True)
    raise typer.Exit(code)
