"""Histories held against each other: what differs is found, what must differ does."""

import json

import jsonschema

from tests.runtime.front_door import SCHEMAS
from tests.simulation.campaign.determinism import Compared, determinism_lines, determinism_of, first_difference

LINES = [b'{"kind":"settings","at":1}', b'{"kind":"sent","at":2}', b'{"kind":"calm","at":3}']


def history(*lines):
    return b"".join(line + b"\n" for line in lines)


def test_equal_histories_have_no_difference():
    assert first_difference(history(*LINES), history(*LINES)) == ""


def test_the_first_record_that_differs_is_shown_from_where_it_differs():
    other = history(LINES[0], b'{"kind":"sent","at":9}', LINES[2])
    assert first_difference(history(*LINES), other) == (
        'record 1: {"kind":"sent","at":2} against {"kind":"sent","at":9}'
    )


def test_a_difference_deep_in_a_long_record_is_in_the_part_that_is_shown():
    one, other = b"x" * 5000 + b"HERE" + b"y" * 5000, b"x" * 5000 + b"THERE" + b"y" * 5000
    found = first_difference(one, other)
    assert "HERE" in found
    assert "THERE" in found
    assert len(found) < 600


def test_a_history_that_ends_earlier_is_another_one():
    assert first_difference(history(*LINES), history(*LINES[:2])) == (
        'record 2: {"kind":"calm","at":3} against (nothing)'
    )


def test_the_folder_of_a_run_is_no_difference_and_anything_beside_it_is():
    one, other = b'{"text":"/dev/shm/openbell-sim-a1/j"}', b'{"text":"/dev/shm/openbell-sim-b2/j"}'
    assert first_difference(one, other) == ""
    assert first_difference(one, other + b" ").startswith("record 0")


def facts(*found, seeds=range(2)):
    result = determinism_of(list(found), "rough", seeds)
    schema = json.loads((SCHEMAS / "simulate.json").read_text())
    jsonschema.validate({"schema": "openbell.simulate/1", **result}, schema)
    return result


def test_equal_runs_of_different_seeds_hold():
    found = facts(Compared(seed=0, digest="aa", records=3), Compared(seed=1, digest="bb", records=4))
    assert found["held"]
    (said,) = determinism_lines(found)
    assert said.startswith(
        "simulate: 2 of 2 seeds (rough) gave equal histories in two interpreters with PYTHONHASHSEED"
    )
    assert said.endswith("; 7 records compared")


def test_a_seed_with_two_histories_does_not_hold():
    found = facts(Compared(seed=0, digest="aa"), Compared(seed=1, digest="bb", difference="record 7: x against y"))
    assert not found["held"]
    assert next(determinism_lines(found)) == "DIFFERENT seed 1 (rough): record 7: x against y"


def test_two_seeds_with_one_history_do_not_hold():
    found = facts(Compared(seed=0, digest="aa"), Compared(seed=1, digest="aa"))
    assert not found["held"]
    assert next(determinism_lines(found)) == "EQUAL seeds 0 and 1 (rough) have one history"


def test_seeds_that_were_not_compared_do_not_hold():
    assert not facts(Compared(seed=0, digest="aa"))["held"]
