"""Sessions kept on disk are those of the calendar, or they are not believed."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest

from shared.errors import ConfigError
from shared.io.session_cache import cache_folder, prepare_sessions

ASKS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from shared.io.session_cache import prepare_sessions
from shared.sessions import session_at_or_after
prepare_sessions("XNYS", Path(sys.argv[1]))
print(session_at_or_after("XNYS", datetime(2013, 11, 29, 15, tzinfo=UTC)), "pandas" in sys.modules)
"""
ASKS_TWICE = (
    ASKS
    + """
(path,) = Path(sys.argv[1]).iterdir()
path.unlink()
prepare_sessions("XNYS", Path(sys.argv[1]))
print(path.exists(), "pandas" in sys.modules)
"""
)
HALF_DAY = (
    "SessionHours(session=datetime.date(2013, 11, 29), "
    "opens_at=datetime.datetime(2013, 11, 29, 14, 30, tzinfo=datetime.timezone.utc), "
    "closes_at=datetime.datetime(2013, 11, 29, 18, 0, tzinfo=datetime.timezone.utc))"
)


def asked(folder):
    """What a fresh process hears about the day after Thanksgiving 2013, and whether it needed pandas for it."""
    said = subprocess.run([sys.executable, "-c", ASKS, str(folder)], capture_output=True, text=True, check=True)
    hours, _, needed = said.stdout.strip().rpartition(" ")
    return hours, needed == "True"


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """The content of a file as a first process leaves it."""
    folder = tmp_path_factory.mktemp("cache")
    assert asked(folder) == (HALF_DAY, True)
    return (folder / "sessions_XNYS.json").read_text()


def test_a_second_process_hears_the_same_without_computing(tmp_path, kept):
    (tmp_path / "sessions_XNYS.json").write_text(kept)
    assert asked(tmp_path) == (HALF_DAY, False)


def shifted(text):
    """Every close an hour later."""
    content = json.loads(text)
    return json.dumps({**content, "closes": [at + 3600 for at in content["closes"]]})


def by_others(text):
    return json.dumps({**json.loads(text), "made_by": "exchange_calendars 1.0"})


@pytest.mark.parametrize("damage", [shifted, by_others, lambda text: text[:1000], lambda _: ""])
def test_a_file_that_is_not_what_these_versions_wrote_is_written_anew(tmp_path, kept, damage):
    path = tmp_path / "sessions_XNYS.json"
    path.write_text(damage(kept))
    assert asked(tmp_path) == (HALF_DAY, True)
    assert path.read_text() == kept


def test_what_is_kept_is_every_session_of_the_calendar(kept):
    content = json.loads(kept)
    at = content["days"].index(date(2026, 12, 24).toordinal())
    assert datetime.fromtimestamp(content["closes"][at], UTC) == datetime(2026, 12, 24, 18, tzinfo=UTC)
    assert len(content["days"]) == len(content["opens"]) == len(content["closes"]) > 5000


def test_an_unknown_calendar_is_refused_and_nothing_kept(tmp_path):
    with pytest.raises(ConfigError, match="XNOW"):
        prepare_sessions("XNOW", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path):
    (tmp_path / "file").write_text("in the way")
    prepare_sessions("XNYS", tmp_path / "file")
    prepare_sessions("XNYS", None)
    prepare_sessions("../XNYS", tmp_path)
    assert (tmp_path / "file").read_text() == "in the way"


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ({"NUMBA_CACHE_DIR": "/a", "XDG_CACHE_HOME": "/b"}, "/a"),
        ({"XDG_CACHE_HOME": "/b"}, "/b/openbell"),
        ({"HOME": "/c"}, "/c/.cache/openbell"),
    ],
)
def test_the_folder_is_that_of_the_kernels_or_the_users_own(monkeypatch, given, folder):
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert str(cache_folder()) == folder


def test_a_process_reads_the_file_once(kept, tmp_path):
    (tmp_path / "sessions_XNYS.json").write_text(kept)
    command = [sys.executable, "-c", ASKS_TWICE, str(tmp_path)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "False False"
