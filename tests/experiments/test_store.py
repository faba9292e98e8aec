import msgspec
import pytest

from research.experiments.running import Runner
from research.experiments.store import LOG, opened
from shared.errors import DataError, Refused
from tests.experiments.builders import InProcess, a_runner, a_walk, daily_panel
from tests.experiments.works import a_job, an_outcome, sums_up

PANEL = daily_panel(a_walk(9))
JOBS = [a_job(number) for number in range(4)]


class CtrlC(InProcess):
    """Somebody presses Ctrl-C after two jobs."""

    def outcomes(self, work, panel, jobs):
        for at, outcome in enumerate(super().outcomes(work, panel, jobs)):
            if at == 2:
                raise KeyboardInterrupt
            yield outcome


def test_what_is_kept_is_known_the_next_time(tmp_path):
    with opened(tmp_path / "new" / "folder") as store:
        store.keep(an_outcome(1, figures={"sharpe": 0.1, "fills": 3, "calmar": None}, returns=[0.1, -0.2]))
    with opened(tmp_path / "new" / "folder") as store:
        assert store.done("k1") == an_outcome(
            1, figures={"sharpe": 0.1, "fills": 3, "calmar": None}, returns=[0.1, -0.2]
        )
        assert store.done("k2") is None


def test_a_failure_is_tried_again_the_next_time(tmp_path):
    with opened(tmp_path) as store:
        store.keep(an_outcome(1, state="failed", why="its worker died"))
    with opened(tmp_path) as store:
        assert store.done("k1") is None


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_line_torn_by_a_kill_costs_that_line_alone(tmp_path, cut):
    with opened(tmp_path) as store:
        store.keep(an_outcome(1))
        store.keep(an_outcome(2))
    log = tmp_path / LOG
    log.write_bytes(log.read_bytes()[:-cut])
    with opened(tmp_path) as store:
        store.keep(an_outcome(3))
    with opened(tmp_path) as store:
        assert [store.done(f"k{n}") is not None for n in (1, 2, 3)] == [True, cut == 1, True]


def test_two_experiments_never_write_one_folder(tmp_path):
    with opened(tmp_path), pytest.raises(Refused, match="another experiment writes there"), opened(tmp_path):
        pass
    with opened(tmp_path) as store:
        assert store.done("k1") is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file: cannot be written: File exists"), opened(tmp_path / "file"):
        pass


def test_after_ctrl_c_the_same_jobs_go_on_where_they_stopped(tmp_path):
    with opened(tmp_path) as store:
        first = a_runner(store, CtrlC(), work=sums_up).run(PANEL, JOBS)
    assert (sorted(first.of), first.interrupted) == (["k0", "k1"], True)
    crew = InProcess()
    with opened(tmp_path) as store:
        second = a_runner(store, crew, work=sums_up).run(PANEL, JOBS)
    assert crew.ran == [2, 3]
    assert (sorted(second.of), second.interrupted) == (["k0", "k1", "k2", "k3"], False)


def test_the_work_is_a_replay_unless_somebody_says_otherwise():
    assert msgspec.structs.fields(Runner)[-1].default.__name__ == "run_job"
