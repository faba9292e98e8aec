"""A real scheduler with two worker processes, over loopback."""

from research.experiments.crew import crew_of
from shared.config_cluster import ClusterConfig
from tests.features.builders import NAMES, a_market, built, files_of, first_days, stored, streamed


def test_a_cluster_builds_and_goes_on_with_the_bits_of_this_process(cluster, tmp_path):
    panel, crew = a_market(), crew_of(ClusterConfig(address=cluster.scheduler_address))
    assert built(first_days(panel, 90), tmp_path / "cluster", crew=crew).rebuilt == len(NAMES)
    assert built(panel, tmp_path / "cluster", crew=crew).extended == len(NAMES)
    assert stored(tmp_path / "cluster", "rsi(14)").tobytes() == streamed(panel, "rsi(14)").tobytes()
    built(first_days(panel, 90), tmp_path / "here")
    built(panel, tmp_path / "here")
    assert files_of(tmp_path / "cluster") == files_of(tmp_path / "here")
