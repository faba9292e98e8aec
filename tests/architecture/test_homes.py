"""Each framework has one home; every other package speaks our own words."""

import pytest

from tests.architecture.source import product


def test_ib_insync_is_imported_only_in_brokers_ib():
    assert _imports_outside("ib_insync", "brokers/ib") == []


def test_backtrader_is_imported_only_in_research_backtest():
    assert _imports_outside("backtrader", "research/backtest") == []


def test_asyncio_mqtt_is_imported_only_in_shared_io():
    assert _imports_outside("asyncio_mqtt", "shared/io") == []


def test_exchange_calendars_is_imported_only_in_shared_sessions():
    assert _imports_outside("exchange_calendars", "shared/sessions") == []


@pytest.mark.parametrize("package", ["pykalman", "joblib", "distributed", "matplotlib", "scipy"])
def test_research_packages_are_imported_only_in_research(package):
    assert _imports_outside(package, "research") == []


def test_no_product_code_imports_tests_or_benchmarks():
    assert _imports_outside("tests", "tests") + _imports_outside("bench", "bench") == []


def _imports_outside(package: str, home: str) -> list[str]:
    return [
        f"{module.path}:{line}"
        for module in product()
        if not module.is_in(home)
        for line, name in module.imported()
        if name.split(".")[0] == package
    ]
