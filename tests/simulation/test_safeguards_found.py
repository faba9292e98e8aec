"""The proof kept: for each safeguard a cut-down day on which the judge sees it missing, and nothing of that with it."""

import io
from pathlib import Path

import pytest

from tests.simulation.safeguards.found import plan_of, proofs
from tests.simulation.safeguards.search import means_of, write_table
from tests.simulation.safeguards.sought import bite_of
from tests.simulation.safeguards.table import SAFEGUARDS
from tests.simulation.safeguards.unseen import UNSEEN

FOUND = proofs()
PROVEN_MIN, SEEDS_MAX = 25, 200
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "simulation.md"


def test_more_than_twenty_five_safeguards_are_proven_within_two_hundred_seeds():
    assert len(FOUND) >= PROVEN_MIN
    assert {proof.name for proof in FOUND.values() if proof.tried > SEEDS_MAX or not proof.invariant} == set()


def test_every_safeguard_is_either_proven_or_said_why_not():
    assert {*FOUND, *UNSEEN} == set(SAFEGUARDS)
    assert set(FOUND) & set(UNSEEN) == set()


def test_the_documentation_shows_what_was_found():
    table = io.StringIO()
    write_table(table)
    assert table.getvalue() in DOCUMENTATION.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FOUND)
def test_the_day_breaks_without_the_safeguard_and_not_with_it(name):
    bite = bite_of(SAFEGUARDS[name], plan_of(name), means_of(name, "brutal"))
    assert FOUND[name].invariant in bite.fallen
