"""Where secrets are looked up, what is refused, and that none ever shows."""

import sys
from types import ModuleType

import pytest

from shared.errors import ConfigError
from shared.io.secrets import Secret, read_secret

NOWHERE: dict[str, str] = {}


def keep(folder, name, content, mode=0o600):
    path = folder / "secrets" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_a_credential_of_systemd_comes_before_a_file_of_the_same_name(tmp_path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "mqtt_password").write_text("from-systemd\n")
    keep(tmp_path, "mqtt_password", b"from-the-file\n")
    assert read_secret("mqtt_password", tmp_path, {"CREDENTIALS_DIRECTORY": str(credentials)}) == "from-systemd"


def test_a_file_beside_the_configuration_is_read_where_systemd_has_no_such_credential(tmp_path):
    keep(tmp_path, "mqtt_password", b"from-the-file\n")
    (tmp_path / "empty").mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path / "empty")}
    assert read_secret("mqtt_password", tmp_path, environ) == "from-the-file"


@pytest.mark.parametrize("content", [b"two words ", b"two words \n", b"two words \r\n"])
def test_only_the_final_line_break_is_no_part_of_a_secret(tmp_path, content):
    keep(tmp_path, "mqtt_password", content)
    assert read_secret("mqtt_password", tmp_path, NOWHERE) == "two words "


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666, 0o601])
def test_a_file_that_others_may_touch_is_refused_with_the_command_that_mends_it(tmp_path, mode):
    path = keep(tmp_path, "mqtt_password", b"never-read-at-all", mode)
    with pytest.raises(ConfigError) as refused:
        read_secret("mqtt_password", tmp_path, NOWHERE)
    assert str(refused.value) == f"{path}: others may read it (mode {mode:04o}), run: chmod 600 {path}"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"1234567", "has 7 characters, must have at least 8 to be kept out of logs"),
        (b"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", "is not UTF-8 text, a secret must be"),
        (b"x" * 65_537, "is larger than 65536 bytes, that is no secret"),
    ],
)
def test_a_file_that_can_be_no_secret_is_refused_without_showing_it(tmp_path, content, why):
    path = keep(tmp_path, "command_key", content)
    with pytest.raises(ConfigError) as refused:
        read_secret("command_key", tmp_path, NOWHERE)
    assert str(refused.value) == f"{path}: {why}"


def test_a_folder_in_the_place_of_a_secret_is_one_clear_line(tmp_path):
    path = tmp_path / "secrets" / "command_key"
    path.mkdir(parents=True, mode=0o700)
    with pytest.raises(ConfigError) as refused:
        read_secret("command_key", tmp_path, NOWHERE)
    assert str(refused.value) == f"{path}: cannot be read: Is a directory"


@pytest.mark.parametrize("name", ["", "../mqtt_password", "A", "a b", "x" * 49])
def test_what_is_no_name_reaches_no_file(tmp_path, name):
    with pytest.raises(ConfigError, match=r"is no name of a secret, must be 1 to 48 of a-z, 0-9 and _$"):
        read_secret(name, tmp_path, NOWHERE)


def test_a_secret_that_is_nowhere_is_empty(tmp_path):
    assert read_secret("mqtt_password", tmp_path, NOWHERE) == ""


def test_the_environment_is_no_place_for_a_secret(tmp_path):
    environ = {"MQTT_PASSWORD": "in-the-environment", "mqtt_password": "in-the-environment"}
    assert read_secret("mqtt_password", tmp_path, environ) == ""


@pytest.fixture
def keyring(monkeypatch):
    """A desktop's keyring that holds one entry; the package is an extra and absent in most installs."""

    class LockedError(Exception):
        """What a keyring raises when nobody unlocks it."""

    def get_password(service, name):
        if name == "locked":
            raise LockedError
        return {("openbell", "mqtt_password"): "from-the-keyring"}.get((service, name))

    package, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    vars(package)["get_password"] = get_password
    vars(errors)["KeyringError"] = LockedError
    monkeypatch.setitem(sys.modules, "keyring", package)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)


@pytest.mark.parametrize(
    ("name", "found"), [("mqtt_password", "from-the-keyring"), ("command_key", ""), ("locked", "")]
)
def test_the_keyring_comes_last_and_may_be_empty_or_locked(tmp_path, keyring, name, found):
    assert read_secret(name, tmp_path, NOWHERE) == found


def test_the_file_comes_before_the_keyring(tmp_path, keyring):
    keep(tmp_path, "mqtt_password", b"from-the-file")
    assert read_secret("mqtt_password", tmp_path, NOWHERE) == "from-the-file"


def test_the_repr_of_a_secret_tells_nothing_of_it():
    assert (repr(Secret("hunter2-hunter2")), f"{Secret('hunter2-hunter2')!r}") == ("Secret('***')", "Secret('***')")
