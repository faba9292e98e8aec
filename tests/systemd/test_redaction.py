"""No secret and no account number reaches a log line, however it gets there (RELIABILITY.md I20)."""

import io
import json
import logging
import sys
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.io import redaction
from shared.io.logging import bind_run, hide, set_up_logging
from shared.io.secrets import read_secret

QUIET = logging.getLogger("tests.redaction")


@pytest.fixture
def lines(tmp_path, monkeypatch):
    """Both outputs of the logging, the file's and stderr's, as one text when asked."""
    stderr, hidden = io.StringIO(), dict(redaction._hidden)
    monkeypatch.setattr(sys, "stderr", stderr)
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    root.handlers.clear()
    set_up_logging(tmp_path / "log.jsonl")

    def read():
        return (tmp_path / "log.jsonl").read_text(encoding="utf-8") + stderr.getvalue()

    yield read
    for handler in root.handlers[:]:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()
    redaction._hidden.clear()
    redaction._pattern.clear()
    for value, shown in hidden.items():
        hide(value, shown=shown)


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "mqtt_password",
        "secret",
        "client_secret",
        "token",
        "bot_token",
        "key",
        "command_key",
        "api_key",
        "mac",
        "authorization",
        "Authorization",
        "account_id",
        "passphrase",
        "credentials",
    ],
)
def test_the_value_of_a_key_that_names_a_secret_is_stars(lines, key):
    structlog.get_logger("t").info("sent", **{key: "correct-horse-battery"})
    assert "correct-horse" not in lines()
    assert json.loads(lines().splitlines()[0])[key] == "***"


@pytest.mark.parametrize("key", ["monkey", "keyboard", "tokenizer", "machine", "symbol", "accounting"])
def test_a_key_that_only_sounds_like_a_secret_is_shown(lines, key):
    structlog.get_logger("t").info("sent", **{key: "plain words"})
    assert json.loads(lines().splitlines()[0])[key] == "plain words"


@pytest.mark.parametrize(
    ("account", "shown"),
    [("DU1234567", "DU***67"), ("U7654321", "U7***21"), ("DF123456", "DF***56"), ("F1234567", "F1***67")],
)
def test_an_account_number_in_the_middle_of_a_sentence_shows_only_its_ends(lines, account, shown):
    QUIET.warning("error 321: %s is not (%s)", account, account)
    assert account not in lines()
    assert f"error 321: {shown} is not ({shown})" in lines()


@pytest.mark.parametrize(
    "text", ["OB1:sma:20261121:SPY-1:E", "20261121T040228517Z-42", "0.1.0+du12345678ab", "EUR12345", "QU1234567"]
)
def test_what_only_looks_like_an_account_number_is_left(lines, text):
    structlog.get_logger("t").info("sent", ref=text)
    assert json.loads(lines().splitlines()[0])["ref"] == text


def test_a_hidden_value_is_hidden_in_lists_keys_paths_bytes_numbers_and_objects(lines):
    hide("98765432100", shown="***")
    hide("tr0ub4dor&3", shown="***")
    structlog.get_logger("t").info(
        "x tr0ub4dor&3",
        nested={"tr0ub4dor&3": ["tr0ub4dor&3", ("tr0ub4dor&3",)]},
        path=Path("/tr0ub4dor&3"),
        raw=b"tr0ub4dor&3",
        group=frozenset({"tr0ub4dor&3"}),
        error=ValueError("tr0ub4dor&3"),
        number=98765432100,
    )
    assert "tr0ub4dor" not in lines()
    assert "98765432100" not in lines()


def test_a_secret_in_an_exception_and_in_its_causes_is_hidden(lines):
    hide("s3cr3t-in-a-url", shown="***")

    def post():
        raise OSError("POST https://example.org/s3cr3t-in-a-url failed")

    def alert():
        try:
            post()
        except OSError as error:
            raise RuntimeError("s3cr3t-in-a-url, account U1234567") from error

    try:
        alert()
    except RuntimeError:
        structlog.get_logger("t").exception("failed")
        QUIET.exception("failed too")
    assert "s3cr3t" not in lines()
    assert "U1234567" not in lines()
    assert lines().count("OSError: POST https://example.org/***") >= 4


def test_of_two_secrets_one_within_the_other_nothing_remains(lines):
    hide("inner-secret", shown="***")
    hide("outer-inner-secret-outer", shown="***")
    structlog.get_logger("t").info("sent", said="<outer-inner-secret-outer> <inner-secret>")
    assert json.loads(lines().splitlines()[0])["said"] == "<***> <***>"


def test_hiding_a_secret_again_as_an_account_does_not_show_its_ends(lines):
    hide("abcdefgh-ijkl", shown="***")
    hide("abcdefgh-ijkl")
    structlog.get_logger("t").info("sent", said="abcdefgh-ijkl")
    assert json.loads(lines().splitlines()[0])["said"] == "***"


READABLE = st.characters(codec="utf-8", exclude_characters="*\0\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
KEYS = ("said", "password", "held")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    secret=st.text(READABLE, min_size=8, max_size=60), around=st.text(READABLE, max_size=12), key=st.sampled_from(KEYS)
)
def test_no_loaded_secret_ever_stands_in_a_line(tmp_path, lines, secret, around, key):
    structlog.get_logger("t").info("before", **{key: around, "list": [around]})
    ordinary = lines()
    (tmp_path / "secrets").mkdir(exist_ok=True)
    (tmp_path / "secrets" / "drawn").write_text(secret, encoding="utf-8")
    (tmp_path / "secrets" / "drawn").chmod(0o600)
    loaded = read_secret("drawn", tmp_path, {})
    assert loaded == secret
    text = f"{around}{loaded}{around}"
    structlog.get_logger("t").info(text, **{key: {text: [text, Path(text), ValueError(text), text.encode()]}})
    QUIET.warning("%s and %r", text, text)
    assert secret not in lines() or secret in ordinary


@pytest.mark.parametrize(
    ("secret", "written"),
    [
        ('it\'s "so" \\n', repr('it\'s "so" \\n')[1:-1]),
        ('say "friend"', 'say \\"friend\\"'),
        ("p@ss:word", "p%40ss%3Aword"),
        ("caf\u00e9-latte", "caf\\u00e9-latte"),
    ],
)
def test_a_secret_is_hidden_in_its_escaped_forms_too(tmp_path, lines, secret, written):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "drawn").write_text(secret, encoding="utf-8")
    (tmp_path / "secrets" / "drawn").chmod(0o600)
    read_secret("drawn", tmp_path, {})
    structlog.get_logger("t").info("sent", said=f"<{written}>")
    assert json.loads(lines().splitlines()[0])["said"] == "<***>"


def test_run_and_code_stand_in_every_line_of_every_library(lines):
    bind_run("20261121T1-7", "0.1.0+3f2a91c07b1d")
    structlog.get_logger("t").info("ours")
    QUIET.warning("theirs")
    ours, theirs = (json.loads(line) for line in lines().splitlines()[:2])
    assert (ours["run"], ours["code"], theirs["run"], theirs["code"]) == ("20261121T1-7", "0.1.0+3f2a91c07b1d") * 2


def test_a_line_that_names_its_run_keeps_it(lines):
    bind_run("this", "0.1.0")
    structlog.get_logger("t").info("heartbeat", run="that")
    assert json.loads(lines().splitlines()[0])["run"] == "that"
