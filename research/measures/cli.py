"""`openbell trials`: how often was it tried."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from research.measures.ledger import Ledger, Trial, TrialCount

SHOWN_DIGITS = 12

trials_app = typer.Typer(help="The ledger of everything that was tried on the data.", no_args_is_help=True)

ConfigOption = Annotated[Path, typer.Option(help="The config.toml whose state_dir holds the ledger.")]
LedgerOption = Annotated[Path | None, typer.Option("--ledger", help="This file instead of the configuration's.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object.")]
DEFAULT_CONFIG = Path("config.toml")


def register(app: typer.Typer) -> None:
    """Contribute the commands to the front door."""
    app.add_typer(trials_app, name="trials")


@trials_app.command("list")
def list_trials(
    config: ConfigOption = DEFAULT_CONFIG,
    ledger: LedgerOption = None,
    count: Annotated[int, typer.Option("-n", min=1, help="How many of the latest.")] = 20,
    strategy: Annotated[str | None, typer.Option(help="Only this strategy, as `count` names it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The latest trials, oldest first.

    Example: openbell trials list --config config.toml -n 50
    """
    found = [trial for trial in _ledger(config, ledger).trials() if strategy in {None, trial.strategy}][-count:]
    if as_json:
        _print_json("trials-list", "trials", found)
        return
    for trial in found:
        typer.echo(_line(trial))
    if not found:
        typer.echo("no trials" if strategy is None else f"no trials of {strategy}")


@trials_app.command("count")
def count_trials(
    config: ConfigOption = DEFAULT_CONFIG, ledger: LedgerOption = None, as_json: JsonOption = False
) -> None:
    """How many configurations of each strategy were tried on each data set, and what the luckiest would show.

    Example: openbell trials count --config config.toml
    """
    counts = _ledger(config, ledger).counts()
    if as_json:
        _print_json("trials-count", "counts", counts)
        return
    for each in counts:
        typer.echo(_count_line(each))
    if not counts:
        typer.echo("no trials")


def _ledger(config: Path, ledger: Path | None) -> Ledger:
    from research.measures.ledger import LEDGER_FILE, Ledger
    from shared.config import load_config

    if ledger is not None:
        return Ledger(ledger)
    settings = load_config(config)
    return Ledger(settings.base_dir / settings.state_dir / LEDGER_FILE)


def _line(trial: Trial) -> str:
    ratio = "    n/a" if trial.sharpe is None else f"{trial.sharpe:>+7.2f}"
    made_of = f"config {trial.config_hash[:SHOWN_DIGITS]} data {trial.data_hash[:SHOWN_DIGITS]}"
    return (
        f"{trial.number:>6}  {trial.recorded_at:%Y-%m-%d %H:%M:%S}  Sharpe {ratio}  {trial.strategy}  "
        f"{trial.first_session} to {trial.last_session}  {trial.symbols} symbols of {trial.interval_s} s  "
        f"{made_of} code {trial.code_hash[:SHOWN_DIGITS]}  {trial.command}"
    )


def _count_line(count: TrialCount) -> str:
    from research.measures.significance import expected_sharpe_max

    expected = expected_sharpe_max(count.trials, count.sharpe_variance)
    luck = "n/a" if expected is None else f"{expected:.2f}"
    return (
        f"{count.trials:>6}  {count.strategy}  data set {count.dataset[:SHOWN_DIGITS]}  "
        f"the best of so many without any skill would show a Sharpe ratio of {luck}"
    )


def _print_json(schema: str, name: str, entries: list[Trial] | list[TrialCount]) -> None:
    import msgspec

    typer.echo(msgspec.json.encode({"schema": f"openbell.{schema}/1", name: entries}).decode())
