"""setup.cfg names what we import, and the lock pins what setup.cfg names."""

import configparser
import re
import sys
from functools import cache
from importlib.metadata import packages_distributions

import pytest

from tests.architecture.source import BESIDE, PRODUCT, ROOT, Module, modules

OURS = {*PRODUCT, *BESIDE, "openbell"}
# Extras: imported only where somebody chose them.
NOT_LOCKED = {"dashboard", "alerts", "keyring", "peers", "yfinance", "duckdb"}
LOCKS = ("requirements.lock", "requirements-source.lock")


def test_the_live_packages_import_only_base_dependencies():
    live = [module for module in modules() if not module.is_in("research", *BESIDE)]
    assert _undeclared(live, _declared("base")) == []


def test_research_imports_only_base_and_research_dependencies():
    research = [module for module in modules() if module.is_in("research")]
    assert _undeclared(research, _declared("base", "research")) == []


def test_tests_and_benchmarks_import_only_what_setup_cfg_names():
    beside = [module for module in modules() if module.is_in(*BESIDE)]
    assert _undeclared(beside, _declared(*_requirements())) == []


def test_every_dependency_with_code_behind_it_is_asked_for_and_locked():
    needed = _declared(*(_requirements().keys() - NOT_LOCKED))
    from_source = {_normal(pin.partition("==")[0]) for pin in _pins("requirements-source.lock")}
    asked_for = _names((ROOT / "requirements.in").read_text()) | from_source
    locked = {_normal(pin.partition("==")[0]) for name in LOCKS for pin in _pins(name)}
    assert needed - asked_for == set()
    assert asked_for - locked == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_carries_its_hashes(lock):
    assert [pin.split()[0] for pin in _pins(lock) if "--hash=sha256:" not in pin] == []


def _pins(lock: str) -> list[str]:
    return re.split(r"^(?=\S+==)", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]


def _undeclared(importing: list[Module], allowed: set[str]) -> list[str]:
    return [
        f"{module.path}:{line}: {name}"
        for module in importing
        for line, name in module.imported()
        if not _distributions(name.split(".")[0]) & (allowed | {"the standard library", "openbell"})
    ]


def _distributions(package: str) -> set[str]:
    if package in sys.stdlib_module_names:
        return {"the standard library"}
    if package in OURS:
        return {"openbell"}
    return {_normal(name) for name in _installed().get(package, [package])}


@cache
def _installed() -> dict[str, list[str]]:
    return dict(packages_distributions())


def _declared(*groups: str) -> set[str]:
    return {name for group in groups for name in _names(_requirements()[group])}


@cache
def _requirements() -> dict[str, str]:
    """Return the requirement lines of setup.cfg: those of the base install and of each extra."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "setup.cfg")
    return {"base": config["options"]["install_requires"], **config["options.extras_require"]}


def _names(lines: str) -> set[str]:
    named = (re.match(r"\s*([A-Za-z][\w.-]*)", line) for line in lines.splitlines())
    return {_normal(match[1]) for match in named if match}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
