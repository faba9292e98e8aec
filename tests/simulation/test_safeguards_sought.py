"""How a seed is sought and kept, on a world of one function: no day is played here."""

import shutil

import msgspec
import pytest

from brokers.simulated.gateway.faults.rule import rule_of
from shared import ids
from tests.scenarios.floor import a_config
from tests.simulation.history import Calm, Record, Settings
from tests.simulation.plan import GatewayFault, Market, Plan
from tests.simulation.safeguards.aims import AIMS, aimed
from tests.simulation.safeguards.found import Proof, keep, plan_of, proofs
from tests.simulation.safeguards.safeguard import Part, Safeguard, returning
from tests.simulation.safeguards.search import main
from tests.simulation.safeguards.sought import Means, bite_of, sought
from tests.simulation.safeguards.table import SAFEGUARDS
from tests.simulation.weather.configuration import STRATEGY_FILES

ONE = Safeguard(
    name="one", guards="stems", breaks=("I6",), parts=(Part("shared.ids:exec_stem", returning("all the same")),)
)
OPENS, CLOSES = 1000.0, 2000.0


class Said(msgspec.Struct):
    invariant: str
    line: int
    text: str


class Came(msgspec.Struct):
    history: list[Record]


def a_plan(seed):
    market = Market(seed=seed, symbols=("SPY",), first_session="2026-11-18", is_eventful=False)
    return Plan(
        seed=seed, weather="calm", market=market, daemon={}, incidents=(), latency_s=(0.0, 0.0), shuffle=False, calm_s=1
    )


def a_world(*, trouble_at=3, always_broken=()):
    """From seed `trouble_at` on, two executions are told whose stems differ; `always_broken` falls with and without."""

    def play(plan):
        told = ["1.2.3.01", "1.2.4.01"] if plan.seed >= trouble_at else []
        stems = {ids.exec_stem(exec_id) for exec_id in told}
        settings = Settings(
            at=OPENS - 60, seed=plan.seed, weather="calm", symbols=("SPY",), sessions=((OPENS, CLOSES),), bar_s=60,
            limits={}, rules={},
        )  # fmt: skip
        lost = Calm(at=OPENS + 50)
        return Came(history=[settings, *([lost] if len(stems) < len(told) else [])])

    def judge(history):
        lost = [Said(name, 1, f"{name} fell") for name in ("I5", "I6")] if len(history) > 1 else []
        return [*(Said(name, 0, "as ever") for name in always_broken), *lost]

    return Means(draw=a_plan, play=play, judge=judge)


def test_the_first_seed_that_bites_is_found_and_how_many_were_tried():
    heard = []
    found = sought(ONE, range(200), a_world(), lambda seed, bite: heard.append((seed, bool(bite))))
    assert found is not None
    assert (found.seed, found.tried, found.plan) == (3, 4, a_plan(3))
    assert heard == [(0, False), (1, False), (2, False), (3, True)]


def test_none_is_found_where_none_bites():
    assert sought(ONE, range(3), a_world()) is None


def test_of_several_invariants_the_one_that_is_guarded_goes_first():
    bite = bite_of(ONE, a_plan(3), a_world())
    assert (bite.invariant, bite.text, bite.after_open_s) == ("I6", "I6 fell", 50.0)


def test_what_is_broken_anyway_shows_nothing():
    assert bite_of(ONE, a_plan(3), a_world(always_broken=("I6",))).invariant == "I5"
    assert not bite_of(ONE, a_plan(3), a_world(always_broken=("I5", "I6")))


def test_a_breach_without_the_safeguard_being_reached_is_none_of_its_own():
    bite = bite_of(ONE, a_plan(0), a_world(always_broken=("I1",)))
    assert (bite.invariant, bite.is_reached) == ("", False)


def test_what_was_found_is_kept_and_read_again(tmp_path):
    first = Proof(name="b", seed=7, tried=8, invariant="I3", text='twice: "OB1:x" at 99.5')
    second = msgspec.structs.replace(first, name="a", invariant="I6", text="again")
    keep(first, a_plan(7), tmp_path)
    keep(second, a_plan(8), tmp_path)
    assert proofs(tmp_path) == {"a": second, "b": first}
    assert (plan_of("b", tmp_path), plan_of("a", tmp_path)) == (a_plan(7), a_plan(8))


def test_a_later_find_takes_the_place_of_an_earlier(tmp_path):
    older = Proof(name="b", seed=7, tried=8, invariant="I3", text="older")
    newer = msgspec.structs.replace(older, seed=2, text="newer")
    keep(older, a_plan(7), tmp_path)
    keep(newer, a_plan(2), tmp_path)
    assert proofs(tmp_path) == {"b": newer}


def test_every_aimed_day_is_aimed_at_a_safeguard_of_the_table():
    assert set(AIMS) <= set(SAFEGUARDS)


@pytest.mark.parametrize("name", AIMS)
def test_an_aimed_day_is_the_same_for_a_seed_and_another_for_another(name):
    assert aimed(name, 3) == aimed(name, 3)
    assert aimed(name, 3) != aimed(name, 4)


@pytest.mark.parametrize("name", AIMS)
def test_an_aimed_day_is_one_that_gateway_and_daemon_take(name, tmp_path):
    plan = aimed(name, 0)
    mistakes = [rule_of(one.rule)[1] for one in plan.incidents if isinstance(one, GatewayFault)]
    assert [mistake for mistake in mistakes if mistake] == []
    for file in STRATEGY_FILES:
        shutil.copy(file, tmp_path / file.name)
    assert a_config(tmp_path, 4010, **plan.daemon).universe.symbols == plan.market.symbols


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "nonsense: no safeguard, there are: reconciled_before_entries, "),
        (["redaction", "--seeds", "many"], "--seeds: 'many', must be FIRST:LAST"),
        (["synced_journal"], "synced_journal: no day is aimed at it, name a --weather"),
    ],
)
def test_a_wrong_question_is_answered_in_one_line(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_without_a_name_the_table_is_printed(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert [name for name in SAFEGUARDS if f"| `{name}` | " not in shown] == []
