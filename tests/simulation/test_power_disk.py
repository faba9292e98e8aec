"""What the model disk keeps and loses is what POSIX promises and no more; what is recorded is what was done."""

import os
import sqlite3

import pytest

from tests.simulation.power.disk import Disk
from tests.simulation.power.enumeration import scratch
from tests.simulation.power.operations import Cut, FolderSynced, Made, Removed, Renamed, Synced, Wrote
from tests.simulation.power.recorder import Recorder, recording_connect
from tests.simulation.power.system_calls import recorded_calls


def a_disk(*operations, before=None):
    disk = Disk(before or {})
    for operation in operations:
        disk.apply(operation)
    return disk


A_FILE = (Made("a"), FolderSynced("."))


@pytest.mark.parametrize(
    ("fates", "content"),
    [
        ({}, b"headtail"),
        ({3: 0}, b"head"),
        ({2: 0}, b"\0\0\0\0tail"),
        ({2: 0, 3: 0}, b""),
        ({3: 2}, b"headta"),
        ({2: 1}, b"h\0\0\0tail"),
    ],
)
def test_of_two_writes_that_were_not_synced_any_part_may_be_there(fates, content):
    disk = a_disk(*A_FILE, Wrote("a", 0, b"head"), Wrote("a", 4, b"tail"))
    assert disk.image(fates) == {"a": content}


def test_what_was_synced_is_there_whatever_happens():
    disk = a_disk(*A_FILE, Wrote("a", 0, b"head"), Synced("a"), Wrote("a", 0, b"HE"))
    assert disk.image({4: 0}) == {"a": b"head"}
    assert disk.pending() == [(4, Wrote("a", 0, b"HE"))]


@pytest.mark.parametrize(("fates", "content"), [({}, b"ab"), ({1: 0}, b"abcd")])
def test_a_truncation_that_was_not_synced_happens_or_not(fates, content):
    disk = a_disk(Cut("a", 3), Cut("a", 2), before={"a": b"abcd"})
    assert disk.image({0: 0} | fates) == {"a": content}


@pytest.mark.parametrize(("fates", "names"), [({}, {"a"}), ({0: 0}, set())])
def test_a_synced_file_whose_name_was_not_synced_may_be_nowhere(fates, names):
    disk = a_disk(Made("a"), Wrote("a", 0, b"x"), Synced("a"))
    assert disk.image(fates).keys() == names


def test_a_file_is_nowhere_without_the_folder_above_it():
    disk = a_disk(Made("f", is_folder=True), Made("f/a"), FolderSynced("f"))
    assert disk.image({}).keys() == {"f", "f/a"}
    assert disk.image({0: 0}) == {}


@pytest.mark.parametrize(("fates", "image"), [({}, {"b": b"new"}), ({3: 0}, {".draft": b"new", "b": b"old"})])
def test_a_renaming_that_was_not_synced_leaves_the_old_file_or_the_new_one(fates, image):
    disk = a_disk(
        Made(".draft"), Wrote(".draft", 0, b"new"), Synced(".draft"), Renamed(".draft", "b"), before={"b": b"old"}
    )
    assert disk.image(fates) == image


@pytest.mark.parametrize(("fates", "image"), [({}, {}), ({0: 0}, {"a": b"x"})])
def test_a_removed_file_may_come_back(fates, image):
    assert a_disk(Removed("a"), before={"a": b"x"}).image(fates) == image


def test_equal_images_have_equal_shapes_and_others_do_not():
    disk = a_disk(*A_FILE, Wrote("a", 0, b"1"), Wrote("a", 1, b"2"))
    earlier = a_disk(*A_FILE, Wrote("a", 0, b"1"))
    assert disk.shape({3: 0}) == earlier.shape({})
    assert len({disk.shape(fates) for fates in ({}, {2: 0}, {3: 0}, {2: 0, 3: 0})}) == 4


def replayed(recorder):
    """The files as the recording alone makes them."""
    return {path: content for path, content in a_disk(*recorder.operations).image({}).items() if content is not None}


def on_disk(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith("-shm")
    }


def test_a_recorded_database_is_byte_for_byte_the_one_on_the_disk():
    with scratch() as folder:
        recorder = Recorder(folder)
        with recording_connect(recorder) as connect:
            connection = connect(folder / "a.sqlite")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript("CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(20000));")
            assert replayed(recorder) == on_disk(folder)
            assert replayed(recorder).keys() == {"a.sqlite", "a.sqlite-wal"}
            connection.close()
        assert replayed(recorder) == on_disk(folder)
        with sqlite3.connect(folder / "a.sqlite") as plain:
            assert plain.execute("SELECT length(x) FROM t").fetchone() == (20000,)
        plain.close()


def test_an_error_of_the_recorded_database_is_one_of_sqlite3():
    with scratch() as folder, recording_connect(Recorder(folder)) as connect:
        connection = connect(folder / "a.sqlite")
        with pytest.raises(sqlite3.DatabaseError, match="no such table: t"):
            connection.execute("SELECT * FROM t")
        connection.close()


def test_what_python_does_to_files_is_recorded_where_it_belongs_and_only_there():
    with scratch() as folder, scratch() as elsewhere:
        recorder = Recorder(folder)
        with recorded_calls(recorder):
            (folder / "f").mkdir()
            (elsewhere / "g").mkdir()
            number = os.open(folder / "f" / "a", os.O_RDWR | os.O_CREAT)
            os.pwrite(number, b"12345", 0)
            os.ftruncate(number, 2)
            os.fsync(number)
            os.close(number)
            (folder / "f" / "a").replace(folder / "f" / "b")
            upper = os.open(folder, os.O_RDONLY)
            os.fsync(upper)
            os.close(upper)
            (folder / "f" / "b").unlink()
        assert recorder.operations == [
            Made("f", is_folder=True),
            Made("f/a"),
            Wrote("f/a", 0, b"12345"),
            Cut("f/a", 2),
            Synced("f/a"),
            Renamed("f/a", "f/b"),
            FolderSynced("."),
            Removed("f/b"),
        ]
