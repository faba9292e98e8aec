"""The judge knows nothing but histories: what it shared with the daemon it could not see wrong."""

import sys

import pytest

from tests.architecture.source import modules

JUDGE = "tests/simulation/judge"
ALLOWED = {"msgspec"}
OF_THE_SIMULATION = ("tests.simulation.history", "tests.simulation.judge")


def test_the_judge_imports_only_the_standard_library_msgspec_and_histories():
    foreign = [
        f"{module.path}:{line}: {name}"
        for module in modules()
        if module.is_in(JUDGE, "tests/simulation/history")
        for line, name in module.imported()
        if not _is_allowed(name)
    ]
    assert foreign == []


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("collections.abc", True),
        ("tests.simulation.history", True),
        ("tests.simulation.judge.ref", True),
        ("tests.simulation.world.run", False),
        ("tests.simulation.historybook", False),
        ("daemon.engine.book", False),
        ("shared.ids", False),
        ("numpy", False),
    ],
)
def test_what_counts_as_independent(name, allowed):
    assert _is_allowed(name) is allowed


def _is_allowed(name: str) -> bool:
    if any(name == home or name.startswith(f"{home}.") for home in OF_THE_SIMULATION):
        return True
    first = name.partition(".")[0]
    return first in ALLOWED or first in sys.stdlib_module_names
