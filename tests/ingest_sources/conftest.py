import pytest
import structlog

from tests.ingest_sources.clocks import HandTurned
from tests.ingest_sources.local_server import a_server


@pytest.fixture(autouse=True)
def logging_as_before():
    """A command sets up where its log goes; the next test must not write to a stream that is closed."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
def clock():
    return HandTurned()


@pytest.fixture
def server():
    with a_server() as running:
        yield running
