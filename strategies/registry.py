"""From a name or a file path in config.toml to a strategy."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

from shared.errors import ConfigError
from shared.market import Universe
from strategies.base import Strategy

BUILT_IN = ("sma_cross", "cross_momentum", "kalman_trend")


def load_strategy(kind: str, universe: Universe, params: dict[str, Any], base_dir: Path | None = None) -> Strategy:
    """The strategy `kind`: a built-in name, or the path (relative to `base_dir`) of a file with one strategy.

    ConfigError, one line per fault, for an unknown kind, a file that does not load or holds not exactly one
    strategy, and parameters that its `__init__` does not take. A file is executed anew at every call.
    """
    path = _source_path(kind, base_dir)
    module = importlib.import_module(f"strategies.{kind}") if kind in BUILT_IN else _execute(kind, path)
    found = _only_strategy(kind, module)
    accepted = _accepted_params(kind, found, params)
    try:
        return found(universe, **accepted)
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"strategy {kind}: {_place(error, path)}: {_one_line(error)}") from error


def check_params(kind: str, params: dict[str, Any], base_dir: Path | None = None) -> None:
    """ConfigError for parameters that the strategy does not know, misses, or wants of another kind; it is not built.

    What it refuses for its values (fast above slow) is found only by `load_strategy`.
    """
    path = _source_path(kind, base_dir)
    module = importlib.import_module(f"strategies.{kind}") if kind in BUILT_IN else _execute(kind, path)
    _accepted_params(kind, _only_strategy(kind, module), params)


def source_hash(kind: str, base_dir: Path | None = None) -> str:
    """SHA-256 (hex) of the strategy's source file, for the journal; the file is not executed."""
    return hashlib.sha256(_source_path(kind, base_dir).read_bytes()).hexdigest()


def _source_path(kind: str, base_dir: Path | None) -> Path:
    if kind in BUILT_IN:
        return Path(__file__).with_name(f"{kind}.py")
    if not kind.endswith(".py"):
        near = difflib.get_close_matches(kind, BUILT_IN, n=1)
        meant = f", did you mean {near[0]!r}?" if near else ""
        raise ConfigError(
            f"strategy kind {kind!r}: unknown, allowed: {', '.join(BUILT_IN)} or a path to a .py file{meant}"
        )
    path = ((base_dir or Path()) / Path(kind).expanduser()).absolute()
    if not path.is_file():
        raise ConfigError(f"strategy kind {kind!r}: no such file {path}, allowed: a path relative to config.toml")
    return path


def _execute(kind: str, path: Path) -> ModuleType:
    """The user's file as a module, named after the path as written: the same name on every machine."""
    name = "strategy_file_" + re.sub(r"\W", "_", kind.removesuffix(".py"))
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "a path that ends in .py always has a loader"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before it runs: annotations of its classes are looked up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # the file may raise anything, and must not end the process
        del sys.modules[name]
        raise ConfigError(f"strategy {kind}: {_place(error, path)}: {_one_line(error)}") from error
    return module


def _only_strategy(kind: str, module: ModuleType) -> type[Strategy]:
    """The one concrete Strategy that the module itself defines (what it imports does not count)."""
    classes = dict.fromkeys(filter(inspect.isclass, vars(module).values()))
    found = [
        value
        for value in classes
        if issubclass(value, Strategy) and value.__module__ == module.__name__ and not inspect.isabstract(value)
    ]
    if len(found) != 1:
        names = ", ".join(value.__name__ for value in found) or "none"
        raise ConfigError(
            f"strategy {kind}: strategy classes that define on_row: {names}, allowed: exactly one in the file"
        )
    return found[0]


def _accepted_params(kind: str, strategy: type[Strategy], params: dict[str, Any]) -> dict[str, Any]:
    """`params` as the annotations of `__init__` want them; ConfigError with every fault."""
    try:
        signature = inspect.signature(strategy.__init__, eval_str=True)
    except NameError as error:
        raise ConfigError(f"strategy {kind}: annotation of __init__: {error}") from error
    taken = list(signature.parameters.values())[2:]
    faults = [
        f"strategy {kind}: params.{name}: unknown, allowed: {_described(taken)}"
        for name in params
        if name not in {parameter.name for parameter in taken}
    ]
    accepted: dict[str, Any] = {}
    for parameter in taken:
        if parameter.name not in params:
            if parameter.default is parameter.empty:
                faults.append(f"strategy {kind}: params.{parameter.name}: missing, allowed: {_described(taken)}")
            continue
        given = params[parameter.name]
        try:
            accepted[parameter.name] = _converted(given, parameter)
        except msgspec.ValidationError as error:
            faults.append(f"strategy {kind}: params.{parameter.name}: {given!r} is wrong ({error})")
    if faults:
        raise ConfigError(faults)
    return accepted


def _converted(given: object, parameter: inspect.Parameter) -> object:
    wanted = Any if parameter.annotation is parameter.empty else parameter.annotation
    return msgspec.convert(given, wanted)


def _described(taken: list[inspect.Parameter]) -> str:
    """`fast: int, long_only: bool = True`, as the strategy's author wrote it."""
    return ", ".join(str(parameter) for parameter in taken) or "no params"


def _place(error: BaseException, path: Path) -> str:
    """file:line of the error inside the user's file."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
