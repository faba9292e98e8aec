"""Features by name: `rsi(14)`, `macd(12, 26, 9).signal`, `rank(rsi(14))`.

A name is a call of an indicator with its parameters by place or by keyword (what is missing has its default), the
output where there are several, and any number of cross-sectional transforms around it. Its canonical form names
every parameter by place, so that two ways of saying the same are one feature.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Collection
from functools import cache

from msgspec import Struct

from shared.errors import ConfigError
from shared.indicators.feature_transforms import TRANSFORMS, needs_sectors
from shared.indicators.spec import FIELDS, IndicatorSpec

_LENGTH_MAX = 200


class Call(Struct, frozen=True):
    """An indicator with all its parameters, in the order of its spec."""

    indicator: str
    params: tuple[tuple[str, float], ...]

    def __str__(self) -> str:
        return f"{self.indicator}({','.join(f'{value:.12g}' for _, value in self.params)})"


class Feature(Struct, frozen=True):
    """One output of a call, then the transforms of the whole row, innermost first."""

    call: Call
    output: str
    transforms: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def __str__(self) -> str:
        text = f"{self.call}.{self.output}" if self.output else f"{self.call}"
        for name, given in self.transforms:
            text = f"{name}({','.join([text, *(f'{value:.12g}' for value in given)])})"
        return text

    @property
    def needs_sectors(self) -> bool:
        """Whether its name wears a transform that is taken within sectors."""
        return needs_sectors(self.transforms)

    @property
    def untransformed(self) -> Feature:
        return Feature(self.call, self.output)


@cache
def feature_of(text: str) -> Feature:
    """The feature that `text` names; ConfigError with one line saying what is wrong with it."""
    if len(text) > _LENGTH_MAX:
        raise ConfigError(f"feature {text[:40]!r}...: {len(text)} characters, allowed: at most {_LENGTH_MAX}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _unreadable(text) from None
    return _Reader(text).feature(tree)


def spec_of(call: Call) -> IndicatorSpec:
    """The registry's row of the indicator."""
    return _specs()[call.indicator]


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def feature(self, node: ast.expr) -> Feature:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and _is_transform(node):
            return self._transformed(node, node.func.id.lower())
        if isinstance(node, ast.Attribute):
            call = self._call(node.value)
            return Feature(call, self._output(spec_of(call), node.attr))
        call = self._call(node)
        return Feature(call, self._output(spec_of(call), None))

    def _transformed(self, node: ast.Call, name: str) -> Feature:
        wanted = TRANSFORMS[name]
        if not node.args or node.keywords or len(node.args) - 1 > len(wanted.parameters):
            allowed = ", ".join(["a feature", *(parameter.name for parameter in wanted.parameters)])
            raise ConfigError(f"feature {self._text!r}: {name} takes {allowed}")
        inner = self.feature(node.args[0])
        given = [self._number(each) for each in node.args[1:]]
        given += [parameter.default for parameter in wanted.parameters[len(given) :]]
        faults = [parameter.fault_of(value) for parameter, value in zip(wanted.parameters, given, strict=True)]
        if any(faults):
            raise ConfigError(f"feature {self._text!r}: {name}: {', '.join(filter(None, faults))}")
        return Feature(inner.call, inner.output, (*inner.transforms, (name, tuple(given))))

    def _call(self, node: ast.expr) -> Call:
        positional: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        named = node
        if isinstance(node, ast.Call):
            named, positional, keywords = node.func, node.args, node.keywords
        if not isinstance(named, ast.Name):
            raise _unreadable(self._text)
        name = named.id.lower()
        specs = _specs()
        if name not in specs:
            near = _near(name, specs)
            raise ConfigError(
                f"feature {self._text!r}: no indicator {named.id!r}, allowed: openbell features list{near}"
            )
        if specs[name].beside:
            needed, allowed = ", ".join(specs[name].beside), ", ".join(FIELDS)
            raise ConfigError(
                f"feature {self._text!r}: {name} needs {needed} with every bar, allowed: indicators of {allowed}"
            )
        params = self._params(specs[name], positional, keywords)
        try:
            filled = specs[name].filled(params)
        except ConfigError as error:
            raise ConfigError([f"feature {self._text!r}: {fault}" for fault in error.faults]) from None
        return Call(name, tuple(filled.items()))

    def _params(self, spec: IndicatorSpec, positional: list[ast.expr], keywords: list[ast.keyword]) -> dict[str, float]:
        names = [parameter.name for parameter in spec.parameters]
        if len(positional) > len(names):
            raise ConfigError(
                f"feature {self._text!r}: {len(positional)} parameters, allowed: {', '.join(names) or 'none'}"
            )
        found = {name: self._number(each) for name, each in zip(names, positional, strict=False)}
        for keyword in keywords:
            if keyword.arg is None or keyword.arg in found:
                raise ConfigError(f"feature {self._text!r}: {keyword.arg or '**'} twice or without a name")
            found[keyword.arg] = self._number(keyword.value)
        return found

    def _output(self, spec: IndicatorSpec, output: str | None) -> str:
        """Empty where there is only one; that one may be named all the same."""
        if output is None and len(spec.outputs) > 1:
            ways = ", ".join(f".{each}" for each in spec.outputs)
            raise ConfigError(f"feature {self._text!r}: {spec.name} has several outputs, allowed: one of {ways}")
        if output is not None and output not in spec.outputs:
            raise ConfigError(f"feature {self._text!r}: no output .{output}, allowed: {', '.join(spec.outputs)}")
        return "" if output is None or len(spec.outputs) == 1 else output

    def _number(self, node: ast.expr) -> float:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self._number(node.operand)
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and type(node.value) is not bool:
            return node.value
        raise ConfigError(f"feature {self._text!r}: {ast.unparse(node)} is no number, allowed: parameters are numbers")


def _is_transform(node: ast.Call) -> bool:
    """`zscore` is both: of an instrument's own past by a number, of the row around a feature."""
    name = ast.unparse(node.func).lower()
    is_told_numbers = not node.args or isinstance(node.args[0], ast.Constant | ast.UnaryOp)
    return name in TRANSFORMS and not (is_told_numbers and name in _specs())


def _unreadable(text: str) -> ConfigError:
    return ConfigError(f"feature {text!r}: not readable, allowed: such as rsi(14), macd(12,26,9).signal, rank(rsi(14))")


def _near(name: str, specs: Collection[str]) -> str:
    near = difflib.get_close_matches(name, specs, n=1)
    return f", did you mean {near[0]!r}?" if near else ""


def _specs() -> dict[str, IndicatorSpec]:
    from shared.indicators.registry import SPECS  # as long to import as every kernel there is

    return SPECS
