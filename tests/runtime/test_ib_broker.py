"""What the keys of [broker] become is the same for the daemon, for a rescue and for the doctor."""

import pytest

from daemon.control.rescue import Ids, Listener, _broker
from daemon.runtime.clock import wall_now
from daemon.runtime.ib_broker import ib_broker
from shared.errors import ConfigError
from tests.runtime.builders import a_config


@pytest.mark.parametrize(
    "build",
    [
        lambda config: ib_broker(config, Listener(), wall_now),
        lambda config: _broker(config, Ids(orders=107, data=108, daemon=""), Listener()),
    ],
    ids=["daemon", "rescue"],
)
async def test_the_operators_codes_are_found_beside_the_configuration(tmp_path, monkeypatch, build):
    """A rescue is called from wherever a person stands; it must not fail for that."""
    folder, elsewhere = tmp_path / "etc", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (folder / "codes.toml").write_text('[notice]\n"10999" = "a code of tomorrow"\n', encoding="utf-8")
    monkeypatch.chdir(elsewhere)
    broker = build(a_config(folder, broker={"codes_file": "codes.toml"}))
    assert not broker.is_connected
    with pytest.raises(ConfigError, match=r"codes_file: .*nowhere\.toml"):
        build(a_config(folder, broker={"codes_file": "nowhere.toml"}))
