"""On CI every run draws the same examples, so that a commit is judged by its own faults; elsewhere they are random."""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
