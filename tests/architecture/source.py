"""Our own Python source, parsed: what the house rules look at."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("daemon", "strategies", "risk", "brokers", "shared", "research")
BESIDE = ("tests", "bench", "docs")
PURE = ("daemon/engine", "strategies", "risk", "shared/indicators", "brokers/simulated/matching")


class Module(Struct, frozen=True):
    """One source file; `path` is relative to the root, with slashes."""

    path: str
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        return self.text.count("\n")

    def is_in(self, *places: str) -> bool:
        """Tell whether the file lies in one of the places: folders, or files without `.py`."""
        return any(self.path.startswith(f"{place}/") or self.path == f"{place}.py" for place in places)

    def imported(self) -> Iterator[tuple[int, str]]:
        """Yield line and dotted name of every absolute import, at whatever depth it stands."""
        for node in ast.walk(self.tree):
            match node:
                case ast.Import(names=names):
                    yield from ((node.lineno, name.name) for name in names)
                case ast.ImportFrom(module=str(module), level=0):
                    yield node.lineno, module


@cache
def modules() -> tuple[Module, ...]:
    """Return every file of ours: the product, its front door, tests, benchmarks and documented examples."""
    found = sorted(path for place in (*PRODUCT, *BESIDE) for path in (ROOT / place).rglob("*.py"))
    return tuple(_parsed(path) for path in [*sorted(ROOT.glob("*.py")), *found])


def product() -> list[Module]:
    return [module for module in modules() if not module.is_in(*BESIDE)]


def pure() -> list[Module]:
    return [module for module in modules() if module.is_in(*PURE)]


def dotted(node: ast.expr) -> str:
    """Return `a.b.c` of a chain of attributes; a part that is no plain name shows as `?`."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{dotted(value)}.{name}"
    return "?"


def _parsed(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    return Module(path.relative_to(ROOT).as_posix(), text, ast.parse(text, filename=str(path)))
