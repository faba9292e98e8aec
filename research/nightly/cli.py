"""`openbell nightly`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from research.nightly.night import Night
    from research.nightly.step import Records
    from shared.config import Config

EXIT_FAILED, EXIT_USAGE, EXIT_DIFFERS = 1, 2, 6
SCHEMA = "openbell.nightly/1"
Tell = "Callable[[Config, str], str]"


def register(app: typer.Typer, *, tell: Callable[[Config, str], str]) -> None:
    """Add `nightly` to the front door, which hands in the way to a person."""

    @app.command()
    def nightly(  # noqa: PLR0917 - one parameter per option
        config: Annotated[Path, typer.Option(help="The config.toml the daemon runs with.")] = Path("config.toml"),
        session: Annotated[
            datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The session that has closed; else the last one.")
        ] = None,
        data: Annotated[Path | None, typer.Option(help="Bars instead of nightly.data: a file or a folder.")] = None,
        step: Annotated[str, typer.Option(help="Only this step.")] = "",
        force: Annotated[bool, typer.Option("--force", help="Do again what is done.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="The steps as one JSON object.")] = False,
    ) -> None:
        """After the close: audit, backtest, live against backtest, tomorrow's plan, report, digest.

        What is done with the same inputs is not done again, so it may be killed and started anew at any moment.

        Example: openbell nightly --config config.toml
        """
        night, records = _night(config, session, data, (step, force, tell))
        code = exit_code(records)
        typer.echo(_json(night, records, code) if as_json else _page(night, records))
        raise typer.Exit(code)


def exit_code(records: Records) -> int:
    """6 if the journal's decisions could not be made again, 1 if a step failed or was not done for that, else 0."""
    statuses = {record.status for record in records.values()}
    if "differs" in statuses:
        return EXIT_DIFFERS
    return EXIT_FAILED if statuses & {"failed", "blocked"} else 0


def _night(
    path: Path,
    session: datetime | None,
    data: Path | None,
    how: tuple[str, bool, Callable[[Config, str], str]],
) -> tuple[Night, Records]:
    from datetime import UTC

    from research.features.nightly_work import features_work
    from research.ingest.nightly_work import refresh_work
    from research.nightly.lock import the_only_one
    from research.nightly.night import night_of, nights_folder
    from research.nightly.sequence import Way, carry_out
    from research.nightly.steps import Outside, steps_of
    from shared.config import load_config

    def now() -> datetime:
        return datetime.now(UTC)

    step, force, tell = how
    names = [each.name for each in steps_of(Outside(tell=tell))]
    if step and step not in names:
        _say(f"nightly: --step {step!r}, allowed: {', '.join(names)}")
        raise typer.Exit(EXIT_USAGE)
    settings = load_config(path)
    night = night_of(settings, None if session is None else session.date(), now(), data)
    _say(f"nightly: the session of {night.session}, the next one is {night.next_session}, in {night.folder}")
    with the_only_one(nights_folder(settings)):
        way = Way(only=step, force=force, now=now, say=_say)
        outside = Outside(tell=tell, refresh=refresh_work(settings), features=features_work(settings))
        return night, carry_out(night, steps_of(outside), way)


def _page(night: Night, records: Records) -> str:
    """The text page where it was made, else the steps alone."""
    from research.nightly.page import sections_of, title_of
    from research.nightly.render import as_text
    from research.nightly.report_step import TEXT_FILE

    if "report" in records and records["report"].status == "done":
        return (night.folder / TEXT_FILE).read_text(encoding="utf-8").rstrip()
    return as_text(title_of(night), sections_of(night, records, None, None)).rstrip()


def _json(night: Night, records: Records, code: int) -> str:
    import msgspec

    facts = {
        "schema": SCHEMA,
        "session": night.session,
        "next_session": night.next_session,
        "mode": night.config.mode,
        "folder": f"{night.folder}",
        "well": code == 0,
        "exit_code": code,
        "steps": [
            {"step": each.step, "status": each.status, "said": each.said, "files": each.files, "facts": each.facts}
            for each in records.values()
        ],
    }
    return msgspec.json.encode(facts).decode()


def _say(line: str) -> None:
    typer.echo(line, err=True)
