from pathlib import Path

import pytest

from tests.runtime.front_door import FrontDoor

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data"
SHIPPED = (Path(__file__).resolve().parents[2] / "config.toml").read_text()


@pytest.fixture
def openbell(capsys, monkeypatch, tmp_path):
    """The command line, in a folder of the test's own with the shipped configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text(SHIPPED)
    return FrontDoor(capsys, monkeypatch)


@pytest.fixture
def recorded():
    """The folder of recorded market data; skipped where there is none."""
    if not RECORDED.is_dir():
        pytest.skip(f"{RECORDED} is not there")
    return RECORDED
