"""A real ray of this machine, where ray is installed (it is no dependency)."""

import pytest

from research.experiments.crew import DIED_TWICE, crew_of
from shared.config_cluster import ClusterConfig
from tests.experiments.builders import a_walk, daily_panel
from tests.experiments.works import a_job, dies_at_three

pytest.importorskip("ray", reason="the package ray is not installed")


def test_a_job_that_kills_its_ray_worker_is_named_after_two_tries_and_the_rest_finishes():
    crew = crew_of(ClusterConfig(backend="ray"))
    jobs = [a_job(number) for number in range(8)]
    outcomes = {outcome.number: outcome for outcome in crew.outcomes(dies_at_three, daily_panel(a_walk(50)), jobs)}
    assert sorted(outcomes) == list(range(8))
    assert (outcomes[3].state, outcomes[3].why, outcomes[3].run_tries) == ("failed", DIED_TWICE, 2)
    assert {outcome.state for number, outcome in outcomes.items() if number != 3} == {"done"}
