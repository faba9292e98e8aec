import logging

import dask
import pytest
from distributed import LocalCluster


@pytest.fixture(scope="package")
def cluster():
    """A real dask scheduler with two worker processes under nannies, over loopback."""
    settings = {"distributed.scheduler.allowed-failures": 0, "distributed.admin.log-format": "%(message)s"}
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
    ):
        yield cluster
