import pytest

from research.tear_sheet.page import render
from research.tear_sheet.store import CURVE, FACTS, TRIPS, read_record, stored
from shared.errors import DataError, NotFound
from tests.tear_sheet.builders import a_record


@pytest.fixture
def folder(tmp_path):
    for name, content in stored(a_record(60, trips=5)).items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_what_is_read_back_gives_the_same_page(folder):
    assert render(read_record(folder)) == render(a_record(60, trips=5))


def test_what_is_read_back_is_stored_as_the_same_bytes(folder):
    assert stored(read_record(folder)) == {name: (folder / name).read_bytes() for name in (FACTS, CURVE, TRIPS)}


@pytest.mark.parametrize("name", [FACTS, CURVE, TRIPS])
def test_a_file_that_is_missing_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(NotFound, match=name):
        read_record(folder)


@pytest.mark.parametrize("name", [FACTS, CURVE, TRIPS])
def test_a_torn_file_is_one_line(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError) as error:
        read_record(folder)
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_later_format_is_refused(folder):
    facts = folder / FACTS
    facts.write_text(facts.read_text().replace("openbell.tear_sheet/1", "openbell.tear_sheet/9"))
    with pytest.raises(DataError, match=r"tear_sheet/9'?, allowed: openbell.tear_sheet/1"):
        read_record(folder)
