"""Which bytes and names a disk holds for sure after some operations, and which it may still lose.

The rules are those of POSIX and no file system's kindness: a file's bytes are durable by fsync of the file, a name by
fsync of its folder; writes not yet synced may arrive in any order, in part, or never. After a kill everything written
is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from tests.simulation.power.operations import Cut, FolderSynced, Made, Operation, Removed, Renamed, Synced, Wrote

Fates = Mapping[int, int]
"""What became of pending operations, by number: how many bytes of a write arrived, 0 = nothing; not named = all."""
_FOLDER = -1


class File:
    """One file, whatever it is called; `pending` are (number, operation) since its last sync."""

    def __init__(self, content: bytes = b"") -> None:
        self._durable = bytearray(content)
        self.settled = 0
        self.pending: list[tuple[int, Wrote | Cut]] = []

    def sync(self) -> None:
        for _, operation in self.pending:
            _carry_out(self._durable, operation)
        self.settled += len(self.pending)
        self.pending.clear()

    def content(self, fates: Fates) -> bytearray:
        """Its bytes if the pending operations meet these fates."""
        content = bytearray(self._durable)
        for number, operation in self.pending:
            _carry_out(content, operation, fates.get(number))
        return content

    def shape(self, fates: Fates) -> tuple[int, tuple[tuple[int, int], ...]]:
        """Equal for equal content: how many operations count, and which of them arrived in part or not at all."""
        numbers = [number for number, _ in self.pending]
        while numbers and fates.get(numbers[-1]) == 0:
            numbers.pop()
        changed = tuple((number, fates[number]) for number in numbers if number in fates)
        return self.settled + len(numbers), changed


class Disk:
    """The folder under record after so many operations."""

    def __init__(self, before: Mapping[str, bytes]) -> None:
        self.files = [File(content) for content in before.values()]
        self._durable_names = {path: number for number, path in enumerate(before)}
        for path in before:
            folders = [parent.as_posix() for parent in PurePosixPath(path).parents][:-1]
            self._durable_names.update(dict.fromkeys(folders, _FOLDER))
        self._names = dict(self._durable_names)
        self.pending_names: list[tuple[int, Made | Removed | Renamed, int]] = []
        self.done = 0

    def apply(self, operation: Operation) -> None:
        """The next operation."""
        match operation:
            case Wrote() | Cut():
                self.files[self._names[operation.path]].pending.append((self.done, operation))
            case Synced(path):
                self.files[self._names[path]].sync()
            case FolderSynced(path):
                self._sync_names(path)
            case Made() | Removed() | Renamed():
                self._rename(operation)
        self.done += 1

    def pending(self) -> list[tuple[int, Wrote | Cut]]:
        """Everything that a power cut may take from files, in the order it was done."""
        return sorted((each for file in self.files for each in file.pending), key=lambda each: each[0])

    def names(self, fates: Fates) -> dict[str, int]:
        """Path to file number, if the pending names meet these fates; a file without its folder is nowhere."""
        names = dict(self._durable_names)
        for number, operation, file in self.pending_names:
            if number not in fates:
                _rename(names, operation, file)
        return {path: file for path, file in names.items() if _is_reachable(path, names)}

    def image(self, fates: Fates) -> dict[str, bytearray | None]:
        """What stands on the disk: path to content, None for a folder."""
        return {
            path: None if file == _FOLDER else self.files[file].content(fates)
            for path, file in self.names(fates).items()
        }

    def shape(self, fates: Fates) -> object:
        """Equal for equal images, without building them."""
        names = self.names(fates)
        return tuple(
            (path, file, None if file == _FOLDER else self.files[file].shape(fates))
            for path, file in sorted(names.items())
        )

    def _rename(self, operation: Made | Removed | Renamed) -> None:
        file = self._names.get(operation.path, _FOLDER)
        if isinstance(operation, Made) and not operation.is_folder:
            file = len(self.files)
            self.files.append(File())
        _rename(self._names, operation, file)
        self.pending_names.append((self.done, operation, file))

    def _sync_names(self, folder: str) -> None:
        left = []
        for entry in self.pending_names:
            if PurePosixPath(entry[1].path).parent == PurePosixPath(folder):
                _rename(self._durable_names, entry[1], entry[2])
            else:
                left.append(entry)
        self.pending_names = left


def _rename(names: dict[str, int], operation: Made | Removed | Renamed, file: int) -> None:
    match operation:
        case Made(path):
            names[path] = file
        case Removed(path):
            names.pop(path, None)
        case Renamed(path, to):
            names.pop(path, None)  # it may be that only the renaming arrived, not the making of the old name
            names[to] = file


def _is_reachable(path: str, names: Mapping[str, int]) -> bool:
    return all(parent.as_posix() in names for parent in list(PurePosixPath(path).parents)[:-1])


def _carry_out(content: bytearray, operation: Wrote | Cut, kept: int | None = None) -> None:
    """Do to the bytes what was asked, or only the first `kept` bytes of it; a truncation is done or not."""
    if kept == 0:
        return
    match operation:
        case Wrote(_, offset, data):
            data = data if kept is None else data[:kept]
            if len(content) < offset:
                content.extend(bytes(offset - len(content)))
            content[offset : offset + len(data)] = data
        case Cut(_, size):
            del content[size:]
            content.extend(bytes(size - len(content)))
