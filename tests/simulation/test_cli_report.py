"""What `openbell simulate` prints of its days: for a person, for a program, and as an exit code."""

import json
import os
import re
import signal
from collections import Counter

import jsonschema
import pytest
from msgspec.structs import replace

from tests.runtime.front_door import SCHEMAS
from tests.simulation.campaign.command import SHRUNK_MAX, carry_out
from tests.simulation.campaign.day import counts_of, fault_counts
from tests.simulation.campaign.report import STORIES_MAX
from tests.simulation.campaign.summary import Asked
from tests.simulation.cli_builders import a_history, a_plan, a_toolkit, limits, played, wishes
from tests.simulation.history import Fault, records_of
from tests.simulation.plan import decoded, encoded

SCHEMA = json.loads((SCHEMAS / "simulate.json").read_text())


@pytest.fixture
def simulate(capfd, tmp_path, monkeypatch):
    """Carry wishes out in a folder of their own: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def carry(wished, toolkit=None):
        code = carry_out(wished, toolkit or a_toolkit())
        said = capfd.readouterr()
        return code, said.out, said.err

    return carry


def facts_of(out):
    facts = json.loads(out)
    jsonschema.validate(facts, SCHEMA)
    return facts


def test_days_on_which_all_held_are_exit_0_and_the_last_line_says_so(simulate):
    code, out, err = simulate(wishes(seeds=range(3)))
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "simulate: 3 of 3 runs (calm): every invariant held"


def test_a_breach_is_exit_6_with_seed_weather_day_step_story_and_one_command(simulate):
    code, out, _ = simulate(wishes(seeds=range(5), weather="brutal"))
    assert code == 6
    lines = out.splitlines()
    step = len(a_history(a_plan(seed=3))) - 1
    assert lines[0] == f"BREACH I3: seed 3 (brutal), day 2013-10-08, step {step}, 2 times: doubled"
    assert lines[1:3] == ["  what led to doubled", f"  at step {step}"]
    assert lines[3] == "  play it again: openbell simulate --replay 3 --weather brutal"
    assert lines[-1] == "simulate: 5 of 5 runs (brutal): 1 with a breach"


def test_a_breach_is_said_on_stderr_while_the_others_are_still_played(simulate):
    assert simulate(wishes(seeds=range(5)))[2] == "seed 3 (calm): I3\n"


def test_the_story_is_told_of_the_first_breaches_and_the_command_of_all(simulate):
    broken = range(3, 3 + 7 * (STORIES_MAX + 2), 7)
    _, out, _ = simulate(wishes(seeds=range(broken[-1] + 1)))
    assert out.count("what led to") == STORIES_MAX
    assert re.findall(r"--replay (\d+) --weather calm", out) == [str(seed) for seed in broken]


def test_a_lost_day_is_exit_1_and_a_breach_beside_it_is_exit_6(simulate):
    def play(plan):
        raise RuntimeError("no world")

    code, out, _ = simulate(wishes(seeds=range(2)), a_toolkit(play=play))
    assert code == 1
    assert "LOST seed 1 (calm): RuntimeError: no world\n  play it again: openbell simulate --replay 1" in out
    healthy = a_toolkit().play
    one_lost = a_toolkit(play=lambda plan: play(plan) if plan.seed == 0 else healthy(plan))
    assert simulate(wishes(seeds=range(4)), one_lost)[0] == 6


def test_somebody_who_ends_it_gets_130_and_what_is_done(simulate):
    def play(plan):
        if plan.seed == 5:
            os.kill(os.getppid(), signal.SIGINT)
            signal.pause()
        return a_toolkit().play(plan)

    code, out, _ = simulate(wishes(limits=limits(jobs=1, batch=1)), a_toolkit(play=play))
    assert code == 130
    assert out.splitlines()[-1] == "simulate: 5 of 10 runs (calm): 1 with a breach, interrupted"


def test_the_counts_are_those_of_the_history():
    history = a_history(a_plan(seed=0))
    counts = counts_of(history, Counter(F2=2), incidents=2)
    assert (counts.orders, counts.fills, counts.crashes, counts.restarts, counts.operator_commands) == (2, 1, 1, 1, 1)
    assert counts.faults == {"gateway 27 swallow_order": 1, "network slow": 1}
    assert (counts.incidents, counts.records, counts.virtual_s) == (2, len(history), 23_400.0)


@pytest.mark.parametrize(("after_s", "times"), [((0, 59), 1), ((0, 60), 2), ((0, 30, 60, 90, 120), 3)])
def test_a_fault_that_goes_on_is_one_fault_a_minute(after_s, times):
    history = [
        Fault(at=1000.0 + at, source="gateway", number=19, name="duplicate_executions", phase="happened")
        for at in after_s
    ]
    assert fault_counts(history) == {"gateway 19 duplicate_executions": times}


def test_one_json_object_has_all_of_it(simulate):
    code, out, _ = simulate(wishes(seeds=range(5), as_json=True))
    facts = facts_of(out)
    assert code == 6
    assert (facts["days"], facts["orders"], facts["fills"], facts["crashes"], facts["incidents"]) == (5, 10, 5, 5, 10)
    assert facts["virtual_s"] == 5 * 23_400.0
    assert facts["scenarios"] == {"F2": {"times": 10, "days": 5}, "F10": {"times": 5, "days": 5}}
    assert list(facts["scenarios"]) == ["F2", "F10"]
    assert facts["faults_by_kind"]["network slow"] == {"times": 5, "days": 5}
    assert facts["invariants"] == {"I3": {"times": 2, "days": 1}}
    assert facts["breaches"][0]["replay"] == "openbell simulate --replay 3 --weather calm"
    assert facts["breaches"][0]["story"][0] == "what led to doubled"


def test_two_campaigns_of_the_same_seeds_differ_in_nothing_but_timing(simulate):
    said = [
        simulate(wishes(seeds=range(12), as_json=True, limits=limits(jobs=jobs, batch=batch)))[1]
        for jobs, batch in [(1, 5), (3, 2)]
    ]
    one, other = (re.sub(r', "timing": \{[^}]*\}', "", text) for text in said)
    assert one == other
    assert said[0] != one


def test_days_that_never_were_are_no_days_that_held(simulate):
    code, out, _ = simulate(wishes(seeds=range(50), budget_s=0.0))
    assert code == 0
    assert out.splitlines()[-1].endswith("0 of 50 runs (calm): nothing was broken, cut short by --budget")


def test_a_replay_plays_its_seed_and_writes_its_history(simulate, tmp_path):
    path = tmp_path / "day.jsonl"
    code, out, _ = simulate(wishes("replay", range(3, 4), history=path, as_json=True))
    assert code == 6
    assert facts_of(out)["kind"] == "replay"
    assert records_of(path.read_bytes()) == a_history(a_plan(seed=3))


def test_a_replay_gives_the_digest_that_the_campaign_gave(simulate):
    of_campaign = facts_of(simulate(wishes(seeds=range(5), as_json=True))[1])["breaches"][0]["digest"]
    of_replay = facts_of(simulate(wishes("replay", range(3, 4), as_json=True))[1])["breaches"][0]["digest"]
    assert of_campaign == of_replay


def test_a_soak_plays_its_sessions_in_one_run_and_names_the_command(simulate):
    asked = Asked(kind="soak", weather="rough", seeds=range(3, 4), sessions=30)
    toolkit = a_toolkit(soak=lambda sessions, seed: played(a_plan(seed=seed, incidents=sessions)))
    code, out, _ = simulate(wishes("soak", range(3, 4), asked=asked, as_json=True), toolkit)
    facts = facts_of(out)
    assert (code, facts["kind"], facts["days"], facts["incidents"]) == (6, "soak", 1, 30)
    assert facts["breaches"][0]["replay"] == "openbell simulate --soak 30 --seeds 3"


def test_a_plan_is_played_as_it_stands_and_its_command_names_its_file(simulate):
    asked = Asked(kind="plan", weather="rough", seeds=range(3, 4), plan="my plan.json")
    plan = a_plan(seed=3, weather="rough", incidents=1)
    code, out, _ = simulate(wishes("plan", range(3, 4), asked=asked, plan=plan, as_json=True))
    assert (code, facts_of(out)["incidents"]) == (6, 1)
    assert facts_of(out)["breaches"][0]["replay"] == "openbell simulate --plan 'my plan.json'"


def without_one(plan, fails, runs_max):
    """A shrinker of one step."""
    smaller = replace(plan, incidents=plan.incidents[:1])
    return smaller if fails(smaller) else plan


def test_a_broken_run_is_made_smaller_and_written_down_with_its_command(simulate, tmp_path):
    code, out, _ = simulate(wishes(seeds=range(5), shrink_into=tmp_path, as_json=True), a_toolkit(shrink=without_one))
    path = tmp_path / "calm-3-I3.plan.json"
    assert code == 6
    assert decoded(path.read_bytes()) == a_plan(seed=3, incidents=1)
    (small,) = facts_of(out)["shrunk"]
    assert (small["before"], small["after"]) == (2, 1)
    assert small["replay"] == f"openbell simulate --plan {path}"


def test_a_smaller_run_that_breaks_something_else_does_not_count(simulate, tmp_path):
    def play(plan):
        outcome = a_toolkit().play(plan)
        *before, checked = outcome.history
        other = checked if len(plan.incidents) > 1 else replace(checked, invariant="I1")
        return replace(outcome, history=[*before, other])

    tools = a_toolkit(shrink=without_one, play=play)
    simulate(wishes(seeds=range(3, 4), shrink_into=tmp_path), tools)
    assert decoded((tmp_path / "calm-3-I3.plan.json").read_bytes()) == a_plan(seed=3, incidents=2)


def test_only_so_many_broken_runs_are_made_smaller(simulate, tmp_path):
    simulate(wishes(seeds=range(7 * (SHRUNK_MAX + 3)), shrink_into=tmp_path))
    assert len(list(tmp_path.glob("*.plan.json"))) == SHRUNK_MAX


def test_a_plan_that_was_written_is_read_again_as_it_was():
    plan = a_plan(seed=2**53 - 1, weather="brutal")
    assert decoded(encoded(plan)) == plan
