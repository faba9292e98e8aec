"""Where each key of a TOML file stands: dotted path -> line, so that every fault can name its line."""

from __future__ import annotations

TomlPath = tuple[str | int, ...]

_BLANK = " \t\r\n"
_BARE_END = "=.]},# \t\r\n"
_SCALAR_END = ",]}#\n"


def index_lines(text: str) -> dict[TomlPath, int]:
    """Line (from 1) of every table, key and array element of `text`, which must be valid TOML.

    A path holds keys and, in arrays of any kind, positions from 0: `("strategy", 0, "sizing", "method")`.
    """
    return _Scanner(text).scan()


def line_of(lines: dict[TomlPath, int], path: TomlPath) -> int:
    """The line of `path`, or of the nearest table around it where the key is missing; 1 for the file."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    """One pass over text that tomllib has already accepted: it only has to find keys, never to judge them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._lines: dict[TomlPath, int] = {}
        self._lengths: dict[TomlPath, int] = {}  # arrays of tables: how many so far

    def scan(self) -> dict[TomlPath, int]:
        table: TomlPath = ()
        while self._skip_blank():
            table = self._header() if self._peek() == "[" else self._assignment(table)
        return self._lines

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _advance(self, count: int = 1) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count

    def _skip_blank(self) -> bool:
        """Past blanks and comments; False at the end of the text."""
        while (char := self._peek()) and (char in _BLANK or char == "#"):
            if char == "#":
                end = self._text.find("\n", self._at)
                self._advance((end if end >= 0 else len(self._text)) - self._at)
            else:
                self._advance()
        return bool(char)

    def _header(self) -> TomlPath:
        is_array = self._text.startswith("[[", self._at)
        line = self._line
        self._advance(2 if is_array else 1)
        names = self._key()
        self._advance(2 if is_array else 1)
        path: TomlPath = ()
        for depth, name in enumerate(names):
            path = (*path, name)
            self._lines.setdefault(path, line)
            if is_array and depth == len(names) - 1:
                self._lengths[path] = self._lengths.get(path, 0) + 1
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
                self._lines.setdefault(path, line)
        return path

    def _assignment(self, table: TomlPath) -> TomlPath:
        """Past `key = value`; the table stays the one the line stands in."""
        line = self._line
        path = table
        for name in self._key():
            path = (*path, name)
            self._lines.setdefault(path, line)
        self._advance()  # the equals sign
        self._value(path)
        return table

    def _key(self) -> list[str]:
        names = []
        while True:
            self._skip_blank()
            names.append(self._quoted() if self._peek() in "\"'" else self._bare())
            self._skip_blank()
            if self._peek() != ".":
                return names
            self._advance()

    def _bare(self) -> str:
        start = self._at
        while (char := self._peek()) and char not in _BARE_END:
            self._advance()
        return self._text[start : self._at]

    def _quoted(self) -> str:
        """Past a string of any of the four kinds; its raw text (escapes in keys are left as they are)."""
        quote = self._peek()
        fence = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._advance(len(fence))
        start = self._at
        while not self._text.startswith(fence, self._at):
            self._advance(2 if quote == '"' and self._peek() == "\\" else 1)
        end = self._at
        self._advance(len(fence))
        while len(fence) > 1 and self._peek() == quote:  # up to two more quotes belong to the text
            self._advance()
        return self._text[start:end]

    def _value(self, path: TomlPath) -> None:
        self._skip_blank()
        self._lines.setdefault(path, self._line)
        char = self._peek()
        if char == "[":
            self._array(path)
        elif char == "{":
            self._inline_table(path)
        elif char in "\"'":
            self._quoted()
        else:
            while (char := self._peek()) and char not in _SCALAR_END:
                self._advance()

    def _array(self, path: TomlPath) -> None:
        self._advance()
        position = 0
        while self._skip_blank() and self._peek() != "]":
            self._value((*path, position))
            position += 1
            self._past_comma()
        self._advance()

    def _inline_table(self, path: TomlPath) -> None:
        self._advance()
        while self._skip_blank() and self._peek() != "}":
            self._assignment(path)
            self._past_comma()
        self._advance()

    def _past_comma(self) -> None:
        self._skip_blank()
        if self._peek() == ",":
            self._advance()
