"""Both homes of a journal, for tests that hold for each."""

import itertools

import pytest

from shared.io.journal_database import PostgresPlace
from tests.fakes.postgres import PostgresServer

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres():
    """One server for the whole session."""
    server = PostgresServer()
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    """A place where no journal is yet."""
    if request.param == "sqlite":
        return tmp_path / "paper" / "journal.sqlite"
    server = request.getfixturevalue("postgres")
    return PostgresPlace(url=server.url, schema=f"openbell_{next(_numbers)}")
