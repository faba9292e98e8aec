"""The cluster of the experiments' tests, and the command line."""

from tests.experiments.conftest import cluster
from tests.runtime.conftest import openbell

__all__ = ["cluster", "openbell"]
