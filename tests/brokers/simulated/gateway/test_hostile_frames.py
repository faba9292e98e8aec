"""A short run of `python -m bench fuzz`: whatever a client sends, it gets an answer or an error, never a crash."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.fuzz_target import ODD_FIELDS, Crashed, Target, honest_frames, mutated
from tests.brokers.simulated.gateway.scripted_market import ScriptedMarket, flat

FRAMES = 3_000
HISTORY = 21
"""Where reqHistoricalData stands among the honest frames."""


@pytest.fixture(scope="module")
def target():
    with Target() as listening:
        yield listening


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("version", [157, 176])
def test_frames_that_began_as_honest_ones_are_all_answered(target, version, seed):
    chance, honest = random.Random(seed), honest_frames(version)
    before = target.frames
    for payload in (mutated(honest, chance) for _ in range(FRAMES)):
        target.take(payload)
    assert target.frames == before + FRAMES


@settings(max_examples=300, deadline=None)
@given(st.integers(-2, 300), st.lists(st.one_of(st.sampled_from(ODD_FIELDS), st.text(max_size=12)), max_size=130))
def test_frames_drawn_from_nothing_are_all_answered(target, kind, fields):
    target.take("\0".join([str(kind), *fields]).encode(errors="replace"))


class FailingMarket(ScriptedMarket):
    """Asked for its past, it fails in a way no gateway expects."""

    def history(self, *_, **__):
        raise RuntimeError("on purpose")


def test_the_fuzzer_notices_a_handler_that_fails():
    ask_for_history = honest_frames(176)[HISTORY]
    with Target(FailingMarket([flat(100.0)])) as target, pytest.raises(Crashed, match="on purpose"):
        target.take(ask_for_history)
