import pytest

from tests.runtime.front_door import FrontDoor


@pytest.fixture
def openbell(capsys, monkeypatch, tmp_path):
    """The command line, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return FrontDoor(capsys, monkeypatch)
