"""The disk that does not keep in memory what it wrote: the content is whole, the memory is free again."""

import os
from pathlib import Path

import pytest

from shared.io.bar_disk import PassingDisk, RealDisk

CONTENT = bytes(range(256)) * 4096


def is_in_memory(path: Path) -> bool:
    """Whether the first byte can be had without waiting for the disk."""
    with path.open("rb") as file:
        try:
            return os.preadv(file.fileno(), [bytearray(1)], 0, os.RWF_NOWAIT) == 1
        except BlockingIOError:
            return False


@pytest.mark.parametrize(("disk", "stays"), [(RealDisk(), True), (PassingDisk(), False)])
def test_what_is_written_is_whole_and_stays_in_memory_only_if_it_is_read_again_soon(tmp_path, disk, stays):
    if not os.major(tmp_path.stat().st_dev):
        pytest.skip("the temporary folder is on no disk")
    disk.write(tmp_path / "part", CONTENT)
    assert is_in_memory(tmp_path / "part") == stays
    assert (tmp_path / "part").read_bytes() == CONTENT
