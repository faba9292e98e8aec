"""A mark of the code that keeps a memory: it is not taken for that of other code, however alike both look.

A state is attributes and arrays; nothing in them says that a row of an array means something else since yesterday. So
what a snapshot carries is marked with the code that fills it, as Python compiled it: that of a class, of what it
inherits, of its kernel, and of all they call in these packages or in the same file. Comments and layout of the source
do not count; another minor version of Python does.
"""

from __future__ import annotations

import dis
import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from shared.indicators.indicator import Indicator

_OURS = ("shared.indicators.", "strategies.")
_APART = ("builtins", "abc", "strategies.base")
"""Modules whose classes a memory does not depend on."""
_DIGITS = 16

Value = Any  # whatever a strategy's code names


def indicator_mark(indicator: Indicator) -> str:
    """The mark of an indicator's state."""
    kind: type = type(indicator)
    return code_mark(kind, *(_kernel_at(place) for place in indicator.kernels))


@cache
def code_mark(kind: type, *kernels: FunctionType) -> str:
    """The mark of what a class keeps, driven by these kernels if it has none of its own."""
    waiting = _functions_of(kind) + list(kernels)
    digest = hashlib.sha256(f"{kind.__module__}.{kind.__qualname__}".encode())
    seen: set[str] = set()
    while waiting:
        function = waiting.pop(0)
        place = f"{function.__module__}.{function.__qualname__}"
        if place not in seen:
            seen.add(place)
            defaults = [*(function.__defaults__ or ()), *sorted((function.__kwdefaults__ or {}).items())]
            told = [place, *map(_constant, defaults), *_instructions(function.__code__)]
            digest.update(repr(told).encode())
            waiting.extend(_named(function, digest.update))
    return digest.hexdigest()[:_DIGITS]


def _kernel_at(place: str) -> FunctionType:
    """The kernel named `module:function`; the youngest, where a strategy's file was loaded more than once."""
    module, name = place.split(":")
    kernel = _function_in(getattr(import_module(module), name))
    assert kernel is not None, f"{place} is a kernel"
    return kernel


def _functions_of(kind: type) -> list[FunctionType]:
    members = [member for each in kind.__mro__ if each.__module__ not in _APART for member in vars(each).values()]
    return [function for member in members if (function := _function_in(member)) is not None]


def _function_in(member: Value) -> FunctionType | None:
    """What Python compiled, behind a property, a class method, a cache or numba."""
    if isinstance(member, ModuleType):
        return None
    for inside in ("fget", "__func__", "py_func", "__wrapped__"):
        member = getattr(member, inside, None) or member
    return member if isinstance(member, FunctionType) else None


def _instructions(code: CodeType) -> list[Value]:
    """What the code does, and the names and constants it does it to: no docstring among them, no line number."""
    return [(each.opcode, _constant(each.argval)) for each in dis.get_instructions(code)]


def _constant(value: Value) -> Value:
    """What is the same in every process, in the place of a constant or a default."""
    if isinstance(value, CodeType):
        return _instructions(value)
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    return value if isinstance(value, bool | int | float | str | bytes | tuple) else type(value).__name__


def _named(function: FunctionType, tell: Callable[[bytes], None]) -> Iterator[FunctionType]:
    """The functions among the globals that the code names, if they are ours; of constants the value is told."""
    for name in _names(function.__code__):
        for value in _leaves(function.__globals__.get(name)):
            found = _function_in(value)
            if found is not None:
                if found.__module__ == function.__module__ or found.__module__.startswith(_OURS):
                    yield found
            elif isinstance(value, np.ndarray):
                tell(name.encode() + value.tobytes())
            elif isinstance(value, int | float | str):
                tell(f"{name} {value!r}".encode())


def _leaves(value: Value) -> Iterator[Value]:
    """What a tuple holds, at any depth, or the value itself; a list or dict may be filled as a process runs."""
    if isinstance(value, tuple):
        for each in value:
            yield from _leaves(each)
    else:
        yield value


def _names(code: CodeType) -> list[str]:
    inner = [name for each in code.co_consts if isinstance(each, CodeType) for name in _names(each)]
    return sorted({*code.co_names, *inner})
