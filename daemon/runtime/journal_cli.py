"""openbell journal: is it whole, what is in it, and copies of it. All only read; the daemon may run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.runtime.cli import DEFAULT_CONFIG, EXIT_MISMATCH, ConfigOption, JsonOption, loaded

if TYPE_CHECKING:
    from shared.io.journal import JournalReader

journal_app = typer.Typer(help="Verify, show, export and back up the journal.", no_args_is_help=True)

FileOption = Annotated[Path | None, typer.Option("--journal", help="This file instead of the configuration's journal.")]
AccountsOption = Annotated[bool, typer.Option("--with-accounts", help="Show account numbers in full.")]


def register(app: typer.Typer) -> None:
    """Contribute the commands to the front door."""
    app.add_typer(journal_app, name="journal")


@journal_app.command()
def verify(config: ConfigOption = DEFAULT_CONFIG, journal: FileOption = None, as_json: JsonOption = False) -> None:
    """Files sound, no event missing, no row changed, every state usable; exit code 6 if not.

    Example: openbell journal verify --config config.toml
    """
    from msgspec import to_builtins

    from daemon.runtime.journal_files import snapshot_fault
    from daemon.runtime.json_output import json_line
    from shared.io.journal_verify import verify as verified

    with _opened(config, journal) as reader:
        verdict = verified(reader, snapshot_fault)
    if as_json:
        typer.echo(json_line("journal-verify", {"whole": not verdict.findings, **to_builtins(verdict)}))
    else:
        counts = f"{verdict.runs} runs, {verdict.events} events, {verdict.commands} commands"
        lines = verdict.findings or [f"{verdict.journal}: whole ({counts}, {verdict.snapshots} snapshots)"]
        typer.echo("\n".join(lines))
    raise typer.Exit(EXIT_MISMATCH if verdict.findings else 0)


@journal_app.command()
def show(  # noqa: PLR0917 - one option each
    count: Annotated[int, typer.Option("-n", min=1, help="How many of the last events.")] = 20,
    kind: Annotated[str | None, typer.Option(help="Only events of this kind, such as OrderFilled.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    journal: FileOption = None,
    with_accounts: AccountsOption = False,
    as_json: JsonOption = False,
) -> None:
    """The last events with the commands they led to.

    Example: openbell journal show -n 50 --kind OrderFilled
    """
    from collections import deque

    from daemon.runtime.json_output import json_line
    from shared.io.journal_export import Exporter, line

    with _opened(config, journal) as reader:
        after = 0 if kind else max(reader.last_seq() - count, 0)
        exporter = Exporter(with_accounts=with_accounts)
        chosen = (record for record in reader.records(after_seq=after) if kind in {None, record.kind})
        for record in deque(chosen, maxlen=count):
            facts = exporter.record(record)
            typer.echo(json_line("journal-event", facts) if as_json else line(facts))


@journal_app.command()
def export(
    out: Annotated[Path | None, typer.Option(help="A new file; standard output if left out.")] = None,
    run: Annotated[str | None, typer.Option(help="Only this run.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    journal: FileOption = None,
    with_accounts: AccountsOption = False,
) -> None:
    """Runs and events as lines of JSON; account numbers are masked unless asked for.

    Example: openbell journal export --out journal.ndjson
    """
    from daemon.runtime.journal_files import write_lines

    with _opened(config, journal) as reader:
        lines = _lines(reader, run, with_accounts=with_accounts)
        if out is not None:
            typer.echo(f"{out}: {write_lines(lines, out)} lines", err=True)
            return
        for each in lines:
            typer.echo(each)


@journal_app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="The new file.")],
    config: ConfigOption = DEFAULT_CONFIG,
    journal: FileOption = None,
) -> None:
    """A copy, restored and verified before it takes its name; a journal on a server becomes a SQLite file.

    Example: openbell journal backup backups/2026-11-21.sqlite
    """
    from daemon.runtime.journal_files import back_up

    with _opened(config, journal) as reader:
        verdict = back_up(reader, target)
    typer.echo(f"{target}: whole ({verdict.runs} runs, {verdict.events} events, {verdict.snapshots} snapshots)")


def _opened(config: Path, journal: Path | None) -> JournalReader:
    from shared.io.journal import JournalReader
    from shared.io.journal_place import journal_place

    return JournalReader.open(journal or journal_place(loaded(config)))


def _lines(reader: JournalReader, run_id: str | None, *, with_accounts: bool) -> Iterator[str]:
    from daemon.runtime.json_output import json_line
    from shared.io.journal_export import Exporter

    exporter = Exporter(with_accounts=with_accounts)
    for run in [reader.run(run_id)] if run_id else reader.runs():
        yield json_line("journal-event", exporter.run(run))
        for record in reader.records(after_seq=run.after_seq, run_id=run.id):
            yield json_line("journal-event", exporter.record(record))
