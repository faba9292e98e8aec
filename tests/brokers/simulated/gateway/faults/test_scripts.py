"""Scripts: what they may say, and every mistake named at once."""

import datetime as dt

import pytest

from brokers.simulated.gateway.faults.plan import FaultPlan, plan_of
from brokers.simulated.gateway.faults.rule import Timing
from shared.errors import ConfigError

WRONG = """\
[[fault]]
name = "duplicate_execution"
at = "10:15:00"

[[fault]]
name = "drop_connection"
how = "explode"
at = "9 o'clock"
client = -1

[[fault]]
number = 23
delay_s = 0
probability = 2.0
colour = "red"

[[fault]]
name = "freeze"
nth = 2

[[fault]]
name = "bar_disorder"
message = "tickPrice"
"""


def script(tmp_path, text, name="faults.toml"):
    path = tmp_path / name
    path.write_text(text)
    return path


def mistakes_in(tmp_path, text, name="faults.toml"):
    path = script(tmp_path, text, name)
    with pytest.raises(ConfigError) as refused:
        plan_of(str(path))
    return [fault.replace(str(path), name) for fault in refused.value.faults]


def test_a_script_says_what_happens_when_and_to_whom(tmp_path):
    path = script(
        tmp_path,
        '[[fault]]\nname = "duplicate_executions"\nmessage = "execDetails"\nnth = 3\nclient = 1\ntimes = 2\n'
        "[[fault]]\nnumber = 13\nat = 10:15:00\nfor_s = 120\n",
    )
    first, second = plan_of(str(path), 5).rules
    assert (first.fault.number, first.timing) == (19, Timing(message="execDetails", nth=3, client=1))
    assert first.plain()["times"] == 2
    assert (second.fault.name, second.timing) == ("lose_server", Timing(at="10:15:00", for_s=120.0))
    assert plan_of(str(path), 5).seed == 5


def test_every_mistake_of_a_script_is_named_with_its_line_and_what_is_allowed(tmp_path):
    mistakes = mistakes_in(tmp_path, WRONG)
    assert [mistake.split(": ")[:2] for mistake in mistakes] == [
        ["faults.toml:2", "name"],
        ["faults.toml:7", "how"],
        ["faults.toml:8", "at"],
        ["faults.toml:9", "client"],
        ["faults.toml:13", "delay_s"],
        ["faults.toml:14", "probability"],
        ["faults.toml:15", "colour"],
        ["faults.toml:19", "nth"],
        ["faults.toml:23", "message"],
    ]


def test_a_wrong_value_is_told_with_what_is_allowed(tmp_path):
    mistakes = mistakes_in(tmp_path, WRONG)
    assert "faults.toml:7: how: 'explode', allowed is fin or mid_frame or rst" in mistakes
    assert (
        'faults.toml:8: at: "9 o\'clock", allowed is "HH:MM:SS" in New York or "+SECONDS" after the start of the day'
        in mistakes
    )
    assert "faults.toml:23: message: 'tickPrice', allowed is realTimeBar with bar_disorder" in mistakes
    assert "faults.toml:9: client: -1, allowed is a whole number from 0" in mistakes
    assert "faults.toml:14: probability: 2.0, allowed is a number above 0 to 1" in mistakes
    assert "faults.toml:13: delay_s: 0, allowed is a number above 0 to 86400" in mistakes


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[[fault]\n", "faults.toml:1: "),
        ("speed = 3\n", "faults.toml:1: speed: unknown, allowed is [[fault]]"),
        ("[fault]\nname = 1\n", "faults.toml:1: fault: is no array of tables, write [[fault]]"),
        ('[[fault]]\nat = "+5"\n', "faults.toml:1: name: None, allowed is 1 to 54 or a name such as "),
    ],
)
def test_a_file_that_is_no_script_is_refused_in_one_line(tmp_path, text, mistake):
    (told,) = mistakes_in(tmp_path, text)
    assert told.startswith(mistake)


def test_a_missing_file_is_one_line_that_names_the_levels(tmp_path):
    with pytest.raises(ConfigError) as refused:
        plan_of(str(tmp_path / "none.toml"))
    assert str(refused.value).endswith("none.toml: not found, allowed is mild, rough, brutal or a file that exists")


def test_bytes_that_are_no_text_are_refused_in_one_line(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_bytes(b"[[fault]]\n\xff")
    with pytest.raises(ConfigError, match="byte 10 is not UTF-8"):
        plan_of(str(path))


@pytest.mark.parametrize("line", ["{", "[1]", "hello"])
def test_a_line_of_a_log_that_is_none_is_named(tmp_path, line):
    (told,) = mistakes_in(tmp_path, f'{{"name": "freeze"}}\n{line}\n', "run.jsonl")
    assert told.startswith("run.jsonl:2: ")


def test_times_of_day_may_be_written_with_and_without_quotes(tmp_path):
    bare = plan_of(str(script(tmp_path, '[[fault]]\nname = "freeze"\nat = 09:45:30\n'))).rules
    quoted = plan_of(str(script(tmp_path, '[[fault]]\nname = "freeze"\nat = "09:45:30"\n'))).rules
    assert bare == quoted
    assert dt.time.fromisoformat(bare[0].timing.at) == dt.time(9, 45, 30)


def test_a_rule_of_a_later_day_waits_for_it(tmp_path):
    plan = plan_of(str(script(tmp_path, '[[fault]]\nname = "freeze"\nday = 3\n')))
    assert [len(plan.rules_of(day)) for day in (1, 2, 3)] == [0, 0, 1]


def test_a_plan_without_rules_does_nothing():
    assert FaultPlan().rules_of(1) == ()
