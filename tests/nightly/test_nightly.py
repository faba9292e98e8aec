"""`openbell nightly` as its user runs it, over a day that the real engine has lived."""

import json
import re
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from msgspec import Struct
from msgspec.structs import replace

from daemon.alerts.cli import tell_nightly
from research.nightly.digest_step import digest_line
from research.nightly.gap_step import read_gap
from research.nightly.lock import the_only_one
from research.nightly.night import Night, night_of, nights_folder
from research.nightly.page import Section
from research.nightly.render import as_html, as_text
from research.nightly.sequence import Way, carry_out
from research.nightly.step import Records, StepRecord
from research.nightly.steps import Outside, steps_of
from shared.config import load_config
from shared.errors import DataError
from shared.io.plan_file import foreign_fault, plan_path, read_plan, write_plan
from tests.nightly.days import a_config_file, a_lived_day
from tests.runtime.builders import CLOSE, a_config
from tests.runtime.conftest import openbell  # noqa: F401 - the fixture

SESSION = "2013-10-08"
SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "schemas" / "nightly.json"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state" / "paper" / "nightly" / SESSION


class Lived(Struct):
    """A night that was carried out once, for all tests that only look at it."""

    night: Night
    records: Records
    told: list[str]


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    path = a_config_file(tmp_path_factory.mktemp("lived"))
    a_lived_day(path)
    told: list[str] = []

    def tell(_config, line):
        told.append(line)
        return "sent over mail"

    night = night_of(load_config(path), CLOSE.date(), CLOSE, None)
    way = Way(now=lambda: CLOSE, say=lambda _line: None)
    records = carry_out(night, steps_of(Outside(tell=tell)), way)
    carry_out(night, steps_of(Outside(tell=tell)), way)
    return Lived(night, records, told)


@pytest.fixture
def nightly(openbell, tmp_path):  # noqa: F811 - the fixture
    """The command over the lived day."""
    path = a_config_file(tmp_path)
    a_lived_day(path)
    return lambda *words: openbell("nightly", "--config", path, "--session", SESSION, *words)


def facts_of(ended):
    facts = json.loads(ended.out)
    jsonschema.validate(facts, json.loads(SCHEMA.read_text()), format_checker=jsonschema.FormatChecker())
    return facts


def by_step(facts):
    return {step["step"]: step for step in facts["steps"]}


def test_a_night_is_audited_replayed_compared_planned_and_told(nightly, folder):
    ended = nightly()
    again = nightly("--json")
    assert ended.code == 0, ended.err
    assert "audit     done     identical, 1 runs" in ended.out
    assert "orders filled on both sides" in ended.out
    assert {path.name for path in folder.iterdir()} >= {"nightly.txt", "nightly.html", "plan.json", "gap.json"}
    assert (folder / "replay" / "tear_sheet.html").is_file()
    assert re.search(r"^nightly: digest: not sent, no \[\[alert\]\] takes the digest$", ended.err, re.MULTILINE)
    facts = facts_of(again)
    assert (facts["well"], facts["exit_code"], facts["next_session"]) == (True, 0, "2013-10-09")
    assert len(re.findall(r"\(as before\)$", again.err, re.MULTILINE)) == 8


def test_the_gap_is_what_the_broker_took_beyond_the_model(lived):
    facts = lived.records["gap"].facts
    # A tenth of a million: bought at a close of 101, sold at 100, bought at 99; two cents worse than the close each.
    report = read_gap(lived.night)
    assert report is not None
    filled = [line.live.filled for line in report.lines if line.live is not None]
    assert filled == [990, 990, 1010]
    assert (facts["filled_both"], facts["filled_live_only"], facts["decided_live_only"]) == (len(filled), 0, 0)
    assert facts["live_slippage"] == pytest.approx(0.02 * sum(filled))
    assert facts["accepted_s_median"] == pytest.approx(0.25)
    assert facts["filled_s_max"] == pytest.approx(2.0)


def test_the_plan_is_one_that_the_daemon_would_trade_by(lived):
    config = lived.night.config
    plan = read_plan(plan_path(config))
    assert (f"{plan.session}", f"{plan.as_of}", plan.made_at) == ("2013-10-09", SESSION, CLOSE)
    assert foreign_fault(plan_path(config), plan, config) == ""
    assert [(each.strategy, each.symbol, each.conviction) for each in plan.targets] == [("sma", "SPY", 1.0)]
    assert plan.targets[0].quantity == 995  # a tenth of a million at a close of 100.5
    assert plan.limits["max_order_quantity"] == 10_000
    assert plan.limits["max_day_loss"] is None


def a_lived_day_s_config(folder):
    return load_config(folder / "config.toml")


def test_a_journal_whose_decisions_cannot_be_made_again_is_exit_6_and_leads_to_no_plan(openbell, tmp_path):  # noqa: F811
    path = a_config_file(tmp_path)
    config = a_lived_day(path, changed=True)
    ended = openbell("nightly", "--config", path, "--session", SESSION, "--json")
    steps = by_step(facts_of(ended))
    assert ended.code == 6
    assert steps["audit"]["status"] == "differs"
    assert "the engine gives" in steps["audit"]["said"]
    assert (steps["plan"]["status"], steps["gap"]["status"], steps["report"]["status"]) == ("blocked", "done", "done")
    assert not plan_path(config).exists()


def test_a_change_of_the_configuration_makes_a_new_plan_and_no_new_audit(nightly, tmp_path):
    nightly()
    path = tmp_path / "config.toml"
    path.write_text(path.read_text().replace("max_order_quantity = 10_000", "max_order_quantity = 9_000"))
    ended = nightly()
    assert "audit: identical, 1 runs" in ended.err
    assert re.search(r"audit: .*as before", ended.err)
    assert read_plan(plan_path(a_lived_day_s_config(tmp_path))).limits["max_order_quantity"] == 9_000


def test_an_older_night_done_again_does_not_put_back_its_plan(nightly, tmp_path):
    nightly()
    place = plan_path(a_lived_day_s_config(tmp_path))
    later = replace(read_plan(place), session=date(2013, 10, 10))
    write_plan(place, later)
    ended = nightly()
    assert "plan: skipped, the plan for 2013-10-10 stands" in ended.err
    assert f"{read_plan(place).session}" == "2013-10-10"


def test_on_the_first_night_of_an_installation_there_is_nothing_to_do_and_that_is_no_failure(openbell, tmp_path):  # noqa: F811 - the fixture
    ended = openbell("nightly", "--config", a_config_file(tmp_path), "--session", SESSION, "--json")
    steps = by_step(facts_of(ended))
    assert ended.code == 0
    skipped = [name for name, step in steps.items() if step["status"] == "skipped"]
    assert skipped == ["refresh", "features", "audit", "replay", "gap", "plan"]
    assert "no journal here" in steps["replay"]["said"]


def test_bars_that_do_not_reach_the_session_lead_to_no_plan(openbell, tmp_path):  # noqa: F811 - the fixture
    bars = tmp_path / "bars.csv"
    rows = [f"SPY,2013-10-07T13:{minute}:00+00:00,100,101,99,100,1000" for minute in (30, 31, 32)]
    bars.write_text("\n".join(["symbol,ts,open,high,low,close,volume", *rows]) + "\n")
    path = a_config_file(tmp_path, nightly=f'[nightly]\ndata = "{bars}"')
    ended = openbell("nightly", "--config", path, "--session", SESSION, "--json")
    steps = by_step(facts_of(ended))
    assert ended.code == 1
    assert (
        "the last bar closed at 2013-10-07 13:33 UTC, allowed: bars of the session of 2013-10-08"
        in (steps["replay"]["said"])
    )
    assert (steps["replay"]["status"], steps["plan"]["status"]) == ("failed", "blocked")


# --- wrong usage --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--session", "2013-10-06"), 1, "XNYS has no session on 2013-10-06"),
        (("--session", "2077-10-06"), 1, "--session 2077-10-06 is to come, allowed: a session that has closed"),
        (
            ("--step", "dance"),
            2,
            "nightly: --step 'dance', allowed: refresh, features, audit, replay, gap, plan, report, digest",
        ),
        (("--data", "nowhere.parquet"), 3, "no bars at nowhere.parquet"),
        (("--config", "nowhere.toml"), 78, "nowhere.toml: not found"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(nightly, words, code, said):
    ended = nightly(*words)
    assert ended.code == code
    assert said in ended.err.splitlines()[-1]


def test_a_second_run_beside_the_first_is_refused(nightly, tmp_path):
    with the_only_one(nights_folder(a_lived_day_s_config(tmp_path))):
        ended = nightly()
    assert ended.code == 4
    assert "another nightly run is at work" in ended.err


def test_one_step_can_be_done_alone(nightly):
    ended = nightly("--step", "report")
    assert ended.code == 0
    assert re.findall(r"^nightly: (\w+) \.\.\.$", ended.err, re.MULTILINE) == ["report"]


# --- what people read ---------------------------------------------------------------------------------------------


def test_the_page_asks_nothing_of_the_network(lived):
    page = (lived.night.folder / "nightly.html").read_text()
    assert re.findall(r"src=|href=|<script|@import|url\(", page) == []
    assert "prefers-color-scheme: dark" in page


def test_text_that_is_not_ours_is_shown_as_text():
    section = Section(title="<b>", lines=("caution: <script>alert(1)</script>",), columns=("a",), rows=(("<i>&",),))
    page = as_html("x<y", [section])
    assert "<script>" not in page
    assert '<p class="caution">caution: &lt;script&gt;' in page
    assert "<td>&lt;i&gt;&amp;</td>" in page
    assert "<title>x&lt;y</title>" in page


def test_a_long_table_is_cut_for_the_terminal_and_says_so():
    rows = tuple((f"{number}",) for number in range(45))
    text = as_text("t", [Section(title="Orders", columns=("n",), rows=rows)])
    assert text.splitlines()[-1] == "  and 5 more, all of them in the HTML page"
    assert "  39\n" in text
    assert "  40\n" not in text


def a_record(step, status, said):
    return StepRecord(step=step, status=status, inputs={}, begun_at=CLOSE, said=said)


def test_the_digest_is_one_line_with_the_faults_first(tmp_path):
    night = night_of(a_config(tmp_path), CLOSE.date(), CLOSE, None)
    told = (
        ("audit", "done", "identical"),
        ("replay", "failed", "the bars are rotten"),
        ("gap", "skipped", "skipped, nothing"),
        ("plan", "blocked", "not done, it needs: replay"),
    )
    line = digest_line(night, {step: a_record(step, status, said) for step, status, said in told})
    assert line == (
        "night after 2013-10-08: replay failed: the bars are rotten; "
        "plan blocked: not done, it needs: replay; audit: identical"
    )


def test_the_line_is_handed_to_whoever_gets_the_digest_once(lived):
    assert lived.records["digest"].said == "sent over mail"
    (line,) = lived.told
    assert line.startswith("night after 2013-10-08: audit: identical")
    assert "plan: 1 targets for 2013-10-09" in line


def test_a_line_that_does_not_get_out_fails_the_step_alone(tmp_path):
    path = a_config_file(
        tmp_path, nightly='[[alert]]\nname = "nowhere"\nkind = "webhook"\nlevel = "digest"\nurl = "http://127.0.0.1:9/"'
    )
    with pytest.raises(DataError, match="the line did not get out over nowhere: "):
        tell_nightly(load_config(path), "a line", tries=1)


def test_nobody_is_told_where_the_digest_is_off(tmp_path):
    path = a_config_file(tmp_path, nightly="[alerts]\ndigest = false")
    assert tell_nightly(load_config(path), "a line") == "not sent, alerts.digest is false"
