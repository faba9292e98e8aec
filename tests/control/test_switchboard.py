"""A verb from anywhere: closed set, known scopes, one event, one answer."""

import pytest

from shared.errors import Refused
from tests.control.builders import NOW, FakeGate, a_switchboard


async def test_a_verb_becomes_one_event_and_the_reply_bears_the_new_state(tmp_path):
    gate = FakeGate()
    reply = await a_switchboard(tmp_path, gate).obey(verb="halt", scope="strategy:sma", actor="local:me", nonce="n1")
    assert (reply.accepted, reply.reason, reply.state) == (True, "", "HALTED")
    assert gate.orders == [("halt", "strategy:sma", "local:me")]
    assert (gate.events[0].nonce, gate.events[0].received_at) == ("n1", NOW)


async def test_status_asks_the_engine_for_nothing(tmp_path):
    gate = FakeGate()
    reply = await a_switchboard(tmp_path, gate).obey(verb="status", scope="account", actor="me")
    assert (reply.accepted, reply.state, reply.facts) == (True, "ACTIVE", {"positions": []})
    assert gate.events == []


@pytest.mark.parametrize(
    ("verb", "scope", "named"),
    [
        ("sell", "account", "must be one of block, halt, flatten, reduce, observe, resume, reset, accept, status"),
        ("halt", "strategy:nobody", "no such strategy, there are sma"),
        ("halt", "instrument:TSLA", "no such instrument, there are SPY, IBM"),
        ("halt", "world", "must be account, strategy:NAME or instrument:SYMBOL"),
        ("halt", "", "must be account"),
        ("accept", "account", "one instrument:SYMBOL"),
    ],
)
async def test_what_is_not_in_the_closed_set_never_reaches_the_engine(tmp_path, verb, scope, named):
    gate = FakeGate()
    reply = await a_switchboard(tmp_path, gate).obey(verb=verb, scope=scope, actor="me")
    assert not reply.accepted
    assert named in reply.reason
    assert gate.events == []


async def test_what_the_engine_does_not_do_is_no_success(tmp_path):
    gate = FakeGate()
    gate.refuses = Refused("account: latched by max_day_loss; only reset ends that")
    reply = await a_switchboard(tmp_path, gate).obey(verb="resume", scope="account", actor="me")
    assert (reply.accepted, reply.reason) == (False, "account: latched by max_day_loss; only reset ends that")


async def test_an_engine_that_does_not_answer_in_time_is_no_success(tmp_path):
    gate = FakeGate()
    gate.is_stuck = True
    reply = await a_switchboard(tmp_path, gate, answer_within_s=0.01).obey(verb="halt", scope="account", actor="me")
    assert not reply.accepted
    assert "stays first in line" in reply.reason
