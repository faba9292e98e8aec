import ast
import re

from tests.architecture.source import Module, dotted, pure

CLOCKS = r"(datetime|date|Timestamp)\.(now|utcnow|today)|time\.\w+"
CHANCE = r"random\.(?!Generator$)\w+|secrets\.\w+|uuid\.\w+|uuid[14]|os\.(urandom|getrandom)"
RIM = r"os\.(environ|getenv|getpid)\b.*|Path\.(cwd|home)|builtins\.(open|print|input)"


def test_pure_code_reads_no_clock():
    assert _uses(CLOCKS) == []


def test_pure_code_takes_no_chances():
    assert _uses(CHANCE) == []


def test_pure_code_opens_prints_and_asks_nothing():
    assert _uses(RIM) == []


def test_pure_code_has_no_coroutines():
    coroutines = [
        f"{module.path}:{node.lineno}"
        for module in pure()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.Await)
    ]
    assert coroutines == []


def test_a_forbidden_name_is_found_however_it_is_reached():
    text = "import datetime as d\nd.datetime.now()\nnp.random.normal()\nuuid4()\nrng: np.random.Generator\n"
    module = Module("strategies/c.py", text, ast.parse(text))
    assert _found(module, CLOCKS) == ["strategies/c.py:2: d.datetime.now"]
    assert _found(module, CHANCE) == [
        "strategies/c.py:3: np.random.normal",
        "strategies/c.py:4: uuid4",
    ]


def test_the_open_of_a_bar_is_a_price_and_the_builtin_is_not():
    text = "row.open\nopen('x')\n"
    module = Module("strategies/c.py", text, ast.parse(text))
    assert _found(module, RIM) == ["strategies/c.py:2: builtins.open"]


def _uses(forbidden: str) -> list[str]:
    return [use for module in pure() for use in _found(module, forbidden)]


def _found(module: Module, forbidden: str) -> list[str]:
    """Return the names, with or without a prefix, that the pattern forbids, at their lines.

    The bare names of builtins count as `builtins.open`: a bar's `row.open` is a price.
    """
    pattern = re.compile(rf"(\w+\.)*({forbidden})")
    names = [
        (node.lineno, _name(node))
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load)
    ]
    return [f"{module.path}:{line}: {name}" for line, name in sorted(names) if pattern.fullmatch(name)]


def _name(node: ast.Attribute | ast.Name) -> str:
    name = dotted(node)
    return f"builtins.{name}" if name in {"open", "print", "input"} else name
