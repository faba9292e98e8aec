"""What the source of a strategy names that none may: clocks, chance, files, networks, processes, other code's memory.

A scan cannot prove that a source is clean (names can be built at run time); watch.py looks at what is really opened.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from research.lookahead.finding import Check, Finding

FORBIDDEN = {
    "a clock": r"(\w+\.)*(datetime|date|Timestamp)\.(now|utcnow|today)|time\.\w+",
    "chance": r"random\.(?!Generator$)\w+|secrets\.\w+|uuid\.uuid\d|os\.urandom|numpy\.random\.\w+",
    "a file": r"(io\.)?open|(\w+\.)*(read|write)_(csv|parquet|text|bytes|json|pickle|table|feather|hdf|excel)|numpy\."
    r"(load|loadtxt|genfromtxt|fromfile|memmap)|pickle\.\w+|joblib\.\w+|sqlite3\.\w+|shelve\.\w+",
    "the surroundings": r"os\.(environ|getenv|system|popen)\b.*|subprocess\.\w+|socket\.\w+|urllib\.\w.*|requests\.\w+",
    "the memory of others": r"gc\.\w+|sys\._getframe|inspect\.(stack|currentframe)|(\w+\.)+base|ctypes\.\w+",
}

# Methods that say by their name what they do, whatever object they are called on.
TELLING = {"base", "read_text", "read_bytes", "write_text", "write_bytes"}


def scan(source: Path) -> Check:
    """Every forbidden name in the file, with its line."""
    name = "source"
    check = Check(name=name, did="names no clock, chance or file")
    try:
        text = source.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, UnicodeDecodeError, SyntaxError, ValueError):
        return check
    aliases = _aliases(tree)
    findings = [
        Finding(check=name, what=f"{source.name}:{line} uses {what}: {written}")
        for line, written, meant in _names(tree, aliases)
        for what, pattern in FORBIDDEN.items()
        if re.fullmatch(pattern, meant)
    ]
    return Check(name=name, did=check.did, compared=text.count("\n"), findings=tuple(dict.fromkeys(findings)))


def _aliases(tree: ast.Module) -> dict[str, str]:
    """Local name -> what it was imported as: `np` -> numpy, `now` -> time.time."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.asname or name.name.split(".")[0]: name.name if name.asname else "" for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {name.asname or name.name: f"{node.module}.{name.name}" for name in node.names}
    return {local: meant or local for local, meant in found.items()}


def _names(tree: ast.Module, aliases: dict[str, str]) -> list[tuple[int, str, str]]:
    """Line, name as written and name as meant of every chain of names that is read."""
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in inner:
            written = _dotted(node)
            head, _, rest = written.partition(".")
            meant = f"{aliases.get(head, head)}.{rest}".rstrip(".")
            # `row.open` is a price; the builtin has no prefix.
            if head in aliases or "." not in written or written.rpartition(".")[2] in TELLING:
                found.append((node.lineno, written, meant.replace("datetime.datetime.", "datetime.")))
    return sorted(found)


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_dotted(value)}.{name}"
    return "_"
