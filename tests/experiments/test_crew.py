from importlib.util import find_spec

import pytest

from research.experiments.crew import DIED_TWICE, crew_of
from shared.config_cluster import ClusterConfig
from shared.errors import ConfigError
from tests.experiments.builders import a_walk, daily_panel
from tests.experiments.works import a_job, dies_at_three, dies_at_three_once, sums_up

PANEL = daily_panel(a_walk(50))
JOBS = [a_job(number) for number in range(8)]


def ended(work, jobs=JOBS, workers=2):
    return list(crew_of(ClusterConfig(workers=workers)).outcomes(work, PANEL, jobs))


def test_every_job_comes_back_once_and_the_processes_share_one_map_of_the_panel():
    outcomes = ended(sums_up)
    total = float(PANEL.close.sum())
    assert {outcome.number: outcome.figures["sharpe"] for outcome in outcomes} == {n: total + n for n in range(8)}
    assert {outcome.why for outcome in outcomes} == {"memmap"}


def test_a_job_that_kills_its_worker_is_named_after_two_tries_and_the_rest_finishes():
    outcomes = {outcome.number: outcome for outcome in ended(dies_at_three, workers=1)}
    assert sorted(outcomes) == list(range(8))
    assert (outcomes[3].state, outcomes[3].why, outcomes[3].run_tries) == ("failed", DIED_TWICE, 2)
    assert {outcome.state for number, outcome in outcomes.items() if number != 3} == {"done"}


def test_a_job_whose_worker_dies_once_is_done_at_the_second_try(tmp_path):
    jobs = [a_job(number, base_dir=str(tmp_path)) for number in range(8)]
    outcomes = {outcome.number: outcome for outcome in ended(dies_at_three_once, jobs)}
    assert {outcome.state for outcome in outcomes.values()} == {"done"}
    assert outcomes[3].run_tries == 2


@pytest.mark.skipif(find_spec("ray") is not None, reason="ray is installed here")
def test_a_cluster_that_needs_a_package_says_which():
    with pytest.raises(ConfigError) as told:
        crew_of(ClusterConfig(address="ray://head:10001"))
    assert str(told.value).startswith('cluster.address = "ray://head:10001": the package ray is not installed here')
