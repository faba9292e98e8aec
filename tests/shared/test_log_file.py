"""The log file: one file after the other, no line cut or lost, each formatted once."""

import logging

from shared.io.logging import LogFile


class CountingFormatter(logging.Formatter):
    """Numbers the lines it has written."""

    def __init__(self):
        super().__init__("%(message)s")
        self.lines = 0

    def format(self, record):
        self.lines += 1
        return super().format(record)


def a_log(path, bytes_max):
    file = LogFile(path, maxBytes=bytes_max, backupCount=5, encoding="utf-8")
    file.setFormatter(CountingFormatter())
    return file


def written(file, count):
    for number in range(count):
        file.emit(logging.LogRecord("openbell", logging.INFO, "", 0, f"line {number:04d}", None, None))
    file.close()


def test_a_full_file_makes_room_and_no_line_is_lost_or_cut(tmp_path):
    path = tmp_path / "openbell.jsonl"
    written(a_log(path, 50), 12)  # ten bytes a line
    newest, before, oldest = path, tmp_path / "openbell.jsonl.1", tmp_path / "openbell.jsonl.2"
    assert oldest.read_text().splitlines() == [f"line {number:04d}" for number in range(5)]
    assert before.read_text().splitlines() == [f"line {number:04d}" for number in range(5, 10)]
    assert newest.read_text().splitlines() == ["line 0010", "line 0011"]


def test_a_file_of_the_run_before_is_gone_on_with(tmp_path):
    path = tmp_path / "openbell.jsonl"
    written(a_log(path, 50), 3)
    written(a_log(path, 50), 3)
    assert len((tmp_path / "openbell.jsonl.1").read_text().splitlines()) == 5
    assert path.read_text().splitlines() == ["line 0002"]


def test_a_line_is_formatted_once(tmp_path):
    """A line of the daemon passes redaction and JSON: twice is time that the next order waits for."""
    file = a_log(tmp_path / "openbell.jsonl", 1_000)
    written(file, 7)
    assert file.formatter.lines == 7
