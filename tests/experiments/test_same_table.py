"""This process alone, two workers and a dask cluster: the same table, byte for byte."""

import pyarrow as pa
import pytest

from research.experiments.crew import crew_of
from research.experiments.store import opened
from research.experiments.sweep import run_sweep
from research.experiments.table import results_alone, table_of
from research.measures.ledger import Ledger
from shared.config_cluster import ClusterConfig
from shared.io.fingerprints import config_hash
from tests.experiments.builders import InProcess, a_runner, a_study, a_walk, daily_config

STUDY = a_study(a_walk(120, seed=5), "one.fast=2:5:1", "one.slow=8,12,16")


def bytes_of(folder, crew):
    variants, bars = STUDY
    with opened(folder) as store:
        runner = a_runner(store, crew)
        result = run_sweep(variants, bars, runner=runner, ledger=Ledger(folder / "trials.sqlite"), measure="sharpe")
    sink = pa.BufferOutputStream()
    table = results_alone(table_of(result.rows))
    with pa.ipc.new_file(sink, table.schema) as file:
        file.write_table(table)
    assert result.failed == ()
    assert result.verdict.trials == 12
    return sink.getvalue().to_pybytes()


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return bytes_of(tmp_path_factory.mktemp("alone"), InProcess())


def test_two_processes_of_this_machine_give_the_same_table(tmp_path, alone):
    assert bytes_of(tmp_path, crew_of(ClusterConfig(workers=2))) == alone


def test_a_dask_cluster_gives_the_same_table(tmp_path, alone, cluster):
    assert bytes_of(tmp_path, crew_of(ClusterConfig(address=cluster.scheduler_address))) == alone


def test_where_it_runs_is_no_part_of_what_was_tried():
    here = daily_config()
    there = here.model_copy(update={"cluster": ClusterConfig(address="tcp://head:8786", workers=7)})
    assert config_hash(there) == config_hash(here)
