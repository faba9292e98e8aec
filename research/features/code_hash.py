"""Which code a feature comes from: the files of its kernel, not all of them, so that a change rebuilds what it must."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numba
import numpy as np

from shared.indicators.feature_name import Call, spec_of
from strategies.state import Snapshot, pack

_PACKAGE = "shared.indicators"
_OURS = ("research.features.compute", "research.features.sectors")
_TRANSFORMS = "shared.indicators.feature_transforms"


@cache
def code_of(call: Call) -> str:
    """SHA-256 (hex) of the source that computes `call`: what its parameters make of it, its files, those they import.

    A file counts whole: a change in a file of several indicators rebuilds each of them. Another numba or numpy may
    round otherwise, so they count too.
    """
    made = spec_of(call).make(2, **dict(call.params))
    modules = {kind.__module__ for kind in type(made).__mro__} | {_TRANSFORMS, *_OURS}
    modules.update(place.partition(":")[0] for place in made.kernels)
    digest = hashlib.sha256(f"numba {numba.__version__}, numpy {np.__version__}".encode())
    digest.update(pack(Snapshot(strategy=str(call), symbols=(), params={}, state={"fresh": made})))
    for name in sorted(_reached(modules)):
        digest.update(name.encode() + b"\0" + _source(name))
    return digest.hexdigest()


def _reached(modules: set[str]) -> set[str]:
    """These and what they import, as far as it is ours."""
    found: set[str] = set()
    waiting = sorted(modules)
    while waiting:
        name = waiting.pop()
        if name not in found and name.startswith((_PACKAGE, *_OURS)):
            found.add(name)
            waiting.extend(_imports(name))
    return found


@cache
def _imports(name: str) -> tuple[str, ...]:
    found: list[str] = []
    for node in ast.walk(ast.parse(_source(name))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            found.extend(f"{node.module}.{each.name}" for each in node.names if node.module == _PACKAGE)
        elif isinstance(node, ast.Import):
            found.extend(each.name for each in node.names)
    return tuple(each for each in found if each.startswith(f"{_PACKAGE}.") and not each.endswith(".registry"))


@cache
def _source(name: str) -> bytes:
    spec = find_spec(name)
    assert spec is not None, f"{name} has been imported"
    assert spec.origin is not None
    return Path(spec.origin).read_bytes()
