"""The registry for people: what can be asked for by name."""

from __future__ import annotations

from typing import Any

from research.features.asked import default_features
from shared.errors import NotFound
from shared.indicators.feature_transforms import TRANSFORMS
from shared.indicators.registry import SPECS
from shared.indicators.spec import IndicatorSpec, Parameter


def facts_of(group: str) -> dict[str, Any]:
    """Indicators (of one group, all where it is empty), transforms, and the default set's names; NotFound."""
    groups = sorted({spec.group for spec in SPECS.values()})
    if group and group not in groups:
        raise NotFound(f"features: no group {group!r}, there are {', '.join(groups)}")
    return {
        "indicators": [_indicator(spec) for spec in SPECS.values() if group in {"", spec.group}],
        "transforms": [
            {
                "name": name,
                "parameters": [_parameter(each) for each in transform.parameters],
                "formula": transform.formula,
            }
            for name, transform in TRANSFORMS.items()
        ],
        "default": [
            str(feature) for feature in default_features() if group in {"", SPECS[feature.call.indicator].group}
        ],
    }


def lines_of(facts: dict[str, Any]) -> list[str]:
    """One line per indicator: how it is called, inputs, outputs, warm-up, formula, source."""
    lines = [
        f"{_call(each):<44} {each['group']:<12} of {'/'.join(each['inputs']):<22} warm after {each['warm_up']:>4}  "
        f"{_outputs(each)}{each['formula']} ({each['source']})"
        for each in facts["indicators"]
    ]
    around = [f"{_call(each):<44} {'transform':<12} {each['formula']}" for each in facts["transforms"]]
    return [
        *lines,
        *around,
        f"{len(lines)} indicators, {len(around)} transforms, {len(facts['default'])} features by default",
    ]


def _indicator(spec: IndicatorSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "group": spec.group,
        "inputs": spec.inputs,
        "outputs": spec.outputs,
        "parameters": [_parameter(each) for each in spec.parameters],
        "warm_up": spec.prints_until_warm(),
        "formula": spec.formula,
        "source": spec.source,
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "default": parameter.default,
        "low": parameter.low,
        "high": parameter.high,
        "whole": parameter.whole,
    }


def _call(each: dict[str, Any]) -> str:
    told = ", ".join(f"{parameter['name']}={parameter['default']:g}" for parameter in each["parameters"])
    return f"{each['name']}({told})"


def _outputs(each: dict[str, Any]) -> str:
    return f"-> {', '.join(each['outputs'])}: " if len(each["outputs"]) > 1 else ""
