"""Signed commands: what is believed, what is refused, and that nothing but the real thing passes."""

import hashlib
import hmac
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from daemon.control.envelope import LIFE_MAX, Denied, Envelope, Judge, signed
from daemon.control.verbs import scope_fault
from tests.control.builders import ENTROPY, KEY, NOW, a_command
from tests.runtime.builders import a_config

SPENT = "spent-nonce-0123456789"
FUZZED, BATCH = 10_000, 50


@pytest.fixture
def judge(tmp_path):
    return Judge(key=KEY.encode(), scope_fault=scope_fault(a_config(tmp_path)), is_spent=lambda nonce: nonce == SPENT)


def by_hand(key=KEY, **changes):
    """A command signed with the standard library alone, as docs/control.md says."""
    texts = {
        "id": "01JD4ZQ9W8K3M5N7P9R1T3V5X7",
        "issued_at": "2026-11-20T15:00:00+00:00",
        "expires_at": "2026-11-20T15:00:10+00:00",
        "actor": "me",
        "nonce": "abcdef0123456789",
        "verb": "halt",
        "scope": "account",
        **changes,
    }
    canonical = json.dumps(texts, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    return json.dumps({**texts, "mac": hmac.new(key.encode(), canonical, hashlib.sha256).hexdigest()}).encode()


def reason(verdict):
    assert isinstance(verdict, Denied)
    return verdict.reason


def test_a_command_signed_with_the_standard_library_alone_is_believed(judge):
    verdict = judge.judge(by_hand(scope="strategy:sma"), is_retained=False, now=NOW)
    assert isinstance(verdict, Envelope)
    assert (verdict.verb, verdict.scope, verdict.actor) == ("halt", "strategy:sma", "me")


def test_our_own_signer_and_the_standard_library_agree(judge):
    ours = signed(verb="halt", scope="account", actor="me", key=KEY.encode(), now=NOW, entropy=ENTROPY)
    texts = {name: value for name, value in msgspec.to_builtins(ours).items() if name != "mac"}
    assert json.loads(by_hand(**texts))["mac"] == ours.mac


def test_an_id_is_a_ulid_of_the_time_it_was_made():
    # 01ARYZ6S41 is the time 1469918176385 in the ULID specification's own example.
    at = NOW.fromtimestamp(1_469_918_176.385, tz=NOW.tzinfo)
    made = signed(verb="halt", scope="account", actor="me", key=KEY.encode(), now=at, entropy=ENTROPY)
    assert made.id[:10] == "01ARYZ6S41"
    assert len(made.id) == 26


def test_a_retained_command_is_refused(judge):
    assert "retained" in reason(judge.judge(by_hand(), is_retained=True, now=NOW))


def test_a_command_of_more_than_4_kb_is_refused_unread(judge):
    huge = by_hand()[:-1] + b" " * 4096 + b"}"
    assert "4096" in reason(judge.judge(huge, is_retained=False, now=NOW))


def test_a_forged_signature_is_refused_and_nothing_else_is_told(judge):
    forged = judge.judge(
        by_hand(key="another key, which nobody has given us", scope="nonsense"), is_retained=False, now=NOW
    )
    assert forged == Denied(reason="the signature does not fit")


def test_a_command_older_than_ten_seconds_is_refused(judge):
    late = NOW + timedelta(seconds=10, milliseconds=1)
    assert reason(judge.judge(by_hand(), is_retained=False, now=late)) == "expired: issued 10.0 s ago by our clock"


def test_a_command_at_the_end_of_its_life_is_believed(judge):
    assert isinstance(judge.judge(by_hand(), is_retained=False, now=NOW + LIFE_MAX), Envelope)


def test_a_command_from_the_future_is_refused_beyond_two_seconds(judge):
    early = judge.judge(by_hand(), is_retained=False, now=NOW - timedelta(seconds=2.5))
    assert reason(early).startswith("issued 2.5 s in the future")
    assert isinstance(judge.judge(by_hand(), is_retained=False, now=NOW - timedelta(seconds=2)), Envelope)


def test_a_command_that_grants_itself_a_longer_life_is_refused(judge):
    greedy = by_hand(expires_at="2026-11-20T15:01:00+00:00")
    assert "at most 10 s" in reason(judge.judge(greedy, is_retained=False, now=NOW))


def test_a_nonce_works_once(judge):
    assert "nonce" in reason(judge.judge(by_hand(nonce=SPENT), is_retained=False, now=NOW))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"verb": "liquidate"}, "verb"),
        ({"verb": "halt; rm -rf /"}, "verb"),
        ({"scope": "strategy:other"}, "no such strategy"),
        ({"scope": "instrument:TSLA"}, "no such instrument"),
        ({"scope": "everything"}, "must be account"),
        ({"verb": "accept"}, "instrument:SYMBOL"),
        ({"scope": "account\n"}, "scope"),
        ({"id": "1"}, "id"),
        ({"nonce": "short"}, "nonce"),
        ({"actor": "me\x1b[2J"}, "actor"),
        ({"issued_at": "2026-11-20T15:00:00"}, "offset"),
        ({"issued_at": "0001-01-01T00:00:00+23:59"}, "issued_at"),
        ({"expires_at": "2026-11-20T15:00:00+00:00"}, "expires_at"),
    ],
)
def test_a_signed_command_that_says_nonsense_is_refused(judge, change, named):
    assert named in reason(judge.judge(by_hand(**change), is_retained=False, now=NOW))


def test_a_field_more_than_agreed_is_refused(judge):
    more = json.dumps({**json.loads(by_hand()), "sudo": "1"}).encode()
    assert "no signed command" in reason(judge.judge(more, is_retained=False, now=NOW))


def _mutated(chance):
    """A real command with one change: a byte, a cut, a field from elsewhere, another type, junk, said twice."""
    raw, fields = bytearray(by_hand()), json.loads(by_hand())
    match chance.randrange(6):
        case 0:
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        case 1:
            del raw[chance.randrange(len(raw)) :]
        case 2:
            fields[chance.choice(sorted(fields))] = "".join(chr(chance.randrange(0x3000)) for _ in range(20))
            raw = bytearray(json.dumps(fields).encode())
        case 3:
            fields[chance.choice(sorted(fields))] = chance.choice([None, 1, True, [], {}, 1e308])
            raw = bytearray(json.dumps(fields).encode())
        case 4:
            raw = bytearray(chance.randbytes(chance.randrange(5000)))
        case _:
            raw += raw[chance.randrange(len(raw)) :]
    return bytes(raw)


def test_ten_thousand_forged_and_mutated_messages_change_nothing(judge):
    texts = json.loads(by_hand())
    passed: list[Envelope] = []
    tried: list[bytes] = []

    @seed(20261121)
    @settings(max_examples=FUZZED // BATCH, deadline=None, database=None)
    @given(st.integers(0, 2**63), st.binary(max_size=200))
    def fuzz(number, junk):
        chance = Random(number)
        messages = [junk, *(_mutated(chance) for _ in range(BATCH))]
        verdicts = [judge.judge(message, is_retained=False, now=NOW) for message in messages]
        tried.extend(messages)
        passed.extend(v for v in verdicts if isinstance(v, Envelope) and msgspec.to_builtins(v) != texts)

    fuzz()
    assert passed == []
    assert len(tried) >= FUZZED


def test_the_signer_of_the_documentation_makes_a_command_that_is_believed(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "control.md").read_text()
    signer = page.partition("<!-- signer -->\n```python\n")[2].partition("\n```")[0]
    assert 5 < signer.count("\n") <= 15
    (tmp_path / "sign.py").write_text(signer + "\n")
    (tmp_path / "command_key").write_text(KEY + "\n")
    ran = subprocess.run(
        [sys.executable, "sign.py", "halt", "instrument:SPY"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    envelope = msgspec.json.decode(ran.stdout, type=Envelope)
    now = NOW.fromisoformat(envelope.issued_at) + timedelta(seconds=1)
    judge = Judge(key=KEY.encode(), scope_fault=scope_fault(a_config(tmp_path)), is_spent=lambda _: False)
    assert judge.judge(ran.stdout.encode(), is_retained=False, now=now) == envelope


def test_a_command_of_ours_is_smaller_than_the_limit():
    assert len(a_command("observe", f"strategy:{'s' * 24}", actor="a" * 48)) < 1024
