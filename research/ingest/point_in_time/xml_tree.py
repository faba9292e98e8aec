"""XML from strangers, safely: no DOCTYPE, hence no entities, nothing fetched, nothing that grows; bounded in size."""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from shared.errors import DataError

SIZE_MAX = 20_000_000
DEPTH_MAX = 40


class Element:
    """One element: its name, its text and its children in order."""

    __slots__ = ("children", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""
        self.children: list[Element] = []

    def all(self, *path: str) -> Iterator[Element]:
        """Every element at this path below."""
        if not path:
            yield self
            return
        for child in self.children:
            if child.name == path[0]:
                yield from child.all(*path[1:])

    def word(self, *path: str) -> str:
        """The text of the first element at this path, or of the `value` within it; '' where there is none."""
        for found in self.all(*path):
            inner = next(found.all("value"), found)
            return inner.text.strip()
        return ""


def parse_xml(where: str, document: bytes) -> Element:
    """The root of a document; DataError with one line if it is no XML, too large, too deep or has a DOCTYPE."""
    if len(document) > SIZE_MAX:
        raise DataError(f"{where}: {len(document)} bytes, allowed: at most {SIZE_MAX}")
    root = Element("")
    open_elements = [root]

    def begin(name: str, _: object) -> None:
        if len(open_elements) > DEPTH_MAX:
            raise DataError(f"{where}: elements nested deeper than {DEPTH_MAX}, allowed: at most so deep")
        element = Element(name)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def text(piece: str) -> None:
        open_elements[-1].text += piece

    def refuse(*_: object) -> None:
        raise DataError(f"{where}: has a DOCTYPE, allowed: XML without one (entities could read files or grow)")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = begin
    parser.EndElementHandler = lambda _: open_elements.pop()
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise DataError(f"{where}: no XML ({error}), allowed: a whole document") from None
    return root.children[0]
