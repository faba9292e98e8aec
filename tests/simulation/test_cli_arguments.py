"""What may be written behind `openbell simulate`, and the one line that says what may not."""

import pytest

from shared.errors import NotFound, Refused
from tests.simulation.campaign.arguments import Words, seconds_of, seeds_of, understood
from tests.simulation.cli_builders import a_plan
from tests.simulation.plan import encoded


def words(**changes):
    return Words(**{"weather": "rough", "seeds": "0:100", "day_limit": "10m"} | changes)


@pytest.mark.parametrize(
    ("text", "seeds"), [("0:1000", range(1000)), ("5:7", range(5, 7)), ("17", range(17, 18)), ("0", range(1))]
)
def test_a_range_of_seeds_leaves_its_end_out_and_one_number_is_one_seed(text, seeds):
    assert seeds_of("--seeds", text) == seeds


@pytest.mark.parametrize("text", ["5:5", "9:3", "a:b", "", "1:", ":4", "-1:3", "1-3", "0:99999999999999999", "1.5"])
def test_what_is_no_range_of_seeds_is_said_in_one_line(text):
    with pytest.raises(ValueError, match=r"^--seeds '.*' is no range of seeds, allowed: FIRST:END .*$"):
        seeds_of("--seeds", text)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("20m", 1200), ("1h30m", 5400), ("2h", 7200), ("1m5s", 65)])
def test_a_duration_has_hours_minutes_and_seconds(text, seconds):
    assert seconds_of("--budget", text) == seconds


@pytest.mark.parametrize("text", ["", "20", "0s", "m", "1d", "30m1h", "-5m", "1.5h"])
def test_what_is_no_duration_is_said_in_one_line(text):
    with pytest.raises(ValueError, match=r"^--budget '.*' is no duration, allowed: .*$"):
        seconds_of("--budget", text)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"replay": 1, "determinism": "0:2"}, "--replay and --determinism exclude each other"),
        ({"replay": 1, "budget": "5m"}, "--budget and --replay exclude each other"),
        ({"determinism": "0:2", "shrink": True}, "--shrink and --determinism exclude each other"),
        ({"soak": 30, "shrink": True}, "--shrink and --soak exclude each other"),
        ({"soak": 30, "replay": 3}, "--replay and --soak exclude each other"),
        ({"determinism": "2:0"}, "--determinism '2:0' is no range"),
        ({"day_limit": "soon"}, "--day-limit 'soon' is no duration"),
        ({"seeds": "many"}, "--seeds 'many' is no range"),
    ],
)
def test_words_that_do_not_go_together_are_refused(changes, said):
    with pytest.raises(ValueError, match=said) as refused:
        understood(words(**changes))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("seeds", "batch"), [("0:1000", 20), ("0:100", 12), ("0:8", 1), ("0:2", 1)])
def test_few_days_are_dealt_out_in_small_batches_so_that_every_process_has_some(seeds, batch):
    assert understood(words(seeds=seeds, jobs=2)).limits.batch == batch


def test_a_soak_is_one_run_of_the_first_seed_with_the_time_of_all_its_days():
    wanted = understood(words(soak=30, seeds="4:9", day_limit="1m"))
    assert (wanted.asked.seeds, wanted.asked.sessions, wanted.limits.wall_s) == (range(4, 5), 30, 1800.0)


def test_a_history_is_written_of_a_single_run_only(tmp_path):
    with pytest.raises(ValueError, match="--history is for a single run"):
        understood(words(history=tmp_path / "h.jsonl"))
    assert understood(words(replay=3, history=tmp_path / "h.jsonl")).asked.seeds == range(3, 4)


def test_a_history_is_never_written_over_a_file(tmp_path):
    (tmp_path / "config.toml").write_text("precious")
    with pytest.raises(Refused, match="is there already"):
        understood(words(replay=3, history=tmp_path / "config.toml"))
    assert (tmp_path / "config.toml").read_text() == "precious"


def test_a_history_needs_a_folder(tmp_path):
    with pytest.raises(ValueError, match="is no folder"):
        understood(words(replay=3, history=tmp_path / "no" / "h.jsonl"))


def test_a_plan_brings_its_own_seed_and_weather(tmp_path):
    path = tmp_path / "a.plan.json"
    path.write_bytes(encoded(a_plan(seed=9, weather="brutal")))
    wishes = understood(words(plan=path))
    assert (wishes.asked.kind, wishes.asked.seeds, wishes.asked.weather) == ("plan", range(9, 10), "brutal")
    assert wishes.plan == a_plan(seed=9, weather="brutal")


def test_a_plan_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="no such file"):
        understood(words(plan=tmp_path / "none.json"))


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[1]", b"\xff\xfe", b'{"seed": "one"}', encoded(a_plan()).replace(b'"down"', b'"up"')]
)
def test_a_file_that_is_no_plan_is_said_in_one_line(tmp_path, content):
    path = tmp_path / "wrong.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is no plan: ") as refused:
        understood(words(plan=path))
    assert "\n" not in str(refused.value)


def test_a_folder_is_no_plan(tmp_path):
    with pytest.raises(ValueError, match="Is a directory"):
        understood(words(plan=tmp_path))
