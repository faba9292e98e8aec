"""A real scheduler with two worker processes under nannies, over loopback."""

import pytest

from research.experiments.crew import DIED_TWICE, ClusterUnavailable, crew_of
from research.experiments.dask_crew import DaskCrew
from shared.config_cluster import ClusterConfig
from tests.experiments.builders import a_walk, daily_panel
from tests.experiments.works import a_job, dies_at_three, dies_at_three_once, sums_up

PANEL = daily_panel(a_walk(50))
JOBS = [a_job(number) for number in range(8)]


@pytest.fixture
def crew(cluster):
    return crew_of(ClusterConfig(address=cluster.scheduler_address))


def test_the_address_alone_chooses_dask(crew, cluster):
    assert crew == DaskCrew(cluster.scheduler_address)


def test_every_job_comes_back_once_from_the_cluster(crew):
    total = float(PANEL.close.sum())
    outcomes = list(crew.outcomes(sums_up, PANEL, JOBS))
    assert {outcome.number: outcome.figures["sharpe"] for outcome in outcomes} == {n: total + n for n in range(8)}


def test_a_job_that_kills_its_dask_worker_is_named_after_two_tries_and_the_rest_finishes(crew):
    outcomes = {outcome.number: outcome for outcome in crew.outcomes(dies_at_three, PANEL, JOBS)}
    assert sorted(outcomes) == list(range(8))
    assert (outcomes[3].state, outcomes[3].why) == ("failed", DIED_TWICE)
    assert {outcome.state for number, outcome in outcomes.items() if number != 3} == {"done"}


def test_a_job_whose_dask_worker_dies_once_is_done_at_the_second_try(crew, tmp_path):
    jobs = [a_job(number, base_dir=str(tmp_path)) for number in range(8)]
    outcomes = {outcome.number: outcome for outcome in crew.outcomes(dies_at_three_once, PANEL, jobs)}
    assert {outcome.state for outcome in outcomes.values()} == {"done"}


def test_a_scheduler_that_does_not_answer_is_named():
    with pytest.raises(ClusterUnavailable, match=r"^cluster.address = tcp://127.0.0.1:9: no dask scheduler answers"):
        list(DaskCrew("tcp://127.0.0.1:9", connect_timeout_s=0.5).outcomes(sums_up, PANEL, JOBS))
