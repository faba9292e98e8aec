"""The page's code runs, and its tables are those of the code."""

import re
from pathlib import Path

import pytest

from research.filters.em_rule import PRINTS_MIN, EmRule
from research.filters.hmm_em import HmmRule
from shared.indicators import kalman_features, regimes

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "kalman.md").read_text()


def test_the_code_on_the_page_runs():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    found: dict[str, object] = {}
    exec(code, found)
    assert abs(found["zscore"][50:].std() - 1) < 0.2  # type: ignore[index]  # zscore is one of them


@pytest.mark.parametrize("spec", kalman_features.SPECS + regimes.SPECS, ids=lambda spec: spec.name)
def test_the_page_names_every_feature_with_its_parameters_and_outputs(spec):
    call = f"{spec.name}({', '.join(parameter.name for parameter in spec.parameters)})"
    (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{call}`")]
    said = row if "the same, and" not in row else PAGE
    assert all(f"`{output}`" in said for output in spec.outputs)


def test_the_page_names_the_rules_as_they_are():
    rule, states = EmRule(), HmmRule()
    assert (rule.tolerance, rule.iterations_max, rule.floor, PRINTS_MIN) == (1e-6, 200, 1e-10, 5)
    assert (states.tolerance, states.iterations_max, states.floor) == (1e-4, 300, 1e-6)
    assert all(word in PAGE for word in ("(1e-6)", "(200)", "(1e-10)", "(1e-4)", "(300)", "Fewer than 5 prints"))
