"""The thousand days begin as soon as it is known that they are wanted, and are asked for last."""

import pytest

from tests.simulation.thousand_days import Campaign

CAMPAIGN = pytest.StashKey[Campaign]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: "thousand_days" in item.fixturenames)


def pytest_collection_finish(session):
    is_wanted = any("thousand_days" in item.fixturenames for item in session.items)
    if is_wanted and not session.config.option.collectonly:
        session.config.stash[CAMPAIGN] = Campaign()


def pytest_sessionfinish(session):
    if CAMPAIGN in session.config.stash:
        session.config.stash[CAMPAIGN].left()


@pytest.fixture
def thousand_days(request):
    return request.config.stash[CAMPAIGN]
