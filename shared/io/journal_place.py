"""Where the journal of a configuration is: a file in state_dir, or a schema on the server that journal.url names."""

from __future__ import annotations

from shared.config import Config
from shared.io.journal import Journal, JournalReader
from shared.io.journal_database import JournalPlace, PostgresPlace


def journal_place(config: Config) -> JournalPlace:
    """Paper and live each have their own. Relative to config.toml's folder."""
    if not config.journal.url:
        return config.base_dir / config.state_dir / config.mode / "journal.sqlite"
    return PostgresPlace(url=config.journal.url, schema=f"openbell_{config.mode}", password=_password(config))


def open_journal(config: Config) -> Journal:
    """The configuration's journal for writing; raises as `Journal.create`."""
    return Journal.create(journal_place(config), config.mode)


def read_journal(config: Config) -> JournalReader:
    """The configuration's journal for reading; raises as `JournalReader.open`."""
    return JournalReader.open(journal_place(config))


def _password(config: Config) -> str:
    """The secret of that name; empty where there is none, and libpq looks into .pgpass, then tries without."""
    from shared.io.secrets import read_secret

    return read_secret(config.journal.password_secret, config.base_dir)
